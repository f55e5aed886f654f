# SPDX-License-Identifier: Apache-2.0
# lia_module(NAME DEPENDS part... EXTERN library... [TEST_EXTERN library...])
#
# One part of the library: all src/NAME/**.c as the static library lia_NAME. Every *_test.c is a test program
# of its own, NAME/<file> in ctest. A new file needs no edit here. `cmake --build . -t NAME_tests` builds
# the tests of one part.
function(lia_module name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;EXTERN;TEST_EXTERN" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.c$")
    list(FILTER sources EXCLUDE REGEX "_test\\.c$")

    add_library(lia_${name} STATIC ${sources})
    target_include_directories(lia_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
    list(TRANSFORM ARG_DEPENDS PREPEND lia_)
    list(TRANSFORM ARG_EXTERN PREPEND liana_ext_)
    list(TRANSFORM ARG_TEST_EXTERN PREPEND liana_ext_)
    target_link_libraries(lia_${name} PUBLIC ${ARG_DEPENDS} ${ARG_EXTERN})

    add_custom_target(${name}_tests)
    foreach(test ${tests})
        get_filename_component(stem ${test} NAME_WE)
        add_executable(${name}_${stem} ${test})
        target_link_libraries(${name}_${stem} PRIVATE lia_${name} ${ARG_TEST_EXTERN} liana_ext_cmocka)
        add_test(NAME ${name}/${stem} COMMAND ${name}_${stem} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(${name}/${stem} PROPERTIES LABELS ${name} TIMEOUT 120)
        add_dependencies(${name}_tests ${name}_${stem})
    endforeach()
endfunction()

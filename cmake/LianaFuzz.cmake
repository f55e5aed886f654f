# SPDX-License-Identifier: Apache-2.0
# lia_fuzz_targets(): every fuzz/NAME.c defines LLVMFuzzerTestOneInput and may use every part.
#   preset fuzz (LIANA_FUZZ)   fuzz_NAME is a libFuzzer program; `make fuzz TARGET=NAME SECONDS=n` runs it
#   every other build          fuzz_NAME runs each file of fuzz/corpus/NAME once, as the test fuzz/NAME
function(lia_fuzz_targets)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    foreach(source ${sources})
        cmake_path(GET source STEM name)
        add_executable(fuzz_${name} ${source})
        target_link_libraries(fuzz_${name} PRIVATE liana_parts)
        if(LIANA_FUZZ)
            target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        else()
            target_sources(fuzz_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay.c)
            add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
            set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT 120)
        endif()
    endforeach()
endfunction()

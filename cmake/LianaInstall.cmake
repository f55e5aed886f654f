# SPDX-License-Identifier: Apache-2.0
# libliana, shared and static, of all parts; and what `make install` puts into the prefix: both libraries, the public
# headers, liana.pc, and a CMake package with liana::liana (shared) and liana::static.
include(CMakePackageConfigHelpers)

set(objects)
set(libraries)
foreach(part ${LIANA_PARTS})
    get_target_property(type lia_${part} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
        list(APPEND objects $<TARGET_OBJECTS:lia_${part}>)
    endif()
    get_property(extern GLOBAL PROPERTY LIANA_EXTERN_OF_${part})
    list(APPEND libraries ${extern})
endforeach()
list(REMOVE_DUPLICATES libraries)

# What a static link needs: pkg-config modules for liana.pc, plain names for the CMake package.
set(modules)
set(link_names)
foreach(library ${libraries})
    get_property(module GLOBAL PROPERTY LIANA_PC_MODULE_OF_${library})
    list(APPEND modules ${module})
    list(APPEND link_names ${LIANA_PC_${library}_LIBRARIES})
endforeach()
list(REMOVE_DUPLICATES link_names)

function(liana_product target type name)
    add_library(${target} ${type} ${objects})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME liana EXPORT_NAME ${name} LINKER_LANGUAGE C
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

liana_product(liana_shared SHARED liana)
liana_libraries(targets ${libraries})
target_link_libraries(liana_shared PRIVATE ${targets})
target_link_options(liana_shared PRIVATE -Wl,--as-needed)
if(NOT LIANA_SANITIZE)
    target_link_options(liana_shared PRIVATE -Wl,--no-undefined)
endif()
liana_product(liana_static STATIC static)
target_link_libraries(liana_static INTERFACE $<INSTALL_INTERFACE:${link_names}>)

list(JOIN modules " " LIANA_PC_REQUIRES)
file(RELATIVE_PATH LIANA_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" LIANA_PC_UP "${LIANA_PC_UP}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/liana.pc.in liana.pc @ONLY)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/lianaConfig.cmake.in lianaConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/liana)
write_basic_package_version_file(lianaConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS liana_shared liana_static EXPORT liana
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/liana DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/liana.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(EXPORT liana NAMESPACE liana:: FILE lianaTargets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/liana)
install(FILES ${CMAKE_BINARY_DIR}/lianaConfig.cmake ${CMAKE_BINARY_DIR}/lianaConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/liana)

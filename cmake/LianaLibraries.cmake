# SPDX-License-Identifier: Apache-2.0
# The libraries from outside, each under the name that cmake/layers.txt uses for it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(liana_library name)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${ARGN})
    add_library(liana_ext_${name} INTERFACE)
    target_link_libraries(liana_ext_${name} INTERFACE PkgConfig::${name})
endfunction()

liana_library(sodium libsodium)
liana_library(cmocka cmocka)

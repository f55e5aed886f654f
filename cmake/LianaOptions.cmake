# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers and hardening, for every target alike.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(LIANA_TESTS "Build the tests" ON)
option(LIANA_APPS "Build the liana command, the hub and the connectors" ON)
option(LIANA_WERROR "Warnings are errors; the presets set it, packagers leave it off" OFF)
option(LIANA_FUZZ "Instrument for libFuzzer; needs clang" OFF)
set(LIANA_SANITIZE "" CACHE STRING "Sanitizers for every target, as -fsanitize= takes them")

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
# Debuggable, and fast enough for thousands of generated histories.
set(CMAKE_C_FLAGS_DEBUG "-g -Og")
set(CMAKE_C_FLAGS_RELEASE "-g1 -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fcf-protection")

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_POSIX_C_SOURCE=200809L)
add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wswitch -Wvla -Wformat=2 -Wundef -Wcast-qual -Wnull-dereference
    -Wimplicit-fallthrough -Wwrite-strings)
if(LIANA_WERROR)
    add_compile_options(-Werror)
endif()
if(LIANA_SANITIZE)
    add_compile_options(-fsanitize=${LIANA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${LIANA_SANITIZE})
endif()
if(LIANA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_link_options(-Wl,-z,relro,-z,now)
endif()

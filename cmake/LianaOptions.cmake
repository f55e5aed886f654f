# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers and hardening, for every target alike.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(LIANA_SANITIZE "" CACHE STRING "Sanitizers for every target, as -fsanitize= takes them")

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_POSIX_C_SOURCE=200809L)
add_compile_options(
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wswitch -Wvla -Wformat=2 -Wundef -Wcast-qual -Wnull-dereference
    -Wimplicit-fallthrough -Wwrite-strings)
if(LIANA_SANITIZE)
    add_compile_options(-fsanitize=${LIANA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${LIANA_SANITIZE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fcf-protection)
    add_link_options(-Wl,-z,relro,-z,now)
endif()

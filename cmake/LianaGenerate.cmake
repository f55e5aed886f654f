# SPDX-License-Identifier: Apache-2.0
# Generated C, made in the build tree, never committed:
#   lia_lemon(PART grammar.y)   gen/PART/grammar.c and .h, included as "PART/grammar.h"; a conflict fails the build
#   lia_re2c(PART lexer.re)     gen/PART/lexer.c; a warning of re2c fails the build
# Both are compiled into lia_PART and are called after its lia_module. What the generators' own skeletons do is not
# ours to mend, so the warnings about conversions and unused names are off for these files.
set(LIANA_RELAXED -Wno-conversion -Wno-sign-conversion -Wno-unused-parameter -Wno-unused-variable
    -Wno-unused-function -Wno-unused-but-set-variable -Wno-missing-prototypes -Wno-null-dereference
    -Wno-cast-qual -Wno-shadow -Wno-undef -Wno-implicit-fallthrough -Wno-unused-label)

function(lia_generated part source)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${LIANA_RELAXED}")
    target_sources(lia_${part} PRIVATE ${source})
    target_include_directories(lia_${part} PUBLIC ${CMAKE_BINARY_DIR}/gen)
endfunction()

function(lia_lemon part grammar)
    find_program(LIANA_LEMON lemon REQUIRED)
    find_file(LIANA_LEMPAR lempar.c PATHS /usr/share/lemon /usr/local/share/lemon REQUIRED)
    cmake_path(GET grammar STEM stem)
    set(out ${CMAKE_BINARY_DIR}/gen/${part})
    file(MAKE_DIRECTORY ${out})
    add_custom_command(OUTPUT ${out}/${stem}.c ${out}/${stem}.h
        COMMAND ${LIANA_LEMON} -q -d${out} -T${LIANA_LEMPAR} ${CMAKE_CURRENT_SOURCE_DIR}/${grammar}
        DEPENDS ${grammar} COMMENT "lemon ${part}/${grammar}" VERBATIM)
    lia_generated(${part} ${out}/${stem}.c)
    # Without NDEBUG the skeleton keeps a trace file in two global variables.
    set_source_files_properties(${out}/${stem}.c PROPERTIES COMPILE_DEFINITIONS NDEBUG)
    target_sources(lia_${part} PRIVATE ${out}/${stem}.h)
endfunction()

function(lia_re2c part lexer)
    find_program(LIANA_RE2C re2c REQUIRED)
    cmake_path(GET lexer STEM stem)
    set(out ${CMAKE_BINARY_DIR}/gen/${part})
    file(MAKE_DIRECTORY ${out})
    add_custom_command(OUTPUT ${out}/${stem}.c
        COMMAND ${LIANA_RE2C} -W -Werror --no-generation-date -o ${out}/${stem}.c
                ${CMAKE_CURRENT_SOURCE_DIR}/${lexer}
        DEPENDS ${lexer} COMMENT "re2c ${part}/${lexer}" VERBATIM)
    lia_generated(${part} ${out}/${stem}.c)
endfunction()

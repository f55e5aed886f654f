# SPDX-License-Identifier: Apache-2.0
# The libraries from outside, each under the short name that cmake/layers.txt and lia_module use for it.
# One is looked for when the first target asks for it: an embedder who builds the library alone needs
# neither a terminal nor a MongoDB driver on the machine.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
# The halves of the C library that stand apart.
link_libraries(Threads::Threads m)

# short name, pkg-config module, Debian package
set(LIANA_LIBRARIES
    "sodium     libsodium       libsodium-dev"
    "sqlite3    sqlite3         libsqlite3-dev"
    "uv         libuv           libuv1-dev"
    "openssl    openssl         libssl-dev"
    "zstd       libzstd         libzstd-dev"
    "yaml       yaml-0.1        libyaml-dev"
    "pcre2      libpcre2-8      libpcre2-dev"
    "utf8proc   libutf8proc     libutf8proc-dev"
    "bson       libbson-1.0     libbson-dev"
    "mongoc     libmongoc-1.0   libmongoc-dev"
    "edit       libedit         libedit-dev"
    "csv        -               libcsv-dev"
    "yajl       yajl            libyajl-dev"
    "cmocka     cmocka          libcmocka-dev")

# libcsv ships no pkg-config file.
function(liana_find_plain name header library package)
    find_path(LIANA_${name}_INCLUDE ${header})
    find_library(LIANA_${name}_LIBRARY ${library})
    if(NOT LIANA_${name}_INCLUDE OR NOT LIANA_${name}_LIBRARY)
        message(FATAL_ERROR "${header} is missing: install ${package} (or run tools/setup)")
    endif()
    target_include_directories(liana_ext_${name} SYSTEM INTERFACE ${LIANA_${name}_INCLUDE})
    target_link_libraries(liana_ext_${name} INTERFACE ${LIANA_${name}_LIBRARY})
endfunction()

# liana_library(NAME): makes sure that the target liana_ext_NAME exists.
function(liana_library name)
    if(TARGET liana_ext_${name})
        return()
    endif()
    set(row ${LIANA_LIBRARIES})
    list(FILTER row INCLUDE REGEX "^${name} ")
    if(NOT row)
        message(FATAL_ERROR "${name} is no library in cmake/LianaLibraries.cmake")
    endif()
    string(REGEX REPLACE " +" ";" row "${row}")
    list(GET row 1 module)
    list(GET row 2 package)

    add_library(liana_ext_${name} INTERFACE)
    if(name STREQUAL "csv")
        liana_find_plain(csv csv.h csv ${package})
        return()
    endif()
    pkg_check_modules(LIANA_PC_${name} IMPORTED_TARGET GLOBAL ${module})
    if(NOT LIANA_PC_${name}_FOUND)
        message(FATAL_ERROR "${module} is missing: install ${package} (or run tools/setup)")
    endif()
    target_link_libraries(liana_ext_${name} INTERFACE PkgConfig::LIANA_PC_${name})
    set_property(GLOBAL PROPERTY LIANA_PC_MODULE_OF_${name} ${module})
endfunction()

# liana_libraries(OUT NAME...): the targets of several libraries.
function(liana_libraries out)
    set(targets)
    foreach(name ${ARGN})
        liana_library(${name})
        list(APPEND targets liana_ext_${name})
    endforeach()
    set(${out} ${targets} PARENT_SCOPE)
endfunction()

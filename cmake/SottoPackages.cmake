# Third-party packages; docs/dependencies.md says why each is here.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
# Debian 12 calls it msgpack; from 6.x on it is msgpack-c.
pkg_search_module(MSGPACK REQUIRED IMPORTED_TARGET msgpack-c msgpack)
pkg_search_module(OPENBLAS REQUIRED IMPORTED_TARGET openblas blas-openblas)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
# libcyaml reads by schema; libyaml itself tells where in a file a mistake is.
pkg_check_modules(CYAML REQUIRED IMPORTED_TARGET libcyaml)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_search_module(SPNG REQUIRED IMPORTED_TARGET spng libspng)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
if(SOTTO_WITH_TESTS)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    # The interpreter that sees Debian's python3-cryptography, whatever else is in the path.
    find_program(SOTTO_DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
    find_program(SOTTO_VALGRIND valgrind)
endif()

# llhttp comes as C source in Debian's node-llhttp, unpacked by scripts/setup; Node is not needed.
set(SOTTO_LLHTTP_ROOT ${CMAKE_SOURCE_DIR}/.deps/llhttp/usr CACHE PATH "Where llhttp's source is")
if(NOT EXISTS ${SOTTO_LLHTTP_ROOT}/share/llhttp/llhttp.c)
    message(FATAL_ERROR "llhttp is not in ${SOTTO_LLHTTP_ROOT}: run scripts/setup")
endif()
add_library(llhttp STATIC ${SOTTO_LLHTTP_ROOT}/share/llhttp/llhttp.c
    ${SOTTO_LLHTTP_ROOT}/share/llhttp/http.c ${SOTTO_LLHTTP_ROOT}/share/llhttp/api.c)
target_include_directories(llhttp SYSTEM PUBLIC ${SOTTO_LLHTTP_ROOT}/share/include/llhttp)
target_compile_options(llhttp PRIVATE -w)

function(sotto_print_features)
    message(STATUS "sotto ${PROJECT_VERSION}: ${CMAKE_BUILD_TYPE}, sanitizers '${SOTTO_SANITISE}', "
        "tests ${SOTTO_WITH_TESTS}, fuzz ${SOTTO_WITH_FUZZ}")
endfunction()

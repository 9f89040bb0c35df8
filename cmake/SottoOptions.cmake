# Compiler flags and build options, the same for every target.
option(SOTTO_WITH_TESTS "Build the tests" ON)
option(SOTTO_WITH_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(SOTTO_SANITISE "" CACHE STRING "Sanitizers: address,undefined or thread; empty for none")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# Asserts stay on in release: a bug must stop the process rather than go on with a secret.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Werror -fstack-protector-strong -fno-omit-frame-pointer)
add_link_options(-Wl,-z,relro,-z,now)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT SOTTO_SANITISE)
    add_compile_options(-D_FORTIFY_SOURCE=2)
endif()
if(SOTTO_SANITISE)
    add_compile_options(-fsanitize=${SOTTO_SANITISE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SOTTO_SANITISE})
endif()
if(SOTTO_WITH_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

include_directories(${CMAKE_SOURCE_DIR})

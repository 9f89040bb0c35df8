# A room is a folder with its sources and the rooms it may use; tests/tidy checks the include edges.
#
#   sotto_room(crypto/ring SOURCES lanes.c NEEDS core/base LIBRARIES PkgConfig::X)
#   sotto_program(sotto-sealer SOURCES main.c NEEDS participant/sealer)
#   sotto_test(ring_lanes SOURCES lanes.c NEEDS crypto/ring)
function(sotto_target_name out room)
    string(REPLACE "/" "_" name ${room})
    set(${out} sotto_room_${name} PARENT_SCOPE)
endfunction()

function(sotto_link_needs target scope)
    foreach(room IN LISTS ARGN)
        sotto_target_name(name ${room})
        target_link_libraries(${target} ${scope} ${name})
    endforeach()
endfunction()

function(sotto_room room)
    cmake_parse_arguments(ROOM "" "" "SOURCES;NEEDS;LIBRARIES" ${ARGN})
    sotto_target_name(name ${room})
    add_library(${name} STATIC ${ROOM_SOURCES})
    sotto_link_needs(${name} PUBLIC ${ROOM_NEEDS})
    target_link_libraries(${name} PUBLIC ${ROOM_LIBRARIES})
endfunction()

add_custom_target(programs)
add_custom_target(fuzzers)

function(sotto_program program)
    cmake_parse_arguments(PROGRAM "" "" "SOURCES;NEEDS;LIBRARIES" ${ARGN})
    add_executable(${program} ${PROGRAM_SOURCES})
    target_compile_definitions(${program} PRIVATE SOTTO_VERSION="${PROJECT_VERSION}")
    sotto_link_needs(${program} PRIVATE ${PROGRAM_NEEDS})
    target_link_libraries(${program} PRIVATE ${PROGRAM_LIBRARIES})
    add_dependencies(programs ${program})
    install(TARGETS ${program} RUNTIME DESTINATION bin)
endfunction()

# A cmocka program under tests/; run from the source tree so that tests/vectors is found.
function(sotto_test test)
    cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;NEEDS;LIBRARIES;ARGUMENTS" ${ARGN})
    add_executable(test_${test} ${TEST_SOURCES})
    set_target_properties(test_${test} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    sotto_link_needs(test_${test} PRIVATE ${TEST_NEEDS})
    target_link_libraries(test_${test} PRIVATE PkgConfig::CMOCKA ${TEST_LIBRARIES})
    add_test(NAME ${test} COMMAND test_${test} ${TEST_ARGUMENTS}
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 400)
    endif()
    set_tests_properties(${test} PROPERTIES TIMEOUT ${TEST_TIMEOUT}
        ENVIRONMENT "OPENBLAS_NUM_THREADS=1")
endfunction()

# A libFuzzer target; its seeds are in tests/fuzz/seeds/<name>.
function(sotto_fuzz fuzz)
    cmake_parse_arguments(FUZZ "" "" "SOURCES;NEEDS" ${ARGN})
    if(NOT SOTTO_WITH_FUZZ)
        return()
    endif()
    add_executable(fuzz_${fuzz} ${FUZZ_SOURCES})
    set_target_properties(fuzz_${fuzz} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    add_dependencies(fuzzers fuzz_${fuzz})
    target_link_options(fuzz_${fuzz} PRIVATE -fsanitize=fuzzer)
    sotto_link_needs(fuzz_${fuzz} PRIVATE ${FUZZ_NEEDS})
endfunction()

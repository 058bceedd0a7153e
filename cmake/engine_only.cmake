# ADZE_ENGINE_ONLY: the engine, what it stands on and the kernel tests, for a cross build that ./dev test can afford.
# Headers of the standard library are compiled once, and only instruction-set files are optimized as in a release.
set(kernel_files ${ADZE_SOURCES})
list(FILTER kernel_files INCLUDE REGEX "/kernels/[^/]+/(${ADZE_ISA_PATTERN})\\.cpp$")
set_source_files_properties(${kernel_files} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
set_property(SOURCE ${kernel_files} APPEND PROPERTY COMPILE_OPTIONS -O2)

target_compile_options(adze PRIVATE -O1 -fpch-preprocess)
target_precompile_headers(adze PRIVATE <algorithm> <array> <cmath> <cstdint> <functional> <map> <memory>
                          <numeric> <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <vector>)
if(ADZE_TESTS)
  enable_testing()
  add_subdirectory(tests)
  target_compile_options(kernels_tests PRIVATE -O0 -fpch-preprocess)
  target_precompile_headers(kernels_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests/kernels/support.h)
endif()

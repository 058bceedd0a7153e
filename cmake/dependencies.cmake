# What the library stands on; why each: docs/decisions/.
find_package(Threads REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

# Debian's dnnl CMake config asks for OpenCL development files, so look for the library itself.
find_library(DNNL_LIBRARY NAMES dnnl REQUIRED)
find_path(DNNL_INCLUDE_DIR NAMES oneapi/dnnl/dnnl.hpp REQUIRED)
add_library(adze_dnnl INTERFACE IMPORTED GLOBAL)
target_link_libraries(adze_dnnl INTERFACE ${DNNL_LIBRARY})
target_include_directories(adze_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})

set(ADZE_DEPENDENCIES JPEG::JPEG PNG::PNG ZLIB::ZLIB nlohmann_json::nlohmann_json PkgConfig::ZSTD adze_dnnl)

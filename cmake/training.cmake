# libadze_torch.so: training on libtorch, opened by the verbs that train. The library and the command never link it.
if(NOT ADZE_TRAIN)
  return()
endif()
find_path(TORCH_INCLUDE_DIR NAMES ATen/ATen.h)
find_path(TORCH_API_INCLUDE_DIR NAMES torch/optim/sgd.h PATHS ${TORCH_INCLUDE_DIR} PATH_SUFFIXES torch/csrc/api/include)
find_library(TORCH_CPU_LIBRARY NAMES torch_cpu)
find_library(TORCH_C10_LIBRARY NAMES c10)
if(NOT TORCH_INCLUDE_DIR OR NOT TORCH_API_INCLUDE_DIR OR NOT TORCH_CPU_LIBRARY OR NOT TORCH_C10_LIBRARY)
  message(STATUS "libtorch not found: no training plug-in (Debian: libtorch-dev)")
  return()
endif()

file(GLOB ADZE_TORCH_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/adze/train/torch/*.cpp)
add_library(adze_torch MODULE ${ADZE_TORCH_SOURCES})
set_target_properties(adze_torch PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_include_directories(adze_torch SYSTEM PRIVATE ${TORCH_INCLUDE_DIR} ${TORCH_API_INCLUDE_DIR})
target_link_libraries(adze_torch PRIVATE adze ${TORCH_CPU_LIBRARY} ${TORCH_C10_LIBRARY})
# It brings the parts of the library that it uses, and keeps them to itself.
target_link_options(adze_torch PRIVATE -Wl,-Bsymbolic -Wl,--exclude-libs,ALL)
target_compile_definitions(adze_torch PRIVATE USE_DISTRIBUTED USE_C10D_GLOO)
set_source_files_properties(
  ${CMAKE_SOURCE_DIR}/adze/train/torch/batch_norm_rows.cpp ${CMAKE_SOURCE_DIR}/adze/train/torch/quantize_runs.cpp
  PROPERTIES COMPILE_OPTIONS -O3)

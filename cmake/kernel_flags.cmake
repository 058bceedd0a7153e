# A kernel file's name is its instruction set, and so its compile flags: engine/kernels/<family>/<isa>.cpp.
set(ADZE_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(ADZE_FLAGS_avx512vnni -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c)
foreach(isa avx2 avx512vnni)
  file(GLOB isa_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/adze/engine/kernels/*/${isa}.cpp)
  if(isa_sources)
    set_source_files_properties(${isa_sources} PROPERTIES COMPILE_OPTIONS "${ADZE_FLAGS_${isa}}")
  endif()
endforeach()

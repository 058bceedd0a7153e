# What emulation and device profiles need at run time, embedded into the library: start-up code and linker scripts of
# the emulated boards, the data files of devices/, and the plug-in that counts QEMU's instructions.
file(GLOB_RECURSE device_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/adze/device/boards/*
     ${CMAKE_SOURCE_DIR}/devices/*.toml)
set(generated ${CMAKE_BINARY_DIR}/generated/device_assets.cpp)
file(WRITE ${generated}.new "#include \"adze/device/assets.h\"\n\nnamespace adze::device {\n\n")
file(APPEND ${generated}.new "std::span<const Asset> assets() {\n  static const Asset all[] = {\n")
foreach(path ${device_files})
  string(REPLACE "adze/device/boards/" "" name ${path})
  file(READ ${CMAKE_SOURCE_DIR}/${path} content)
  file(APPEND ${generated}.new "{\"${name}\", R\"~adze~(${content})~adze~\"},\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${path})
endforeach()
file(APPEND ${generated}.new "  };\n  return all;\n}\n\n}  // namespace adze::device\n")
configure_file(${generated}.new ${generated} COPYONLY)
target_sources(adze PRIVATE ${generated})

# A command of its own, because the plug-in runs in QEMU: no sanitizer, no flags of the library.
set(plugin ${CMAKE_BINARY_DIR}/generated/count.so)
set(plugin_source ${CMAKE_SOURCE_DIR}/adze/device/plugin/count.c)
add_custom_command(
  OUTPUT ${plugin}
  COMMAND ${CMAKE_C_COMPILER} -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -s -o ${plugin}
          ${plugin_source}
  DEPENDS ${plugin_source} COMMENT "Building the instruction-counting plug-in")
set_source_files_properties(
  adze/device/counting_plugin.cpp PROPERTIES COMPILE_DEFINITIONS ADZE_COUNTING_PLUGIN="${plugin}" OBJECT_DEPENDS
                                             ${plugin})

# install(): the library, its headers, the command, a CMake package and a pkg-config file. All paths are relative to the
# prefix, so that the installed tree can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS adze EXPORT adzeTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY adze DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def" PATTERN "web" EXCLUDE PATTERN "boards" EXCLUDE PATTERN "plugin" EXCLUDE)
if(TARGET adze_command)
  install(TARGETS adze_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

if(TARGET adze_torch)
  install(TARGETS adze_torch LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/adze)
endif()

set(ADZE_CONFIG_ONEDNN OFF)
set(ADZE_PC_ONEDNN "")
if(TARGET adze_dnnl)
  set(ADZE_CONFIG_ONEDNN ON)
  set(ADZE_PC_ONEDNN " -ldnnl")
endif()

install(EXPORT adzeTargets NAMESPACE adze:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/adze)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/adzeConfig.cmake.in ${CMAKE_BINARY_DIR}/adzeConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/adze)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/adzeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/adzeConfig.cmake ${CMAKE_BINARY_DIR}/adzeConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/adze)

file(RELATIVE_PATH ADZE_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/adze.pc.in ${CMAKE_BINARY_DIR}/adze.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/adze.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

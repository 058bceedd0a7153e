# Cross-compiles for 64-bit Arm Linux with Debian's g++-aarch64-linux-gnu:
#   cmake -S . -B build-aarch64 -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64.cmake -DADZE_ENGINE_ONLY=ON
# Programs then run under qemu-user; ADZE_QEMU_CPU chooses the processor that it imitates.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

set(ADZE_QEMU_CPU max CACHE STRING "Processor that qemu-user imitates")
find_program(ADZE_QEMU qemu-aarch64)
if(ADZE_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${ADZE_QEMU} -cpu ${ADZE_QEMU_CPU} -L /usr/aarch64-linux-gnu)
endif()

# Debian's cross libraries lie beside the compiler; nothing of the building machine may be found for the target.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

#pragma once

#include <string>

#include "adze/device/emulate.h"
#include "adze/device/profile.h"
#include "adze/emit/c/emit.h"
#include "cli/console.h"

namespace adze::cli {

/// A network's C code, compiled and run on the emulated core of a device.
struct DeviceRun {
  device::Profile profile;
  emit::Emission emission;
  device::Emulation emulation;
  bool bytes_equal = false;  ///< every output of every golden run
};

/// "speed", "ram", "size", "balanced".
emit::Optimize optimize_from(const std::string& word);

/// The device's RAM, the fastest first, where it has more than one; 4 KB of the first are left to the stack.
std::vector<emit::EmitMemory> memories_of(const device::Profile& profile);

/// Emits with profiling hooks into a temporary folder, compiles, runs and compares. options.core is the profile's.
/// Throws UnsupportedError for a device without an emulated core.
DeviceRun run_on_device(const Graph& graph, emit::EmitOptions options, const device::Profile& profile);

/// Tables of layers and totals, and results: device, bytes_equal, instructions, … .
void show_device_run(Console& console, const DeviceRun& run);

}  // namespace adze::cli

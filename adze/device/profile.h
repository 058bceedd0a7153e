#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adze/device/instruction_mix.h"

namespace adze::device {

enum class MemoryKind : std::uint8_t { Flash, Ram, FastRam };

struct Memory {
  std::string name;
  MemoryKind kind = MemoryKind::Ram;
  std::int64_t bytes = 0;
  std::string source;
};

/// Cycles per executed instruction of each class; error is the stated relative error of the sum.
struct CycleModel {
  std::array<double, instruction_classes> per_instruction{};
  double error = 0;
  std::string source;
};

struct EnergyModel {
  std::optional<double> joules_per_cycle;  ///< nothing: no figure is known
  double error = 0;
  std::string source;
};

/// What the device's integer kernels or accelerator compute. Operators by their ONNX names.
struct QuantizationRules {
  std::vector<std::string> operators;  ///< computed on integers; empty: all
  bool integer_only = false;           ///< there is nothing to compute floats with
  bool per_tensor_weights = false, symmetric_activations = false, power_of_two_scales = false;
  int weight_bits = 8;
  std::string source;
};

/// What is known of a device, and from where. Data files: devices/*.toml, see docs/devices.md.
struct Profile {
  std::string name, title;
  std::string core;        ///< that code is emitted and emulated for; empty: this host
  bool stands_in = false;  ///< the core only stands in for another instruction set
  std::vector<std::string> instruction_sets;
  double clock_hz = 0;
  std::string clock_source;
  bool measured_here = false;
  std::vector<Memory> memories;
  std::optional<CycleModel> cycles;
  EnergyModel energy;
  std::optional<QuantizationRules> quantization;  ///< nothing: everything that the engine computes

  /// Sum over the memories of a kind; nothing when the profile names none.
  std::optional<std::int64_t> bytes_of(MemoryKind kind) const;
};

/// Reads one profile. `extends` names a built-in profile whose core, instruction sets, cycles and energy it takes over.
/// Throws UsageError with file, line and what was expected.
Profile parse_profile(std::string_view text, const std::string& file);

/// A built-in profile by name, or a file when name ends with .toml. Throws UsageError naming the nearest.
Profile load_profile(const std::string& name);

/// All built-in profiles by name, in alphabetical order.
std::vector<std::string> profile_names();

std::string_view memory_kind_name(MemoryKind kind);

}  // namespace adze::device

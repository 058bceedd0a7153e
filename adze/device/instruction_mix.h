#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace adze::device {

/// Classes of executed Thumb instructions, in the order of plugin/count.c. ExtraWords are not instructions: the
/// registers beyond the first that multiple loads and stores move.
enum class InstructionClass : std::uint8_t {
  Load,
  Store,
  Multiply,  ///< products and multiply-accumulates, SIMD pairs included
  Divide,
  Branch,
  Float,
  Vector,        ///< Helium arithmetic
  VectorMemory,  ///< Helium loads and stores
  Other,
  ExtraWords,
};
inline constexpr std::size_t instruction_classes = 10;

constexpr std::string_view class_name(InstructionClass kind) {
  constexpr std::string_view names[] = {"load",  "store",  "multiply",      "divide", "branch",
                                        "float", "vector", "vector_memory", "other",  "extra_words"};
  return names[static_cast<std::size_t>(kind)];
}

/// How often each class was executed.
struct InstructionMix {
  std::array<std::int64_t, instruction_classes> counts{};

  std::int64_t& operator[](InstructionClass kind) { return counts[static_cast<std::size_t>(kind)]; }
  std::int64_t operator[](InstructionClass kind) const { return counts[static_cast<std::size_t>(kind)]; }
  std::int64_t instructions() const {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts) sum += count;
    return sum - (*this)[InstructionClass::ExtraWords];
  }
  InstructionMix& operator+=(const InstructionMix& other) {
    for (std::size_t i = 0; i < instruction_classes; ++i) counts[i] += other.counts[i];
    return *this;
  }
  InstructionMix& operator-=(const InstructionMix& other) {
    for (std::size_t i = 0; i < instruction_classes; ++i) counts[i] -= other.counts[i];
    return *this;
  }
};

}  // namespace adze::device

#pragma once

// Internal to emit/c: the files around the layers.

#include <string>
#include <vector>

#include "adze/emit/c/layer.h"

namespace adze::emit {

/// One input or output of the network as its caller sees it.
struct Port {
  std::string name, macro;  ///< of the value; for constants of the header
  std::string type;         ///< int8_t, uint8_t, int16_t or float
  Shape shape;              ///< as it lies in memory
  std::int64_t bytes = 0, offset = 0;
  bool channels_last = false;
  float scale = 0.0f;  ///< 0: not quantized, or not known
  std::int32_t zero_point = 0;
};

/// An output that is the next call's input.
struct StatePort {
  Port in, out;
  /// What every byte of it is at first: zero.
  std::int32_t first_byte() const { return in.type == "uint8_t" ? in.zero_point - 128 : in.zero_point; }
};

struct Interface {
  std::vector<Port> inputs, outputs;
  std::vector<StatePort> states = {};
};

std::string header_file(const Network& network, const Interface& interface, const Emission& emission);
/// The layers' calls in order, between copies from and to the caller.
std::string source_file(const Network& network, const Interface& interface, const Emission& emission);
std::string test_file(const Network& network, const Interface& interface);
std::string cmake_file(const Network& network);
/// Takes in the file of the tables.
std::string weights_source(const Network& network);
/// "gcc -std=c99 -O2 …", as the header names it.
std::string compile_line(const Network& network);

}  // namespace adze::emit

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/plan/memory_map.h"

namespace adze::emit {

/// What the code is written for.
enum class Optimize : std::uint8_t { Speed, Ram, Balanced, Size };

/// Inputs and what the network makes of them, in the graph's layout, as the test program compares them.
struct Golden {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

/// A memory of the device that activations may lie in.
struct EmitMemory {
  std::string name;
  std::int64_t bytes = 0;
};

struct EmitOptions {
  std::string name = "net";      ///< prefix of files and functions: a C identifier
  std::string core = "generic";  ///< one of cores()
  Optimize optimize = Optimize::Balanced;
  /// The fastest first; with more than one, each has its own array, which NAME_IN_MEMORY may attribute to a section.
  std::vector<EmitMemory> memories = {};
  bool weights_object = false;  ///< tables in <name>_weights.bin, taken in by an assembler file, instead of C arrays
  bool profile_hooks = false;   ///< call void <name>_profile(int layer) before each layer and after the last
  std::vector<Golden> golden;   ///< nothing: no test program
};

struct EmittedFile {
  std::string path;  ///< relative to the output folder
  std::string bytes;
};

struct EmittedLayer {
  std::string name;  ///< of its C function
  std::string op;
  std::int64_t macs = 0;
  std::int64_t output_offset = 0;  ///< where its first output lies in the arena when it has run
  std::int64_t output_bytes = 0;
};

/// A static array of the code.
struct EmittedArray {
  std::string name;                   ///< of the C variable
  std::string memory;                 ///< empty: any
  std::string macro;                  ///< that its definition begins with, for an attribute; empty: none
  std::int64_t begin = 0, bytes = 0;  ///< begin: the plan's offset of its first byte
};

struct Emission {
  std::vector<EmittedFile> files;
  std::vector<EmittedLayer> layers;    ///< in the order in which they run
  std::int64_t arena_bytes = 0;        ///< activations, inputs and outputs and scratch buffers included
  std::int64_t lower_bound_bytes = 0;  ///< the most activation bytes alive at one step
  std::int64_t weight_bytes = 0;       ///< weights as stored, biases and tables included
  std::vector<EmittedArray> arrays;    ///< that make up the arena
  MemoryMap memory;                    ///< who lies where in the arena, and when
};

/// Cores that code can be written for: generic, cortex-m0 …
std::vector<std::string> cores();

/// The graph as C99 files that need no heap, no file and no runtime but the C library's memcpy and memset. Unknown
/// dimensions become 1; quantized groups become integer layers (plan/lower_integers.h) that give the same bytes as the
/// reference. Pictures are stored with channels last: four-dimensional inputs and outputs too when the graph's metadata
/// "adze.source_layout" is NHWC, else they are NCHW.
/// Throws UnsupportedError naming node and operator, UsageError for a wrong option.
Emission emit_c(const Graph& graph, const EmitOptions& options = {});

}  // namespace adze::emit

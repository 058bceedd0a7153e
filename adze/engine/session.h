#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/engine/compute.h"
#include "adze/graph/graph.h"

namespace adze {

/// Choosing among the kernels that can run a layer: by the built-in table, or by timing them in place.
enum class Tune : std::uint8_t {
  Off,   ///< the table
  Fast,  ///< a few runs of each candidate
  Full,  ///< enough runs for a noisy machine
};

/// How products with weights of few bits (plan/coded_weights.h) take their inputs.
enum class LowBitInputs : std::uint8_t {
  Float,  ///< as they are: split into 24 bits, which float products round as much
  Int8,   ///< rounded to 8 bits in groups, each with its own scale: faster from some rows on
};

struct SessionOptions {
  int threads = 1;                 ///< 0: as many as set_num_threads says. Results do not depend on it.
  std::string isa;                 ///< highest instruction set, a name of isa.h; empty: the best that there is
  Compute compute = Compute::F32;  ///< in what numbers float convolutions and matrix products multiply
  bool integer = true;  ///< run quantized groups in integers (plan/lower_integers); false: in float, as written
  LowBitInputs low_bit_inputs = LowBitInputs::Float;
  Tune tune = Tune::Off;  ///< for input shapes that are known when the session is made. Float bits may differ.
  std::string tune_file;  ///< where choices are kept, by machine and problem; empty: nowhere
  /// Where packed weights are kept between starts: read when it fits this model, machine and version, else written.
  /// With Session::open also all that is found out about the model, so that it need not be read.
  std::string weight_file;
  std::map<std::string, Shape> input_shapes;  ///< prepares for these shapes at once, instead of at the first run
};

/// What one step of a session does, for tables and profiles.
struct StepInfo {
  std::string name;          ///< the node's
  std::string op;            ///< the operator's, "QConv"
  std::string kernel;        ///< what runs it: "conv_s8 avx512vnni", "oneDNN jit:avx512_core", "reference"
  double seconds = 0;        ///< spent in it since Session::profile(true)
  double least_seconds = 0;  ///< of its fastest call since then
  std::int64_t calls = 0;
  DType dtype = DType::Undefined;  ///< of its first input
  std::int64_t macs = 0;           ///< multiply-accumulates of one call
  std::int64_t bytes = 0;          ///< that one call must read and write at least: activations and weights, once each
};

/// An input or output of a model.
struct Port {
  std::string name;
  ValueType type;  ///< dimensions may be open
};

/// A graph made ready to run on this processor: quantized groups in integers, weights packed once, every activation at
/// a planned place of one arena, each node bound to one kernel. What has no fast kernel runs in the reference.
/// Integer kernels give the reference's bytes; float kernels stay within the tolerance of their .def line.
///
/// Input sizes that the model leaves open may differ from run to run: a plan is kept for each of the last few. A
/// session may be used by several threads; they take turns. Sessions of one graph (or of copies of it), of one model
/// file, or of one weight file share packed weights while they live, and run at the same time.
class Session {
 public:
  /// Throws ModelError or UnsupportedError naming the node, UsageError for an unknown instruction set.
  explicit Session(Graph graph, const SessionOptions& options = {});
  /// The model of a file, which read reads. It is not called when the weight file knows the model, or another session
  /// has it open.
  static Session open(const std::filesystem::path& model, const std::function<Graph()>& read,
                      const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// One tensor for each input of the graph, in order; the graph's outputs.
  /// ModelError naming the input when a dtype or shape does not match.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

  /// The same, into tensors that are used again and again: one for each output, made anew only where its dtype or shape
  /// does not fit. With the same input shapes as the time before and kernels of our own nothing is allocated.
  void run_into(std::span<const Tensor> inputs, std::span<Tensor> outputs);

  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  /// The instruction set in use.
  std::string isa() const;
  int threads() const;
  /// Of the plan used last (0 before the first).
  std::int64_t arena_bytes() const;
  /// Bytes of weights in the form that the kernels read, shared ones included.
  std::int64_t packed_weight_bytes() const;

  /// Calls the function with each value of the graph as it is computed, inputs included, under the names of the given
  /// graph; nothing is fused then. Values inside integer groups that do not exist then are left out (integer = false
  /// shows all). An empty function ends it.
  void observe(std::function<void(std::string_view value_name, const Tensor&)> observer);

  /// Starts (from zero) or stops timing of every step.
  void profile(bool on);
  /// The steps of the plan used last, in order.
  std::vector<StepInfo> steps() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace adze

#include "adze/quantize/block_rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/layer_rows.h"
#include "adze/quantize/quantized_layers.h"
#include "adze/quantize/soft_rounding.h"
#include "adze/train/learner.h"

namespace adze::quantize {

namespace {

constexpr std::int64_t most_bytes = std::int64_t{256} << 20;  ///< of a block's inputs and outputs, each

/// Values of one tensor over many samples, [samples, …].
struct Stack {
  Shape shape;  ///< of one sample
  std::vector<float> values;
  std::int64_t size() const { return num_elements(shape); }
  std::int64_t count() const { return shape.empty() && values.empty() ? 0 : std::ssize(values) / size(); }

  Tensor pick(const std::vector<std::int64_t>& samples) const {
    Shape whole{std::ssize(samples)};
    whole.insert(whole.end(), shape.begin(), shape.end());
    Tensor tensor(DType::F32, whole);
    float* to = tensor.mutable_data<float>().data();
    for (const std::int64_t sample : samples) to = std::copy_n(values.data() + sample * size(), size(), to);
    return tensor;
  }
};

Stack collect(const Graph& graph, ValueId value, const CalibrationData& data, std::int64_t samples) {
  FloatValue computed(graph, value);
  Stack stack;
  for (std::int64_t batch = 0; batch < data.num_batches; ++batch) {
    check_cancelled();
    const std::int64_t seen = stack.values.empty() ? 0 : stack.count();
    if ((samples > 0 && seen >= samples) || std::ssize(stack.values) * 4 >= most_bytes) break;
    const std::vector<Tensor> given = data.batch(batch);
    if (given.empty()) continue;
    const Tensor found = computed.of(given);
    stack.shape = Shape(found.shape().begin() + 1, found.shape().end());
    const auto values = found.data<float>();
    stack.values.insert(stack.values.end(), values.begin(), values.end());
  }
  return stack;
}

/// One layer of the block: its exact weights, their codes' scales, and its rounding.
struct Part {
  std::string name;
  QuantizedLayer layer;
  Tensor weight;
  float low = -127, high = 127;
  std::vector<float> nearest;

  std::vector<float> restored(const std::vector<float>& codes) const {
    std::vector<float> values(codes);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= layer.scales[i];
    return values;
  }
};

/// The value that takes a's place for the readers of a quantized graph: behind its quantizer.
ValueId same_value(const Graph& exact, const Graph& quantized, ValueId value) {
  for (const NodeId id : exact.node_ids()) {
    const Node& node = exact.node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != value) continue;
      const NodeId same = find_node(quantized, node.name);
      if (same != NodeId::None && i < quantized.node(same).inputs.size()) return quantized.node(same).inputs[i];
    }
  }
  return ValueId::None;
}

/// The block with its weights as inputs, and the squared error of its output against a further input as output.
Graph loss_graph(Graph block, const std::vector<Part>& parts) {
  std::vector<ValueId> inputs{block.inputs()[0]};
  const ValueId output = block.outputs()[0];
  inputs.push_back(block.add_input(block.unique_name("wanted"), block.value(output).type));
  for (const Part& part : parts) {
    const ValueId weight =
        block.add_input(block.unique_name("weight"), ValueType::tensor(DType::F32, symbolic(part.weight.shape())));
    block.node(find_node(block, part.name)).inputs[1] = weight;
    inputs.push_back(weight);
  }
  const ValueId difference = block.add(OpKind::Sub, {output, inputs[1]});
  const ValueId square = block.add(OpKind::Mul, {difference, difference});
  block.set_inputs(inputs);
  block.set_outputs({block.add(OpKind::ReduceSum, {square}, {{"keepdims", std::int64_t{0}}})});
  infer_types(block);
  return block;
}

class BlockLearner {
 public:
  BlockLearner(const Graph& exact, Graph& quantized, const Block& block, const PtqOptions& options,
               const CalibrationData& data)
      : exact_(exact), quantized_(quantized), block_(block), options_(options), data_(data), widths_(exact, options) {}

  std::optional<BlockRounding> round() {
    if (!find_parts()) return std::nullopt;
    const ValueId from = same_value(exact_, quantized_, block_.from);
    if (from == ValueId::None) return std::nullopt;
    given_ = collect(quantized_, from, data_, options_.methods.samples);
    wanted_ = collect(exact_, block_.to, data_, options_.methods.samples);
    if (given_.count() == 0) throw ModelError("calibration: the data holds no sample", {}, "256 are a good start");
    graph_ = block_graph(exact_, block_);
    BlockRounding result;
    std::vector<std::vector<float>> codes;
    for (const Part& part : parts_) {
      result.layers.push_back(part.name);
      codes.push_back(part.nearest);
    }
    result.nearest_error = error_of(codes);
    std::vector<std::vector<float>> learned = learn(result.nearest_error);
    result.error = error_of(learned);
    if (!(result.error < result.nearest_error)) {
      result.error = result.nearest_error;
      learned = codes;
    }
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      store_codes(quantized_, parts_[i].layer, learned[i]);
      result.weights += std::ssize(learned[i]);
      for (std::size_t k = 0; k < learned[i].size(); ++k)
        result.changed += learned[i][k] != parts_[i].nearest[k] ? 1 : 0;
    }
    return result;
  }

 private:
  bool find_parts() {
    const std::vector<QuantizedLayer> layers = quantized_layers(quantized_);
    for (const NodeId id : block_.layers) {
      const std::string& name = exact_.node(id).name;
      const auto found = std::find_if(layers.begin(), layers.end(), [&](const QuantizedLayer& layer) {
        return quantized_.node(layer.node).name == name;
      });
      if (found == layers.end() || !found->zero_points.empty()) return false;
      const Tensor* weight = exact_.constant(exact_.node(id).input(1));
      if (weight == nullptr || weight->shape() != found->shape) return false;
      const IntegerGrid grid = narrowed(weight_grid(), widths_.of(id).weights);
      Part part{name, *found, *weight, static_cast<float>(grid.low), static_cast<float>(grid.high), {}};
      const auto values = weight->data<float>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        part.nearest.push_back(std::clamp(std::nearbyintf(values[i] / part.layer.scales[i]), part.low, part.high));
      }
      parts_.push_back(std::move(part));
    }
    for (const NodeId id : block_graph(exact_, block_).node_ids()) {
      if (!train::plugin().supports(block_graph(exact_, block_).node(id).kind)) return false;
    }
    return true;
  }

  Tensor as_weight(const Part& part, const std::vector<float>& values) const {
    return Tensor::from<float>(part.weight.shape(), values);
  }

  /// Mean squared error of the block's output with these codes.
  double error_of(const std::vector<std::vector<float>>& codes) const {
    Graph graph = graph_;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const ValueId fresh =
          graph.add_constant(graph.unique_name("codes"), as_weight(parts_[i], parts_[i].restored(codes[i])));
      graph.node(find_node(graph, parts_[i].name)).inputs[1] = fresh;
    }
    Session session(graph, float_session_options());
    double sum = 0;
    for (std::int64_t first = 0; first < given_.count(); first += 32) {
      check_cancelled();
      std::vector<std::int64_t> samples;
      for (std::int64_t i = first; i < std::min(first + 32, given_.count()); ++i) samples.push_back(i);
      const Tensor input[] = {given_.pick(samples)};
      const Tensor found = session.run(input)[0], wanted = wanted_.pick(samples);
      const auto a = found.data<float>(), b = wanted.data<float>();
      for (std::size_t i = 0; i < a.size(); ++i)
        sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    }
    return sum / static_cast<double>(wanted_.values.size());
  }

  std::vector<std::vector<float>> learn(double nearest_error) {
    const AdaRoundOptions& settings = options_.methods.adaround;
    std::int64_t weights = 0;
    for (const Part& part : parts_) weights += part.weight.size();
    // A nearest code is off by s²/12 on average: the pull is set against s², the share of one weight in the error.
    const double outputs = static_cast<double>(wanted_.shape.empty() ? 1 : channels());
    const double pull = settings.regularization * 12 * nearest_error * outputs / static_cast<double>(weights);
    std::vector<SoftRounding> roundings;
    std::vector<Tensor> softened;
    for (const Part& part : parts_) {
      roundings.emplace_back(part.weight.data<float>(), part.layer.scales, part.low, part.high, pull, settings,
                             settings.block_iterations);
      softened.push_back(part.weight);
    }
    const Graph loss = loss_graph(graph_, parts_);
    const std::int64_t batch = std::min<std::int64_t>(settings.block_samples, given_.count());
    const double positions = static_cast<double>(batch * wanted_.size()) / outputs;
    const Tensor seed_gradient[] = {Tensor::scalar(static_cast<float>(1 / positions))};
    Random random(options_.seed + static_cast<std::uint64_t>(block_.to));
    for (int iteration = 0; iteration < settings.block_iterations; ++iteration) {
      check_cancelled();
      std::vector<std::int64_t> samples;
      for (std::int64_t i = 0; i < batch; ++i) {
        samples.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(given_.count()))));
      }
      std::vector<Tensor> inputs{given_.pick(samples), wanted_.pick(samples)};
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        roundings[i].soften(softened[i].mutable_data<float>());
        inputs.push_back(softened[i]);
      }
      const std::vector<Tensor> gradients = train::plugin().input_gradients(loss, inputs, seed_gradient);
      for (std::size_t i = 0; i < parts_.size(); ++i) roundings[i].update(iteration, gradients[i + 2].data<float>());
    }
    std::vector<std::vector<float>> codes;
    for (const SoftRounding& rounding : roundings) codes.push_back(rounding.codes());
    return codes;
  }

  /// Numbers at one position of the output: channels of a picture, else the last axis.
  std::int64_t channels() const { return wanted_.shape.size() == 3 ? wanted_.shape[0] : wanted_.shape.back(); }

  const Graph& exact_;
  Graph& quantized_;
  const Block& block_;
  const PtqOptions& options_;
  const CalibrationData& data_;
  LayerWidths widths_;
  Graph graph_;
  std::vector<Part> parts_;
  Stack given_, wanted_;
};

}  // namespace

std::optional<BlockRounding> round_block(const Graph& exact, Graph& quantized, const Block& block,
                                         const PtqOptions& options, const CalibrationData& data) {
  return BlockLearner(exact, quantized, block, options, data).round();
}

}  // namespace adze::quantize

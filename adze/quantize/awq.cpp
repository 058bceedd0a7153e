#include "adze/quantize/awq.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "adze/base/text.h"
#include "adze/engine/isa.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/layer_rows.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/smooth.h"
#include "adze/quantize/weight_blocks.h"

namespace adze::quantize {

namespace {

constexpr int ratio_steps = 20, clip_steps = 10, clip_grid = 20;
constexpr std::int64_t search_rows = 512;

class Searcher {
 public:
  Searcher(Graph& graph, const PtqOptions& options, const CalibrationData& data)
      : graph_(graph), options_(options), data_(data), widths_(graph, options) {}

  bool takes(NodeId layer) const { return widths_.of(layer).weights < 8 || options_.mode == Mode::WeightOnly; }

  /// Learned rounding has the unclipped layer as its aim, and finds its own way to large weights.
  bool clips() const { return options_.methods.rounding == Rounding::Nearest; }

  AwqInput scale(const SharedInput& input, const ChannelMagnitudes& magnitudes) {
    AwqInput result;
    for (const NodeId layer : input.layers) result.layers.push_back(graph_.node(layer).name);
    const LayerRows rows = rows_of(input.layers[0]);
    std::vector<double> best;
    for (int step = 0; step < ratio_steps; ++step) {
      check_cancelled();
      const double ratio = static_cast<double>(step) / ratio_steps;
      const std::vector<double> factors = factors_for(magnitudes.mean, ratio);
      double error = 0;
      for (const NodeId layer : input.layers) error += scaled_error(layer, rows, factors);
      if (step == 0) result.plain_error = error;
      if (best.empty() || error < result.error) {
        best = factors;
        result.error = error;
        result.ratio = ratio;
      }
    }
    if (result.ratio > 0) move_factors(graph_, input, best);
    result.clipped_error = 0;
    const LayerRows scaled = result.ratio > 0 ? rows_of(input.layers[0]) : rows;
    if (!clips()) result.clipped_error = result.error;
    for (const NodeId layer : input.layers) result.clipped_error += clips() ? clip(layer, scaled) : 0;
    return result;
  }

  /// Cuts a layer's weights off where it lowers the error of its outputs; the error it then has.
  double clip(NodeId layer, const LayerRows& rows) {
    const Tensor exact = *graph_.constant(graph_.node(layer).input(1));
    Tensor best = exact;
    const std::vector<float> plain = codes_of(layer, exact);
    std::vector<double> least = block_errors(layer, rows, exact, plain);
    for (int step = 1; step <= clip_steps; ++step) {
      check_cancelled();
      const Tensor cut = clipped(layer, exact, 1 - static_cast<double>(step) / clip_grid);
      const std::vector<double> errors = block_errors(layer, rows, exact, codes_of(layer, cut));
      keep_better(layer, errors, cut, least, best);
    }
    double total = 0;
    for (const double error : block_errors(layer, rows, exact, codes_of(layer, best))) total += error;
    const std::string name = graph_.unique_name(graph_.value(graph_.node(layer).input(1)).name);
    const ValueId fresh = graph_.add_constant(name, std::move(best));
    graph_.node(layer).inputs[1] = fresh;
    return total;
  }

  LayerRows rows_of(NodeId layer) const {
    const Node& node = graph_.node(layer);
    const Shape& shape = graph_.constant(node.input(1))->shape();
    return gather_rows(graph_, layer, *weight_layout(node, shape), shape, data_,
                       {options_.methods.samples, search_rows, options_.seed});
  }

 private:
  static std::vector<double> factors_for(const std::vector<double>& means, double ratio) {
    std::vector<double> factors;
    double least = 1e30, most = 0;
    for (const double mean : means) {
      factors.push_back(std::max(std::pow(mean, ratio), 1e-4));
      least = std::min(least, factors.back());
      most = std::max(most, factors.back());
    }
    for (double& factor : factors) factor /= std::sqrt(least * most);
    return factors;
  }

  /// The block of inputs that share a scale.
  std::int64_t block_of(NodeId layer) const {
    const Tensor& weight = *graph_.constant(graph_.node(layer).input(1));
    const std::int64_t length = weight.dim(input_axis(graph_.node(layer), weight.shape()));
    const bool in_blocks = options_.mode == Mode::WeightOnly && options_.block > 0;
    return in_blocks ? std::min(options_.block, length) : length;
  }

  /// Quantized and restored.
  std::vector<float> codes_of(NodeId layer, const Tensor& weight) const {
    return restored(quantize_blocks(weight, input_axis(graph_.node(layer), weight.shape()), block_of(layer),
                                    widths_.of(layer).weights));
  }

  double scaled_error(NodeId layer, const LayerRows& rows, const std::vector<double>& factors) const {
    const Tensor exact = *graph_.constant(graph_.node(layer).input(1));
    const Tensor scaled = with_scaled_inputs(graph_, layer, factors);
    std::vector<float> codes = codes_of(layer, scaled);
    const WeightLayout layout = *weight_layout(graph_.node(layer), exact.shape());
    for (std::int64_t input = 0; input < layout.inputs(); ++input) {
      const double factor = factors[static_cast<std::size_t>(input)];
      for (std::int64_t output = 0; output < layout.outputs; ++output) {
        float& code = codes[layout.index(0, output, input)];
        code = static_cast<float>(code / factor);
      }
    }
    double total = 0;
    for (const double error : errors_of(layer, rows, exact, codes, layout.inputs())) total += error;
    return total;
  }

  std::vector<double> block_errors(NodeId layer, const LayerRows& rows, const Tensor& exact,
                                   const std::vector<float>& codes) const {
    return errors_of(layer, rows, exact, codes, block_of(layer));
  }

  /// Mean squared error that each block of inputs adds to each output alone: [blocks, outputs].
  std::vector<double> errors_of(NodeId layer, const LayerRows& rows, const Tensor& exact,
                                const std::vector<float>& codes, std::int64_t block) const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const WeightLayout layout = *weight_layout(graph_.node(layer), exact.shape());
    const auto weights = exact.data<float>();
    std::vector<double> errors;
    for (std::int64_t first = 0; first < layout.inputs(); first += block) {
      const std::int64_t count = std::min(block, layout.inputs() - first);
      std::vector<float> part, difference, found(static_cast<std::size_t>(rows.count * layout.outputs));
      for (std::int64_t row = 0; row < rows.count; ++row) {
        part.insert(part.end(), rows.row(0, row) + first, rows.row(0, row) + first + count);
      }
      for (std::int64_t input = first; input < first + count; ++input) {
        for (std::int64_t output = 0; output < layout.outputs; ++output) {
          const std::size_t at = layout.index(0, output, input);
          difference.push_back(codes[at] - weights[at]);
        }
      }
      const kernels::GemmF32Shape shape{1, rows.count, count, layout.outputs, -infinity, infinity};
      kernels::make_gemm_f32(shape, machine_isa())->run(part.data(), difference.data(), found.data());
      std::vector<double> sums(static_cast<std::size_t>(layout.outputs), 0.0);
      for (std::size_t i = 0; i < found.size(); ++i) {
        sums[i % sums.size()] += static_cast<double>(found[i]) * found[i] / static_cast<double>(rows.count);
      }
      errors.insert(errors.end(), sums.begin(), sums.end());
    }
    return errors;
  }

  /// Calls visit(block and output, element) for all weights.
  template <typename Visit>
  void visit_blocks(NodeId layer, const Shape& shape, Visit visit) const {
    const WeightLayout layout = *weight_layout(graph_.node(layer), shape);
    const std::int64_t block = block_of(layer);
    for (std::int64_t input = 0; input < layout.inputs(); ++input) {
      for (std::int64_t output = 0; output < layout.outputs; ++output) {
        visit(static_cast<std::size_t>(input / block * layout.outputs + output), layout.index(0, output, input));
      }
    }
  }

  Tensor clipped(NodeId layer, const Tensor& exact, double share) const {
    const auto weights = exact.data<float>();
    std::vector<float> largest(weights.size(), 0.0F);  // there are no more blocks than weights
    visit_blocks(layer, exact.shape(), [&](std::size_t block, std::size_t at) {
      largest[block] = std::max(largest[block], std::abs(weights[at]));
    });
    Tensor result = exact;
    const auto values = result.mutable_data<float>();
    visit_blocks(layer, exact.shape(), [&](std::size_t block, std::size_t at) {
      const auto bound = static_cast<float>(largest[block] * share);
      values[at] = std::clamp(values[at], -bound, bound);
    });
    return result;
  }

  void keep_better(NodeId layer, const std::vector<double>& errors, const Tensor& cut, std::vector<double>& least,
                   Tensor& best) const {
    const auto from = cut.data<float>();
    const auto to = best.mutable_data<float>();
    visit_blocks(layer, cut.shape(), [&](std::size_t block, std::size_t at) {
      if (errors[block] < least[block]) to[at] = from[at];
    });
    for (std::size_t i = 0; i < least.size(); ++i) least[i] = std::min(least[i], errors[i]);
  }

  Graph& graph_;
  const PtqOptions& options_;
  const CalibrationData& data_;
  LayerWidths widths_;
};

}  // namespace

AwqReport activation_aware_scaling(Graph& graph, const PtqOptions& options, const CalibrationData& data,
                                   ProgressSink& progress) {
  AwqReport report;
  Searcher searcher(graph, options, data);
  std::vector<SharedInput> inputs = shared_inputs(graph);
  std::erase_if(inputs, [&](const SharedInput& input) {
    return std::none_of(input.layers.begin(), input.layers.end(), [&](NodeId layer) { return searcher.takes(layer); });
  });
  std::unordered_set<std::int32_t> scaled;
  ProgressPhase phase(progress, "awq", 0, "layers");
  if (!inputs.empty()) {
    const auto magnitudes = measure_magnitudes(graph, inputs, data, options.methods.samples, silent_progress());
    for (const SharedInput& input : inputs) {
      if (!magnitudes.contains(input.value)) continue;
      report.inputs.push_back(searcher.scale(input, magnitudes.at(input.value)));
      for (const NodeId layer : input.layers) scaled.insert(static_cast<std::int32_t>(layer));
      phase.advance(std::ssize(input.layers), cat("ratio ", report.inputs.back().ratio));
    }
  }
  if (!searcher.clips()) return report;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const bool is_product = node.kind == OpKind::MatMul || node.kind == OpKind::Gemm;
    const bool fits = is_product && weight_input(graph, node) == std::optional<std::size_t>(1) && searcher.takes(id);
    if (!fits || scaled.contains(static_cast<std::int32_t>(id))) continue;
    const Tensor& weight = *graph.constant(node.input(1));
    if (weight.dtype() != DType::F32 || weight.rank() != 2 || !has_rows(node, weight.shape())) continue;
    report.left.push_back(node.name);
    searcher.clip(id, searcher.rows_of(id));
    phase.advance(1, report.left.back());
  }
  return report;
}

}  // namespace adze::quantize

#include "adze/quantize/static.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/ranges.h"
#include "adze/quantize/weights.h"

namespace adze::quantize {

namespace {

constexpr int report_bins = 128;

/// 16 bits are s16 around zero, whatever the options say of 8 bits.
IntegerGrid grid_of_activations(const PtqOptions& options) {
  if (options.bits.activations > 8) return activation_grid(DType::S16, true);
  return activation_grid(options.activation_dtype, options.activations == Symmetry::Symmetric);
}

/// TFLite's scale of 1/32768 for Softmax, Sigmoid and Tanh of 16 bits.
Range known_range_on(const IntegerGrid& grid, const std::pair<double, double>& range) {
  if (grid.dtype == DType::S16) return {range.first < 0 ? -32767.0 / 32768 : 0.0, 32767.0 / 32768};
  return {range.first, range.second};
}

class StaticInserter {
 public:
  StaticInserter(Graph graph, const Placement& placement, const Observations& observations, const PtqOptions& options)
      : outcome_{std::move(graph), {}},
        placement_(placement),
        observations_(observations),
        options_(options),
        whole_grid_(grid_of_activations(options)),
        uses_(outcome_.graph),
        widths_(outcome_.graph, options),
        inserter_(outcome_.graph) {}

  QuantizeOutcome insert() {
    choose_scales();
    for (const WeightUse& use : placement_.weights) insert_weight(use);
    for (const auto& [value, group] : placement_.constants) insert_constant(value, group);
    for (const Quantizer& quantizer : placement_.quantizers) insert_quantizer(quantizer);
    return std::move(outcome_);
  }

 private:
  Graph& graph() { return outcome_.graph; }

  Histogram histogram_of(ValueId value) {
    Histogram histogram;
    if (const Tensor* constant = graph().constant(value)) {
      histogram.add(constant->data<float>());
      if (histogram.non_finite() > 0) refuse_constant(value);
    } else if (const auto found = observations_.histograms.find(value); found != observations_.histograms.end()) {
      histogram = found->second;
    }
    return histogram;
  }

  [[noreturn]] void refuse_constant(ValueId value) {
    const auto readers = uses_.of(value);
    throw ModelError(cat("constant ", quoted(graph().value(value).name), " holds NaN or infinity"),
                     readers.empty() ? ErrorPlace{} : place_of(graph(), graph().node(readers[0])),
                     "keep the node float with --skip");
  }

  void choose_scales() {
    group_of_.assign(static_cast<std::size_t>(graph().num_values()), placement_.groups.size());
    for (const Quantizer& quantizer : placement_.quantizers) {
      group_of_[static_cast<std::size_t>(quantizer.value)] = quantizer.group;
    }
    for (const ScaleGroup& group : placement_.groups) {
      Histogram all;
      for (const ValueId source : group.sources) all.merge(histogram_of(source));
      const IntegerGrid grid = grid_of(group);
      const bool constants_only = group.members.empty();
      // 16 bits have codes to spare: nothing is cut off.
      const bool extremes = group.has_graph_input || constants_only || whole_grid_.dtype == DType::S16;
      const bool averaged = options_.calibrator == Calibrator::MovingAverage;
      const Calibrator calibrator =
          extremes && !(averaged && !group.has_graph_input && !constants_only) ? Calibrator::Max : options_.calibrator;
      const Range range = group.known_range ? known_range_on(grid, *group.known_range)
                          : calibrator == Calibrator::MovingAverage
                              ? moving_range(group)
                              : choose_range(all, calibrator, grid, options_.percentile);
      affines_.push_back(scale_for_range(range.low, range.high, grid));
      if (options_.power_of_two) affines_.back().scale = std::exp2(std::ceil(std::log2(affines_.back().scale)));
      grids_.push_back(grid);
      histograms_.push_back(std::move(all));
    }
  }

  /// The widest of the sources' averages; constants count as they are.
  Range moving_range(const ScaleGroup& group) {
    Range range;
    for (const ValueId source : group.sources) {
      const auto found = observations_.moving.find(source);
      const Histogram own = found == observations_.moving.end() ? histogram_of(source) : Histogram();
      range.low = std::min(range.low, found != observations_.moving.end() ? found->second.low : own.min());
      range.high = std::max(range.high, found != observations_.moving.end() ? found->second.high : own.max());
    }
    return range;
  }

  /// As many bits as the layers behind the group want.
  IntegerGrid grid_of(const ScaleGroup& group) const {
    const int whole = dtype_bits(whole_grid_.dtype);
    int bits = group.members.empty() ? whole : 0;
    for (const ValueId member : group.members) bits = std::max(bits, widths_.of_value(outcome_.graph, uses_, member));
    return bits < whole ? narrowed(whole_grid_, bits) : whole_grid_;
  }

  const AffineScale& affine_of(ValueId value) const { return affines_.at(group_of_[static_cast<std::size_t>(value)]); }

  void insert_weight(const WeightUse& use) {
    const Node& node = graph().node(use.node);
    const ValueId weight = node.inputs[use.input];
    const ValueId input = node.inputs[1 - use.input];
    const std::string name = graph().value(weight).name;
    const WeightScaling scaling{use.axis, options_.channel_group, widths_.of(use.node).weights, options_.power_of_two};
    if (!use.bias) {
      const QuantizedWeight codes = quantize_weight(graph(), node, weight, scaling);
      set_weight(use, weight, name, codes);
      return;
    }
    const float input_scale = affine_of(input).scale;
    const ValueId bias = node.inputs[*use.bias];
    const Tensor& offsets = *graph().constant(bias);
    const QuantizedWeight codes = quantize_weight_for_bias(graph(), node, weight, scaling, offsets, input_scale);
    const QuantizedWeight bias_codes = quantize_bias(graph(), node, offsets, codes.scales, input_scale);
    const std::string bias_name = graph().value(bias).name;
    set_weight(use, weight, name, codes);
    const ValueId restored = inserter_.dequantized_constant(bias_name, bias_codes.codes, bias_codes.scales);
    graph().node(use.node).inputs[*use.bias] = restored;
  }

  void set_weight(const WeightUse& use, ValueId weight, const std::string& name, const QuantizedWeight& codes) {
    outcome_.report.weights.push_back(report_weight(graph(), graph().node(use.node), weight, codes));
    const auto same = std::find_if(stored_.begin(), stored_.end(), [&](const Stored& stored) {
      return stored.weight == weight && stored.scales.axis == codes.scales.axis &&
             stored.scales.scales == codes.scales.scales;
    });
    const ValueId restored =
        same != stored_.end() ? same->restored : inserter_.dequantized_constant(name, codes.codes, codes.scales);
    if (same == stored_.end()) stored_.push_back({weight, codes.scales, restored});
    graph().node(use.node).inputs[use.input] = restored;
  }

  void insert_constant(ValueId value, std::size_t group) {
    const TensorScales scales{{affines_[group]}, std::nullopt};
    const std::string name = graph().value(value).name;
    Tensor codes = quantized(*graph().constant(value), scales, grids_[group]);
    redirect(value, inserter_.dequantized_constant(name, std::move(codes), scales), false);
  }

  void insert_quantizer(const Quantizer& quantizer) {
    const AffineScale& affine = affines_[quantizer.group];
    const auto pair = inserter_.quantize_dequantize(quantizer.value, affine, whole_grid_.dtype);
    const IntegerGrid& grid = grids_[quantizer.group];
    if (grid.low != whole_grid_.low || grid.high != whole_grid_.high) {
      set_code_window(graph().node(graph().value(pair.quantized).producer), grid.low, grid.high);
    }
    report(quantizer, affine);
    redirect(quantizer.value, pair.dequantized, quantizer.for_all_readers);
    if (!quantizer.for_all_readers || !uses_.is_output(quantizer.value)) return;
    std::vector<ValueId> outputs = graph().outputs();
    std::replace(outputs.begin(), outputs.end(), quantizer.value, pair.dequantized);
    graph().set_outputs(std::move(outputs));
    const std::string name = graph().value(quantizer.value).name;
    inserter_.rename(quantizer.value, inserter_.unique_name(cat(name, "_float")));
    inserter_.rename(pair.dequantized, name);
  }

  /// Integer readers (or all of them) read the other value.
  void redirect(ValueId value, ValueId instead, bool all_readers) {
    for (const NodeId reader : uses_.of(value)) {
      Node& node = graph().node(reader);
      if (all_readers) {
        std::replace(node.inputs.begin(), node.inputs.end(), value, instead);
        for (auto& [key, attribute] : node.attributes) {
          if (auto* subgraph = std::get_if<Subgraph>(&attribute)) {
            std::replace(subgraph->captured.begin(), subgraph->captured.end(), value, instead);
          }
        }
      } else if (placement_.is_integer(reader)) {
        for (const std::size_t input : data_inputs(node)) {
          if (node.inputs[input] == value) node.inputs[input] = instead;
        }
      }
    }
  }

  void report(const Quantizer& quantizer, const AffineScale& affine) {
    const auto own = observations_.histograms.find(quantizer.value);
    const Histogram& histogram = own != observations_.histograms.end() ? own->second : histograms_[quantizer.group];
    ActivationReport entry;
    entry.value = graph().value(quantizer.value).name;
    entry.min = histogram.min();
    entry.max = histogram.max();
    entry.low = lowest_real(affine, grids_[quantizer.group]);
    entry.high = highest_real(affine, grids_[quantizer.group]);
    entry.affine = affine;
    // Rounding pulls half a step beyond the last code back onto it: that is no saturation.
    entry.saturated = histogram.fraction_outside(entry.low - affine.scale / 2, entry.high + affine.scale / 2);
    if (histogram.count() > 0) entry.histogram = histogram.uniform(entry.min, entry.max, report_bins);
    outcome_.report.activations.push_back(std::move(entry));
  }

  struct Stored {
    ValueId weight;
    TensorScales scales;
    ValueId restored;
  };

  QuantizeOutcome outcome_;
  const Placement& placement_;
  const Observations& observations_;
  const PtqOptions& options_;
  IntegerGrid whole_grid_;
  Uses uses_;
  LayerWidths widths_;
  Inserter inserter_;
  std::vector<std::size_t> group_of_;
  std::vector<AffineScale> affines_;
  std::vector<IntegerGrid> grids_;  ///< by group
  std::vector<Histogram> histograms_;
  std::vector<Stored> stored_;
};

}  // namespace

QuantizeOutcome insert_quantizers(Graph graph, const Placement& placement, const Observations& observations,
                                  const PtqOptions& options) {
  return StaticInserter(std::move(graph), placement, observations, options).insert();
}

}  // namespace adze::quantize

#include "adze/quantize/layer_rows.h"

#include <algorithm>

#include "adze/base/random.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze::quantize {

namespace {

constexpr std::int64_t most_floats = std::int64_t{1} << 26;

/// One spatial dimension of a convolution.
struct Axis {
  std::int64_t size = 1, kernel = 1, stride = 1, dilation = 1, pad = 0, out = 1;
};

Axis axis_of(const Node& conv, std::size_t index, std::size_t rank, std::int64_t size, std::int64_t kernel) {
  Axis axis{size, kernel, 1, 1, 0, 1};
  const auto strides = conv.get_ints("strides"), dilations = conv.get_ints("dilations"), pads = conv.get_ints("pads");
  if (index < strides.size()) axis.stride = strides[index];
  if (index < dilations.size()) axis.dilation = dilations[index];
  const std::int64_t reach = (kernel - 1) * axis.dilation + 1;
  const std::string mode = conv.get_string("auto_pad");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    axis.out = (size + axis.stride - 1) / axis.stride;
    const std::int64_t total = std::max<std::int64_t>(0, (axis.out - 1) * axis.stride + reach - size);
    axis.pad = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    return axis;
  }
  std::int64_t end = 0;
  if (mode != "VALID" && pads.size() == 2 * rank) {
    axis.pad = pads[index];
    end = pads[index + rank];
  }
  axis.out = (size + axis.pad + end - reach) / axis.stride + 1;
  return axis;
}

/// Takes rows out of tensors, into one list for each group.
class Gatherer {
 public:
  Gatherer(const Node& layer, const WeightLayout& layout, const Shape& weight, std::int64_t rows_a_sample,
           std::uint64_t seed)
      : layer_(layer), layout_(layout), weight_(weight), rows_a_sample_(rows_a_sample), random_(seed) {
    rows_.resize(static_cast<std::size_t>(layout.groups));
  }

  void take(const Tensor& input) {
    if (layer_.kind == OpKind::Conv) {
      take_pictures(input);
    } else {
      take_vectors(input);
    }
  }

  LayerRows finish() {
    LayerRows result{layout_.groups, count_, layout_.inputs(), {}};
    for (std::vector<float>& group : rows_) {
      result.values.insert(result.values.end(), group.begin(), group.end());
      group = {};
    }
    return result;
  }

 private:
  /// As many different positions out of all as are wanted of a sample.
  std::vector<std::int64_t> positions(std::int64_t all) {
    Random random = random_.split(static_cast<std::uint64_t>(sample_++));
    std::vector<std::int64_t> chosen;
    if (all <= rows_a_sample_) {
      for (std::int64_t i = 0; i < all; ++i) chosen.push_back(i);
      return chosen;
    }
    for (std::int64_t i = 0; i < rows_a_sample_; ++i) {  // one from each of as many equal parts
      const std::int64_t from = all * i / rows_a_sample_, to = all * (i + 1) / rows_a_sample_;
      chosen.push_back(from + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(to - from))));
    }
    return chosen;
  }

  void take_vectors(const Tensor& input) {
    const std::int64_t depth = input.dim(input.rank() - 1);
    const std::int64_t samples = input.rank() > 1 ? input.dim(0) : 1, each = input.size() / depth / samples;
    const auto values = input.data<float>();
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      for (const std::int64_t position : positions(each)) {
        const float* row = values.data() + (sample * each + position) * depth;
        rows_[0].insert(rows_[0].end(), row, row + depth);
        ++count_;
      }
    }
  }

  void take_pictures(const Tensor& input) {
    const std::size_t rank = weight_.size() - 2;
    Axis y, x;
    x = axis_of(layer_, rank - 1, rank, input.dim(input.rank() - 1), weight_.back());
    if (rank == 2) y = axis_of(layer_, 0, rank, input.dim(2), weight_[2]);
    for (std::int64_t sample = 0; sample < input.dim(0); ++sample) {
      for (const std::int64_t position : positions(y.out * x.out)) {
        take_window(input, sample, y, x, position / x.out, position % x.out);
        ++count_;
      }
    }
  }

  void take_window(const Tensor& input, std::int64_t sample, const Axis& y, const Axis& x, std::int64_t row,
                   std::int64_t column) {
    const float* picture = input.data<float>().data() + sample * input.dim(1) * y.size * x.size;
    for (std::int64_t channel = 0; channel < layout_.all_channels(); ++channel) {
      std::vector<float>& to = rows_[static_cast<std::size_t>(channel / layout_.channels)];
      const float* plane = picture + channel * y.size * x.size;
      for (std::int64_t ky = 0; ky < y.kernel; ++ky) {
        const std::int64_t at_y = row * y.stride + ky * y.dilation - y.pad;
        for (std::int64_t kx = 0; kx < x.kernel; ++kx) {
          const std::int64_t at_x = column * x.stride + kx * x.dilation - x.pad;
          const bool inside = at_y >= 0 && at_y < y.size && at_x >= 0 && at_x < x.size;
          to.push_back(inside ? plane[at_y * x.size + at_x] : 0.0F);
        }
      }
    }
  }

  const Node& layer_;
  const WeightLayout& layout_;
  const Shape& weight_;
  std::int64_t rows_a_sample_;
  Random random_;
  std::int64_t sample_ = 0, count_ = 0;
  std::vector<std::vector<float>> rows_;
};

}  // namespace

bool has_rows(const Node& layer, const Shape& weight) {
  if (layer.kind == OpKind::Gemm) return layer.get_int("transA") == 0;
  if (layer.kind == OpKind::MatMul) return weight.size() == 2;
  return layer.kind == OpKind::Conv && (weight.size() == 3 || weight.size() == 4);
}

Graph part_up_to(const Graph& graph, ValueId value) {
  Graph part = graph;
  part.set_outputs({value});
  part.compact();
  infer_types(part);
  return part;
}

FloatValue::FloatValue(const Graph& graph, ValueId value) {
  const auto& inputs = graph.inputs();
  const auto as_input = std::find(inputs.begin(), inputs.end(), value);
  input_ = static_cast<std::size_t>(as_input - inputs.begin());
  if (as_input == inputs.end()) session_ = std::make_unique<Session>(part_up_to(graph, value), float_session_options());
}

Tensor FloatValue::of(const std::vector<Tensor>& given) {
  return session_ ? session_->run(given)[0] : given[input_];
}

LayerRows gather_rows(const Graph& graph, NodeId layer, const WeightLayout& layout, const Shape& weight,
                      const CalibrationData& data, const RowOptions& options) {
  const Node& node = graph.node(layer);
  const ValueId value = node.input(0);
  FloatValue computed(graph, value);
  std::unique_ptr<Gatherer> gatherer;
  std::int64_t seen = 0;
  for (std::int64_t batch = 0; batch < data.num_batches; ++batch) {
    check_cancelled();
    if (options.samples > 0 && seen >= options.samples) break;
    std::vector<Tensor> given = data.batch(batch);
    if (given.empty()) continue;
    const std::int64_t size = given[0].rank() > 0 ? given[0].dim(0) : 1;
    if (!gatherer) {
      const std::int64_t all = data.num_batches * size;
      const std::int64_t samples = options.samples > 0 ? std::min(options.samples, all) : all;
      const std::int64_t rows =
          std::min(options.rows, most_floats / std::max<std::int64_t>(1, layout.inputs() * layout.groups));
      gatherer =
          std::make_unique<Gatherer>(node, layout, weight, std::max<std::int64_t>(1, rows / samples), options.seed);
    }
    seen += size;
    const Tensor input = computed.of(given);
    gatherer->take(input);
  }
  if (!gatherer) throw ModelError("calibration: the data holds no sample", {}, "256 are a good start");
  return gatherer->finish();
}

}  // namespace adze::quantize

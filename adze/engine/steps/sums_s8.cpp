// ConvInteger and MatMulInteger with constant weights: sums of products as 32-bit integers, or as scaled floats.
#include "adze/engine/steps/sums_s8.h"

#include <algorithm>

#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/sums_f32/sums_f32.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/output_stage.h"
#include "adze/engine/steps/product_s8.h"
#include "adze/engine/steps/window_segments.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

/// Below this a second thread costs more than it saves.
constexpr std::int64_t least_parallel_macs = 1 << 20;

/// Pixels of a block, so that its sums stay in the cache until they are floats.
std::int64_t block_pixels(std::int64_t outputs) {
  return std::clamp<std::int64_t>((1 << 16) / outputs / 12 * 12, 24, 168);
}

std::uint32_t wrapped(std::int64_t value) {
  return static_cast<std::uint32_t>(value);
}

/// The constant weights less their shifts as [O][taps][C / group].
std::vector<std::int8_t> ordered_weights(const Tensor& weights, const CentredWeights& centred, const WindowGeometry& g,
                                         bool turned) {
  const std::int64_t outputs = g.out_channels, inputs = g.in_channels / g.groups, taps = g.taps();
  std::vector<std::int8_t> ordered;
  ordered.reserve(static_cast<std::size_t>(weights.size()));
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t t = 0; t < taps; ++t) {
      for (std::int64_t c = 0; c < inputs; ++c) {
        const std::int64_t at = turned ? c * outputs + o : (o * inputs + c) * taps + t;
        ordered.push_back(static_cast<std::int8_t>(weights.get_int(at) - centred.shift[static_cast<std::size_t>(o)]));
      }
    }
  }
  return ordered;
}

class SumsS8Step final : public Step {
 public:
  SumsS8Step(const BindContext& context, const WindowGeometry& g, bool turned, const CentredWeights& centred)
      : kernel_(kernels::gemm_s8_kernel(context.isa())),
        to_floats_(kernels::sums_f32_kernel(context.isa())),
        g_(as_one_row(g)),
        outputs_(g_.out_channels / g_.groups),
        depth_(g.taps() * (g.in_channels / g.groups)),
        rest_(centred.rest),
        flip_(context.dtype(0) == DType::S8 ? 0x80 : 0),
        blocks_(g_, block_pixels(g_.out_channels), flip_ != 0 || context.constant(0) != nullptr),
        segments_(g_, blocks_),
        bias_(static_cast<std::size_t>(g_.out_channels) + 32),
        x_(context.in_u8(0)),
        y_(context.out<std::byte>()) {
    zero_point_.is_signed = flip_ != 0;
    if (context.has(2)) zero_point_.zero_point_at = context.in_bytes(2);
    const std::int64_t macs = g_.batch * g_.out_pixels() * g_.out_channels * depth_;
    threads_ = macs < least_parallel_macs ? 1 : context.threads();
    pack(context, g, turned, centred);
    for (std::int64_t i = 0; i < blocks_.count(); ++i) cut_.push_back(blocks_.at(i));
    scaled_ = context.node().get_int(sums_scaled, 0) != 0;
    if (scaled_) take_scales(context);
  }

  void run() override {
    const std::int64_t zero_point = zero_point_.zero_point_as(false);
    for (std::int64_t o = 0; o < g_.out_channels; ++o) {
      const std::int64_t term = zero_point * (depth_ * rest_ - weight_sums_[static_cast<std::size_t>(o)]);
      bias_.data()[o] = static_cast<std::int32_t>(wrapped(term));
    }
    if (scaled_ && scale_count_ == 1) std::fill_n(scales_.data(), g_.out_channels, *scale_);
    const auto pad = static_cast<std::uint8_t>(zero_point);
    run_parallel(threads_, g_.batch * blocks_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i, pad);
    });
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  void pack(const BindContext& context, const WindowGeometry& g, bool turned, const CentredWeights& centred) {
    const std::int64_t count = segments_.count, bytes = segments_.bytes;
    group_bytes_ = kernels::packed_gemm_s8_bytes(outputs_, count, bytes);
    std::vector<std::int8_t> weights;
    const auto ordered = [&]() -> const std::vector<std::int8_t>& {
      if (weights.empty()) weights = ordered_weights(*context.constant(1), centred, g, turned);
      return weights;
    };
    packed_ = context.weights().packed_as<std::int8_t>(
        context.origin(), "sums_s8", g_.groups * group_bytes_, [&](std::span<std::int8_t> to) {
          for (std::int64_t group = 0; group < g_.groups; ++group) {
            kernels::pack_gemm_s8(ordered().data() + group * outputs_ * depth_, outputs_, count, bytes,
                                  to.data() + group * group_bytes_);
          }
        });
    weight_sums_ = context.weights().packed_as<std::int32_t>(context.origin(), "sums_s8 columns", g_.out_channels,
                                                             [&](std::span<std::int32_t> to) {
                                                               const std::int8_t* w = ordered().data();
                                                               for (std::int32_t& sum : to) {
                                                                 std::int64_t all = 0;
                                                                 for (std::int64_t i = 0; i < depth_; ++i) all += *w++;
                                                                 sum = static_cast<std::int32_t>(wrapped(all));
                                                               }
                                                             });
    if (rest_ == 0) return;
    ones_.assign(static_cast<std::size_t>(kernels::packed_gemm_s8_bytes(1, count, bytes)), 0);
    kernels::pack_gemm_s8(std::vector<std::int8_t>(static_cast<std::size_t>(depth_), 1).data(), 1, count, bytes,
                          ones_.data());
  }

  void take_scales(const BindContext& context) {
    scale_ = context.in<float>(sums_scale_input);
    scale_count_ = num_elements(context.shape(sums_scale_input));
    scales_ = LineArray<float>(static_cast<std::size_t>(g_.out_channels));
    if (!context.has(sums_bias_input)) return;
    const auto bias = context.constant(sums_bias_input)->data<float>();
    for (std::int64_t o = 0; o < g_.out_channels; ++o) {
      offsets_.push_back(bias[bias.size() == 1 ? 0 : static_cast<std::size_t>(o)]);
    }
  }

  void run_block(std::int64_t index, std::uint8_t pad) const {
    const std::int64_t picture = index / blocks_.count();
    const PictureBlocks::Block& block = cut_[static_cast<std::size_t>(index % blocks_.count())];
    const std::uint8_t* base = blocks_.source(block, x_ + picture * g_.in_pixels() * g_.in_channels, pad, flip_);
    auto* sums =
        reinterpret_cast<std::int32_t*>(y_) + (picture * g_.out_pixels() + block.first_pixel) * g_.out_channels;
    const std::uint8_t* rows[PictureBlocks::most_pixels];
    std::int32_t terms[PictureBlocks::most_pixels];
    const std::int64_t step_in_fours = block.rows == 1 || block.columns % 4 == 0 ? blocks_.right_step() : 0;
    kernels::OutputStage stage{};
    kernels::GemmS8Call call{
        rows, block.pixels, segments_.quad_offsets.data(), segments_.quads(), nullptr, 0, &stage, nullptr,
        0,    step_in_fours};
    for (std::int64_t group = 0; group < g_.groups; ++group) {
      blocks_.point_at_pixels(block, base + group * (g_.in_channels / g_.groups), rows);
      if (rest_ != 0) add_up_rows(call, terms);
      stage.bias = bias_.data() + group * outputs_;
      call.weights = packed_.data() + group * group_bytes_;
      call.columns = outputs_;
      call.y_stride = g_.out_channels;
      call.sums = sums + group * outputs_;
      kernel_.run(call);
    }
    if (!scaled_) return;
    to_floats_.run({sums, block.pixels, g_.out_channels, scale_count_ == 1 ? scales_.data() : scale_,
                    offsets_.empty() ? nullptr : offsets_.data()});
  }

  /// What the weights' remaining zero point takes from each row: its bytes added up by weights of one.
  void add_up_rows(kernels::GemmS8Call& call, std::int32_t* terms) const {
    alignas(64) const std::int32_t no_bias[32] = {};
    kernels::OutputStage stage{};
    stage.bias = no_bias;
    kernels::GemmS8Call ones = call;
    ones.weights = ones_.data();
    ones.columns = ones.y_stride = 1;
    ones.stage = &stage;
    ones.row_terms = nullptr;
    ones.sums = terms;
    kernel_.run(ones);
    for (std::int64_t r = 0; r < call.row_count; ++r) {
      terms[r] = static_cast<std::int32_t>(wrapped(std::int64_t{terms[r]} * -rest_));
    }
    call.row_terms = terms;
  }

  kernels::GemmS8Kernel kernel_;
  kernels::SumsF32Kernel to_floats_;
  WindowGeometry g_;
  std::int64_t outputs_, depth_, rest_;  ///< outputs and depth of a group
  std::uint8_t flip_;
  PictureBlocks blocks_;
  WindowSegments segments_;
  LineArray<std::int32_t> bias_;
  const std::uint8_t* x_;
  std::byte* y_;
  ByteMatrices zero_point_;
  int threads_ = 1;
  std::int64_t group_bytes_ = 0, scale_count_ = 0;
  bool scaled_ = false;
  const float* scale_ = nullptr;
  LineArray<float> scales_{0};
  std::vector<float> offsets_;
  std::span<const std::int8_t> packed_;
  std::span<const std::int32_t> weight_sums_;
  std::vector<std::int8_t> ones_;
  std::vector<PictureBlocks::Block> cut_;
};

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

std::optional<Shape> known_shape(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return std::nullopt;
  const ValueType& type = graph.value(id).type;
  const auto shape = type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  return shape && num_elements(*shape) > 0 ? shape : std::nullopt;
}

}  // namespace

std::optional<CentredWeights> centre_weights(const Tensor& weights, const Tensor* zero_point, bool turned) {
  const std::int64_t outputs = weights.dim(turned ? 1 : 0), depth = weights.size() / outputs;
  if (zero_point != nullptr && zero_point->size() != 1 && zero_point->size() != outputs) return std::nullopt;
  CentredWeights centred;
  bool fits = true, same = true;
  for (std::int64_t o = 0; o < outputs; ++o) {
    std::int64_t z = 0;
    if (zero_point != nullptr) z = zero_point->get_int(zero_point->size() == 1 ? 0 : o);
    centred.shift.push_back(static_cast<std::int32_t>(z));
    same = same && z == centred.shift.front();
    for (std::int64_t k = 0; fits && k < depth; ++k) {
      const std::int64_t w = weights.get_int(turned ? k * outputs + o : o * depth + k) - z;
      fits = w >= -128 && w <= 127;
    }
  }
  if (fits) return centred;
  if (!same) return std::nullopt;
  const std::int32_t middle = weights.dtype() == DType::U8 ? 128 : 0;
  centred.rest = centred.shift.front() - middle;
  std::fill(centred.shift.begin(), centred.shift.end(), middle);
  return centred;
}

bool has_integer_sums_step(const Graph& graph, const Node& node) {
  const bool conv = node.kind == OpKind::ConvInteger;
  if (!conv && node.kind != OpKind::MatMulInteger) return false;
  const auto x = known_shape(graph, node.input(0));
  const Tensor* weights = graph.constant(node.input(1));
  if (!x || !known_shape(graph, node.output()) || weights == nullptr || weights->size() == 0) return false;
  if (!is_byte(graph.value(node.input(0)).type.dtype) || !is_byte(weights->dtype())) return false;
  if (conv ? x->size() != 3 && x->size() != 4 : weights->rank() != 2) return false;
  if (node.input(2) != ValueId::None) {
    const auto shape = known_shape(graph, node.input(2));
    if (!shape || num_elements(*shape) != 1) return false;
  }
  const Tensor* zero_point = graph.constant(node.input(3));
  if (node.input(3) != ValueId::None && zero_point == nullptr) return false;
  return centre_weights(*weights, zero_point, !conv).has_value();
}

std::unique_ptr<Step> bind_integer_sums(const BindContext& context) {
  const Node& node = context.node();
  const bool conv = node.kind == OpKind::ConvInteger;
  if (!has_integer_sums_step(context.graph(), node) || (conv && !context.channels_last())) return nullptr;
  const Tensor& weights = *context.constant(1);
  const auto centred = centre_weights(weights, context.has(3) ? context.constant(3) : nullptr, !conv);
  WindowGeometry g;
  if (conv) {
    g = geometry_of(context, weights.shape());
  } else {
    g.in_channels = weights.dim(0);
    g.out_channels = weights.dim(1);
    g.in_width = g.out_width = num_elements(context.shape(0)) / g.in_channels;
  }
  return std::make_unique<SumsS8Step>(context, g, !conv, *centred);
}

}  // namespace adze::engine

// ConvInteger and MatMulInteger with constant weights: sums of products as 32-bit integers, or as scaled floats. QConv
// and QGemm whose weights have a zero point that 8 bits cannot do without: the same sums, requantized.
#include "adze/engine/steps/sums_s8.h"

#include <algorithm>

#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/sums_f32/sums_f32.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/output_stage.h"
#include "adze/engine/steps/post_ops_s8.h"
#include "adze/engine/steps/product_s8.h"
#include "adze/engine/steps/scratch.h"
#include "adze/engine/steps/window_segments.h"
#include "adze/plan/integer_parameters.h"

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
std::vector<std::int8_t> ordered_weights(const Tensor& weights, const CentredWeights& centred,
                                         const WindowGeometry& g) {
  const std::int64_t outputs = g.out_channels, inputs = g.in_channels / g.groups, taps = g.taps();
  std::vector<std::int8_t> ordered;
  ordered.reserve(static_cast<std::size_t>(weights.size()));
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t t = 0; t < taps; ++t) {
      for (std::int64_t c = 0; c < inputs; ++c) {
        const std::int64_t at = centred.turned ? c * outputs + o : (o * inputs + c) * taps + t;
        ordered.push_back(static_cast<std::int8_t>(weights.get_int(at) - centred.shift[static_cast<std::size_t>(o)]));
      }
    }
  }
  return ordered;
}

class SumsS8Step final : public Step {
 public:
  SumsS8Step(const BindContext& context, const WindowGeometry& g, const CentredWeights& centred)
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
    if (gives_bytes(context.node().kind)) {
      requantize(context);
    } else if (context.has(2)) {
      zero_point_.zero_point_at = context.in_bytes(2);
    }
    const std::int64_t macs = g_.batch * g_.out_pixels() * g_.out_channels * depth_;
    threads_ = macs < least_parallel_macs ? 1 : context.threads();
    pack(context, g, centred);
    for (std::int64_t i = 0; i < blocks_.count(); ++i) cut_.push_back(blocks_.at(i));
    if (kernel_.copies_rows) tiles_ = kernels::gemm_s8_scratch(most_pixels(), outputs_, segments_.quads());
    scaled_ = context.node().get_int(sums_scaled, 0) != 0;
    if (scaled_) take_scales(context);
  }

  void run() override {
    const std::int64_t zero_point = zero_point_.zero_point_as(false);
    for (std::int64_t o = 0; o < g_.out_channels; ++o) {
      const std::int64_t term = zero_point * (depth_ * rest_ - weight_sums_[static_cast<std::size_t>(o)]);
      const std::int64_t own = own_bias_ == nullptr ? 0 : own_bias_[o];
      bias_.data()[o] = static_cast<std::int32_t>(wrapped(own + term));
    }
    if (scaled_ && scale_count_ == 1) std::fill_n(scales_.data(), g_.out_channels, *scale_);
    const auto pad = static_cast<std::uint8_t>(zero_point);
    run_parallel(threads_, g_.batch * blocks_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) run_block(i, pad);
    });
  }

  std::string kernel() const override { return kernel_.name; }

 private:
  std::int64_t most_pixels() const {
    std::int64_t most = 0;
    for (const PictureBlocks::Block& block : cut_) most = std::max(most, block.pixels);
    return most;
  }

  void requantize(const BindContext& context) {
    zero_point_.zero_point = input_affine(context.node()).zero_point;
    if (context.has(2)) own_bias_ = context.in<std::int32_t>(2);
    const auto channels = static_cast<std::size_t>(g_.out_channels);
    stage_.emplace(requantize_parameters(context.node(), g_.out_channels), std::vector<std::int32_t>(channels, 0),
                   output_affine(context.node()));
    post_ops_.emplace(context);
  }

  void pack(const BindContext& context, const WindowGeometry& g, const CentredWeights& centred) {
    const std::int64_t count = segments_.count, bytes = segments_.bytes;
    group_bytes_ = kernels::packed_gemm_s8_bytes(outputs_, count, bytes);
    std::vector<std::int8_t> weights;
    const auto ordered = [&]() -> const std::vector<std::int8_t>& {
      if (weights.empty()) weights = ordered_weights(*context.constant(1), centred, g);
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
    const std::int64_t first_pixel = picture * g_.out_pixels() + block.first_pixel;
    const std::int64_t first = first_pixel * g_.out_channels;
    auto* bytes = reinterpret_cast<std::uint8_t*>(y_) + first;
    auto* sums = reinterpret_cast<std::int32_t*>(y_) + first;
    const std::uint8_t* rows[PictureBlocks::most_pixels];
    std::int32_t terms[PictureBlocks::most_pixels];
    const std::int64_t step_in_fours = block.rows == 1 || block.columns % 4 == 0 ? blocks_.right_step() : 0;
    std::uint8_t* tiles = tiles_.bytes == 0 ? nullptr : thread_elements<std::uint8_t>(tiles_.bytes, Scratch::Kernel);
    kernels::OutputStage stage{};
    kernels::GemmS8Call call{rows,
                             block.pixels,
                             segments_.quad_offsets.data(),
                             segments_.quads(),
                             nullptr,
                             outputs_,
                             &stage,
                             nullptr,
                             g_.out_channels,
                             step_in_fours,
                             tiles_.tiles_together,
                             tiles};
    for (std::int64_t group = 0; group < g_.groups; ++group) {
      blocks_.point_at_pixels(block, base + group * (g_.in_channels / g_.groups), rows);
      if (rest_ != 0) add_up_rows(call, terms);
      if (stage_) stage = stage_->stage(group * outputs_);
      stage.bias = bias_.data() + group * outputs_;
      call.weights = packed_.data() + group * group_bytes_;
      call.y = stage_ ? bytes + group * outputs_ : nullptr;
      call.sums = stage_ ? nullptr : sums + group * outputs_;
      kernel_.run(call);
    }
    if (scaled_) {
      to_floats_.run({sums, block.pixels, g_.out_channels, scale_count_ == 1 ? scales_.data() : scale_,
                      offsets_.empty() ? nullptr : offsets_.data()});
    }
    if (stage_ && !post_ops_->empty()) post_ops_->apply(bytes, first_pixel, block.pixels);
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
  const std::int32_t* own_bias_ = nullptr;
  std::optional<StageArrays> stage_;  ///< of results in bytes
  std::optional<PostOpsS8> post_ops_;
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
  kernels::GemmS8Scratch tiles_ = {0, 0};
};

}  // namespace

std::unique_ptr<Step> bind_integer_sums(const BindContext& context) {
  const Node& node = context.node();
  const bool conv = node.kind == OpKind::ConvInteger || node.kind == OpKind::QConv;
  const auto centred = centred_weights(context.graph(), node);
  if (!centred || (conv && !context.channels_last())) return nullptr;
  const Tensor& weights = *context.constant(1);
  WindowGeometry g;
  if (conv) {
    g = geometry_of(context, weights.shape());
  } else {
    g.in_channels = weights.dim(centred->turned ? 0 : 1);
    g.out_channels = weights.dim(centred->turned ? 1 : 0);
    g.in_width = g.out_width = num_elements(context.shape(0)) / g.in_channels;
  }
  return std::make_unique<SumsS8Step>(context, g, *centred);
}

}  // namespace adze::engine

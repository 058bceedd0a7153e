#include "adze/engine/steps/convolution_s8.h"

#include <algorithm>
#include <cstring>

#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/depthwise_s8/depthwise_s8.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/output_stage.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

/// Weights of one convolution as kernels read them. Activations are made u8: s8 ones get 128 more, zero point included.
struct PackedConv {
  enum class Path { Depthwise, Rows, Gathered };
  Path path;
  std::vector<std::vector<std::int8_t>> groups;  ///< by group, for conv_s8
  std::vector<std::int16_t> depthwise;
  StageArrays stage;
  std::uint8_t zero_point;  ///< of the u8 activations: what padding holds
  bool flip;                ///< s8 activations
};

/// The weights [O, C / group, taps] as [O][taps][C / group].
std::vector<std::int8_t> taps_first(const std::int8_t* weights, std::int64_t outputs, std::int64_t inputs,
                                    std::int64_t taps) {
  std::vector<std::int8_t> turned(static_cast<std::size_t>(outputs * inputs * taps));
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t c = 0; c < inputs; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        turned[static_cast<std::size_t>((o * taps + t) * inputs + c)] = weights[(o * inputs + c) * taps + t];
      }
    }
  }
  return turned;
}

/// bias[o] - zero_point * sum of the channel's weights, in wrapping 32-bit arithmetic.
std::vector<std::int32_t> folded_bias(const BindContext& context, const std::vector<std::int8_t>& weights,
                                      std::int64_t outputs, std::int32_t zero_point) {
  const std::int64_t depth = static_cast<std::int64_t>(weights.size()) / outputs;
  std::vector<std::int32_t> result;
  for (std::int64_t o = 0; o < outputs; ++o) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < depth; ++i) sum += weights[static_cast<std::size_t>(o * depth + i)];
    const std::int64_t bias = context.has(2) ? context.in<std::int32_t>(2)[o] : 0;
    result.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(bias - zero_point * sum)));
  }
  return result;
}

/// weights: [O][taps][C / group].
PackedConv pack(const BindContext& context, const WindowGeometry& g, const std::vector<std::int8_t>& weights) {
  const std::int64_t inputs = g.in_channels / g.groups, outputs = g.out_channels / g.groups;
  const bool flip = context.dtype(0) == DType::S8;
  const std::int32_t zero_point = input_affine(context.node()).zero_point + (flip ? 128 : 0);
  PackedConv packed{
      PackedConv::Path::Gathered,
      {},
      {},
      StageArrays(requantize_parameters(context.node(), g.out_channels),
                  folded_bias(context, weights, g.out_channels, zero_point), output_affine(context.node())),
      static_cast<std::uint8_t>(zero_point),
      flip};
  if (inputs == 1 && outputs == 1) {
    packed.path = PackedConv::Path::Depthwise;
    packed.depthwise = kernels::pack_depthwise_s8(weights, g.out_channels, g.taps());
    context.weights().count_bytes(static_cast<std::int64_t>(packed.depthwise.size() * 2));
    return packed;
  }
  const bool whole_rows = g.groups == 1 && g.dilation_width == 1;  // a kernel row is one stretch of memory
  const std::int64_t segments = whole_rows ? g.kernel_height : g.taps();
  const std::int64_t bytes = whole_rows ? g.kernel_width * inputs : inputs;
  if (bytes % 4 == 0) packed.path = PackedConv::Path::Rows;
  const bool rows = packed.path == PackedConv::Path::Rows;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    const auto first = weights.begin() + group * outputs * g.taps() * inputs;
    const std::vector<std::int8_t> part(first, first + outputs * g.taps() * inputs);
    packed.groups.push_back(rows ? kernels::pack_gemm_s8(part, outputs, segments, bytes)
                                 : kernels::pack_gemm_s8(part, outputs, 1, g.taps() * inputs));
    context.weights().count_bytes(static_cast<std::int64_t>(packed.groups.back().size()));
  }
  return packed;
}

/// Runs the convolution of one picture after the other: the picture made u8 and padded, then rows of pixels by a
/// kernel.
class ConvS8Step final : public Step {
 public:
  ConvS8Step(const BindContext& context, const WindowGeometry& g, std::shared_ptr<const PackedConv> packed)
      : g_(g),
        packed_(std::move(packed)),
        gemm_(kernels::gemm_s8_kernel(context.isa())),
        depthwise_(kernels::depthwise_s8_kernel(context.isa())),
        threads_(context.threads()),
        x_(context.in_u8(0)),
        y_(context.out<std::uint8_t>()) {
    width_ = g.in_width + g.pad_left + std::max<std::int64_t>(0, g.pad_right);
    height_ = g.in_height + g.pad_top + std::max<std::int64_t>(0, g.pad_bottom);
    constexpr std::int64_t margin = 64;
    padded_.assign(static_cast<std::size_t>(width_ * height_ * g.in_channels + margin), packed_->zero_point);
    const bool whole_rows = g.groups == 1 && g.dilation_width == 1;
    for (std::int64_t ky = 0; ky < g.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < (whole_rows && packed_->path != PackedConv::Path::Depthwise ? 1 : g.kernel_width);
           ++kx) {
        offsets_.push_back((ky * g.dilation_height * width_ + kx * g.dilation_width) * g.in_channels);
      }
    }
    segment_bytes_ = whole_rows ? g.kernel_width * g.in_channels : g.in_channels / g.groups;
    if (offsets_.size() % 2 != 0 && packed_->path == PackedConv::Path::Depthwise) offsets_.push_back(offsets_.back());
    for (std::int64_t group = 0; group < g.groups && packed_->path != PackedConv::Path::Depthwise; ++group) {
      stages_.push_back(packed_->stage.stage(group * (g.out_channels / g.groups)));
    }
    if (packed_->path == PackedConv::Path::Depthwise) stages_.push_back(packed_->stage.stage());
  }

  void run() override {
    for (std::int64_t n = 0; n < g_.batch; ++n) {
      fill_padded(x_ + n * g_.in_pixels() * g_.in_channels);
      std::uint8_t* y = y_ + n * g_.out_pixels() * g_.out_channels;
      if (packed_->path == PackedConv::Path::Depthwise) {
        constexpr std::int64_t row_grain = 4;
        run_parallel(threads_, g_.out_height, row_grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) depthwise_row(row, y + row * g_.out_width * g_.out_channels);
        });
      } else {
        const std::int64_t blocks = (g_.out_pixels() + pixel_block - 1) / pixel_block;
        run_parallel(threads_, blocks, 2, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t block = begin; block < end; ++block) run_block(block * pixel_block, y);
        });
      }
    }
  }

  std::string kernel() const override {
    return packed_->path == PackedConv::Path::Depthwise ? depthwise_.name : gemm_.name;
  }

 private:
  static constexpr std::int64_t pixel_block = 48;

  void fill_padded(const std::uint8_t* x) {
    const std::int64_t row_bytes = g_.in_width * g_.in_channels;
    for (std::int64_t row = 0; row < g_.in_height; ++row, x += row_bytes) {
      std::uint8_t* to = padded_.data() + ((row + g_.pad_top) * width_ + g_.pad_left) * g_.in_channels;
      if (packed_->flip) {
        for (std::int64_t i = 0; i < row_bytes; ++i) to[i] = x[i] ^ 0x80;
      } else {
        std::memcpy(to, x, static_cast<std::size_t>(row_bytes));
      }
    }
  }

  const std::uint8_t* window(std::int64_t pixel) const {
    const std::int64_t row = pixel / g_.out_width * g_.stride_height, column = pixel % g_.out_width * g_.stride_width;
    return padded_.data() + (row * width_ + column) * g_.in_channels;
  }

  void depthwise_row(std::int64_t row, std::uint8_t* y) const {
    const kernels::DepthwiseS8Call call{window(row * g_.out_width),
                                        g_.stride_width * g_.in_channels,
                                        g_.out_width,
                                        offsets_.data(),
                                        static_cast<std::int64_t>(offsets_.size() / 2),
                                        packed_->depthwise.data(),
                                        g_.out_channels,
                                        stages_.data(),
                                        y};
    depthwise_.run(call);
  }

  void run_block(std::int64_t first, std::uint8_t* y) const {
    const std::int64_t count = std::min(pixel_block, g_.out_pixels() - first);
    const std::int64_t inputs = g_.in_channels / g_.groups, outputs = g_.out_channels / g_.groups;
    const bool gathered = packed_->path == PackedConv::Path::Gathered;
    const std::uint8_t* rows[pixel_block];
    static thread_local std::vector<std::uint8_t> buffer;
    const std::int64_t depth = (g_.taps() * inputs + 3) / 4 * 4;
    if (gathered) buffer.assign(static_cast<std::size_t>(depth * pixel_block), 0);
    static constexpr std::int64_t no_offset = 0;
    for (std::int64_t group = 0; group < g_.groups; ++group) {
      for (std::int64_t i = 0; i < count; ++i) {
        rows[i] = window(first + i) + group * inputs;
        if (gathered) rows[i] = gather(rows[i], buffer.data() + i * depth);
      }
      const kernels::GemmS8Call call{rows,
                                     count,
                                     gathered ? &no_offset : offsets_.data(),
                                     gathered ? 1 : static_cast<std::int64_t>(offsets_.size()),
                                     (gathered ? depth : segment_bytes_) / 4,
                                     packed_->groups[static_cast<std::size_t>(group)].data(),
                                     outputs,
                                     &stages_[static_cast<std::size_t>(group)],
                                     y + first * g_.out_channels + group * outputs,
                                     g_.out_channels};
      gemm_.run(call);
    }
  }

  /// The bytes of all taps, one after the other.
  const std::uint8_t* gather(const std::uint8_t* from, std::uint8_t* to) const {
    std::uint8_t* next = to;
    for (const std::int64_t offset : offsets_) {
      std::memcpy(next, from + offset, static_cast<std::size_t>(segment_bytes_));
      next += segment_bytes_;
    }
    return to;
  }

  WindowGeometry g_;
  std::shared_ptr<const PackedConv> packed_;
  kernels::GemmS8Kernel gemm_;
  kernels::DepthwiseS8Kernel depthwise_;
  int threads_;
  const std::uint8_t* x_;
  std::uint8_t* y_;
  std::int64_t width_ = 0, height_ = 0, segment_bytes_ = 0;
  std::vector<std::uint8_t> padded_;
  std::vector<std::int64_t> offsets_;
  std::vector<kernels::OutputStage> stages_;
};

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

}  // namespace

std::unique_ptr<Step> bind_quantized_conv(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  const Tensor& weights = *context.constant(1);
  const WindowGeometry g = geometry_of(context, weights.shape());
  auto packed = context.weights().get<PackedConv>(context.origin(), "conv_s8", [&] {
    const auto turned =
        taps_first(weights.data<std::int8_t>().data(), g.out_channels, g.in_channels / g.groups, g.taps());
    return pack(context, g, turned);
  });
  return std::make_unique<ConvS8Step>(context, g, std::move(packed));
}

std::unique_ptr<Step> bind_quantized_gemm(const BindContext& context) {
  const Tensor* weights = context.constant(1);
  const Node& node = context.node();
  if (weights == nullptr || weights->dtype() != DType::S8 || weights->rank() != 2) return nullptr;
  if (node.get_int("w_zero_point", 0) != 0 || !is_byte(context.dtype(0)) || !is_byte(context.output_dtype()))
    return nullptr;
  if (context.has(2) && (context.constant(2) == nullptr || context.dtype(2) != DType::S32)) return nullptr;
  const bool turned = node.get_int("transB", 0) != 0;
  WindowGeometry g;
  g.in_channels = weights->dim(turned ? 1 : 0);
  g.out_channels = weights->dim(turned ? 0 : 1);
  if (context.shape(0).empty() || context.shape(0).back() != g.in_channels) return nullptr;
  if (context.has(2) && context.constant(2)->size() != g.out_channels) return nullptr;
  g.in_width = g.out_width = num_elements(context.shape(0)) / g.in_channels;
  auto packed = context.weights().get<PackedConv>(context.origin(), "gemm_s8", [&] {
    const auto given = weights->data<std::int8_t>();
    std::vector<std::int8_t> rows(given.begin(), given.end());
    if (!turned) rows = taps_first(given.data(), 1, g.in_channels, g.out_channels);  // [K, N] to [N, K]
    return pack(context, g, rows);
  });
  return std::make_unique<ConvS8Step>(context, g, std::move(packed));
}

}  // namespace adze::engine

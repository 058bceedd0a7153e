#include <vector>

#include "adze/engine/kernels/conv_f32/conv_f32.h"
#include "adze/engine/kernels/onednn.h"
#include "adze/engine/kernels/onednn_detail.h"

namespace adze::kernels {

namespace {

using dnnl::memory;

dnnl::convolution_forward::primitive_desc describe(const WindowGeometry& g, const ConvF32Weights& given) {
  constexpr auto f32 = memory::data_type::f32;
  const memory::desc x({1, g.in_channels, g.in_height, g.in_width}, f32, memory::format_tag::nhwc);
  const memory::desc y({1, g.out_channels, g.out_height, g.out_width}, f32, memory::format_tag::nhwc);
  memory::dims dims = {g.out_channels, g.in_channels / g.groups, g.kernel_height, g.kernel_width};
  if (g.groups > 1) {
    dims[0] /= g.groups;
    dims.insert(dims.begin(), g.groups);
  }
  const memory::desc w(dims, f32, memory::format_tag::any);
  const memory::desc b =
      given.bias != nullptr ? memory::desc({g.out_channels}, f32, memory::format_tag::a) : memory::desc();
  const memory::dims strides = {g.stride_height, g.stride_width};
  const memory::dims dilations = {g.dilation_height - 1, g.dilation_width - 1};
  const memory::dims begin = {g.pad_top, g.pad_left}, end = {g.pad_bottom, g.pad_right};
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x,
                                             w, b, y, strides, dilations, begin, end);
  return {desc, clamp_attributes(given.low, given.high), cpu_engine()};
}

class OnednnConvF32 final : public ConvF32 {
 public:
  OnednnConvF32(const WindowGeometry& g, const ConvF32Weights& given)
      : desc_(describe(g, given)), primitive_(desc_), weights_(desc_.weights_desc(), cpu_engine()) {
    memory::dims dims = desc_.weights_desc().dims();
    const auto tag = g.groups > 1 ? memory::format_tag::goihw : memory::format_tag::oihw;
    const memory::desc plain(dims, memory::data_type::f32, tag);
    memory source(plain, cpu_engine(), const_cast<float*>(given.weights));
    dnnl::reorder(source, weights_).execute(thread_stream(), source, weights_);
    if (given.bias != nullptr) {
      bias_values_.assign(given.bias, given.bias + g.out_channels);
      bias_ = memory(desc_.bias_desc(), cpu_engine(), bias_values_.data());
    }
    thread_stream().wait();
  }

  void run(const float* x, float* y) const override {
    const OneThread one_thread;
    const memory source(desc_.src_desc(), cpu_engine(), const_cast<float*>(x));
    const memory target(desc_.dst_desc(), cpu_engine(), y);
    const memory scratch(desc_.scratchpad_desc(), cpu_engine(), thread_scratch(desc_.scratchpad_desc().get_size()));
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DST, target}, {DNNL_ARG_SCRATCHPAD, scratch}};
    if (!bias_values_.empty()) arguments.emplace(DNNL_ARG_BIAS, bias_);
    primitive_.execute(thread_stream(), arguments);
  }
  std::string name() const override { return std::string("oneDNN ") + desc_.impl_info_str(); }
  std::int64_t packed_bytes() const override {
    return static_cast<std::int64_t>(desc_.weights_desc().get_size() + bias_values_.size() * sizeof(float));
  }

 private:
  dnnl::convolution_forward::primitive_desc desc_;
  dnnl::convolution_forward primitive_;
  memory weights_, bias_;
  std::vector<float> bias_values_;
};

}  // namespace

std::unique_ptr<ConvF32> conv_f32_onednn(const WindowGeometry& geometry, const ConvF32Weights& weights, Isa isa) {
  cap_onednn(isa);
  const OneThread one_thread;
  try {
    return std::make_unique<OnednnConvF32>(geometry, weights);
  } catch (const dnnl::error&) {
    return nullptr;  // a shape that oneDNN does not take: the next kernel will
  }
}

}  // namespace adze::kernels

#include <vector>

#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/engine/kernels/onednn.h"
#include "adze/engine/kernels/onednn_detail.h"

namespace adze::kernels {

namespace {

using dnnl::memory;

dnnl::matmul::primitive_desc describe(const GemmF32Shape& s) {
  constexpr auto f32 = memory::data_type::f32;
  const bool packed = s.weights != nullptr;
  const memory::desc a({s.batch, s.rows, s.depth}, f32, memory::format_tag::abc);
  const memory::desc w({packed ? 1 : s.batch, s.depth, s.columns}, f32, memory::format_tag::abc);
  const memory::desc y({s.batch, s.rows, s.columns}, f32, memory::format_tag::abc);
  if (packed) {  // two dimensions, so that oneDNN may choose the weights' layout
    const memory::desc flat_a({s.batch * s.rows, s.depth}, f32, memory::format_tag::ab);
    const memory::desc any({s.depth, s.columns}, f32, memory::format_tag::any);
    const memory::desc flat_y({s.batch * s.rows, s.columns}, f32, memory::format_tag::ab);
    const memory::desc bias({1, s.columns}, f32, memory::format_tag::ab);
    const auto desc =
        s.bias != nullptr ? dnnl::matmul::desc(flat_a, any, bias, flat_y) : dnnl::matmul::desc(flat_a, any, flat_y);
    return {desc, clamp_attributes(s.low, s.high), cpu_engine()};
  }
  return {dnnl::matmul::desc(a, w, y), clamp_attributes(s.low, s.high), cpu_engine()};
}

class OnednnGemmF32 final : public GemmF32 {
 public:
  explicit OnednnGemmF32(const GemmF32Shape& shape) : desc_(describe(shape)), primitive_(desc_) {
    if (shape.weights == nullptr) return;
    weights_ = memory(desc_.weights_desc(), cpu_engine());
    memory source({{shape.depth, shape.columns}, memory::data_type::f32, memory::format_tag::ab}, cpu_engine(),
                  const_cast<float*>(shape.weights));
    dnnl::reorder(source, weights_).execute(thread_stream(), source, weights_);
    thread_stream().wait();
    if (shape.bias == nullptr) return;
    bias_values_.assign(shape.bias, shape.bias + shape.columns);
    bias_ = memory(desc_.bias_desc(), cpu_engine(), bias_values_.data());
  }

  void run(const float* a, const float* w, float* y) const override {
    const OneThread one_thread;
    const memory source(desc_.src_desc(), cpu_engine(), const_cast<float*>(a));
    const memory target(desc_.dst_desc(), cpu_engine(), y);
    const memory weights = w != nullptr ? memory(desc_.weights_desc(), cpu_engine(), const_cast<float*>(w)) : weights_;
    const memory scratch(desc_.scratchpad_desc(), cpu_engine(), thread_scratch(desc_.scratchpad_desc().get_size()));
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, target}, {DNNL_ARG_SCRATCHPAD, scratch}};
    if (!bias_values_.empty()) arguments.emplace(DNNL_ARG_BIAS, bias_);
    primitive_.execute(thread_stream(), arguments);
  }
  std::string name() const override { return std::string("oneDNN ") + desc_.impl_info_str(); }
  std::int64_t packed_bytes() const override {
    const std::size_t weights = weights_.get(true) != nullptr ? desc_.weights_desc().get_size() : 0;
    return static_cast<std::int64_t>(weights + bias_values_.size() * sizeof(float));
  }

 private:
  dnnl::matmul::primitive_desc desc_;
  dnnl::matmul primitive_;
  memory weights_, bias_;
  std::vector<float> bias_values_;
};

}  // namespace

std::unique_ptr<GemmF32> gemm_f32_onednn(const GemmF32Shape& shape, Isa isa) {
  if (shape.weights == nullptr && shape.bias != nullptr) return nullptr;
  cap_onednn(isa);
  const OneThread one_thread;
  try {
    return std::make_unique<OnednnGemmF32>(shape);
  } catch (const dnnl::error&) {
    return nullptr;  // a shape that oneDNN does not take: the next kernel will
  }
}

}  // namespace adze::kernels

#include "adze/engine/kernels/onednn.h"

#include <dlfcn.h>

#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

#include "adze/engine/kernels/onednn_detail.h"

namespace adze::kernels {

namespace {

/// libgomp comes with oneDNN; its functions are looked up so that adze itself needs no OpenMP.
template <typename Function>
Function find_function(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& thread_stream() {
  static thread_local dnnl::stream stream(cpu_engine());
  return stream;
}

void* thread_scratch(std::size_t bytes) {
  static thread_local std::vector<std::max_align_t> scratch;
  const std::size_t wanted = bytes / sizeof(std::max_align_t) + 5;
  if (scratch.size() < wanted) scratch.resize(wanted);
  void* begin = scratch.data();
  std::size_t space = scratch.size() * sizeof(std::max_align_t);
  return std::align(64, bytes, begin, space);
}

dnnl::primitive_attr clamp_attributes(float low, float high) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  if (low == 0.0f && std::isinf(high)) {
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  } else if (!std::isinf(low) || !std::isinf(high)) {
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip, low, high);
  }
  attr.set_post_ops(ops);
  return attr;
}

OneThread::OneThread() {
  static const auto get = find_function<int (*)()>("omp_get_max_threads");
  static const auto set = find_function<void (*)(int)>("omp_set_num_threads");
  if (get == nullptr || set == nullptr) return;
  before_ = get();
  if (before_ != 1) set(1);
}

OneThread::~OneThread() {
  static const auto set = find_function<void (*)(int)>("omp_set_num_threads");
  if (before_ > 1 && set != nullptr) set(before_);
}

void cap_onednn(Isa isa) {
  [[maybe_unused]] static const bool capped = [isa] {
    dnnl::set_max_cpu_isa(isa >= Isa::Avx512Vnni ? dnnl::cpu_isa::avx512_core_vnni : dnnl::cpu_isa::avx2);
    return true;
  }();
}

}  // namespace adze::kernels

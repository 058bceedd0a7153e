#pragma once

// What the oneDNN kernels share. Included by their .cpp files only.
#include <oneapi/dnnl/dnnl.hpp>

namespace adze::kernels {

const dnnl::engine& cpu_engine();
/// A stream of the calling thread.
dnnl::stream& thread_stream();
/// Working memory of whatever runs on this thread, 64-byte aligned; valid until the next call.
void* thread_scratch(std::size_t bytes);
/// Scratch memory given by us, and a clamp after the sum.
dnnl::primitive_attr clamp_attributes(float low, float high);

}  // namespace adze::kernels

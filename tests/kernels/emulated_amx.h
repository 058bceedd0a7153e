#pragma once

#include "adze/engine/kernels/conv_s8/conv_s8_call.h"
#include "adze/engine/kernels/dense_bf16/dense_bf16_call.h"

namespace adze::kernel_test {

/// The bodies of the kernels for AMX with tiles in plain C++; they need AVX-512 as the real ones do.
void gemm_s8_emulated_amx(const kernels::GemmS8Call& call);
void dense_bf16_emulated_amx(const kernels::DenseBf16Call& call);

}  // namespace adze::kernel_test

#include "adze/engine/kernels/f32_avx512.h"
#include "adze/engine/kernels/winograd_f32/transforms.h"

namespace adze::kernels {

void winograd_f32_input_2_avx512vnni(const WinogradInputCall& call) {
  winograd_input<F32, 2>(call);
}
void winograd_f32_output_2_avx512vnni(const WinogradOutputCall& call) {
  winograd_output<F32, 2>(call);
}
void winograd_f32_input_4_avx512vnni(const WinogradInputCall& call) {
  winograd_input<F32, 4>(call);
}
void winograd_f32_output_4_avx512vnni(const WinogradOutputCall& call) {
  winograd_output<F32, 4>(call);
}

}  // namespace adze::kernels

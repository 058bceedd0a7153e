#include "adze/engine/kernels/f32_plain.h"
#include "adze/engine/kernels/winograd_f32/transforms.h"

namespace adze::kernels {

void winograd_f32_input_2_ref(const WinogradInputCall& call) {
  winograd_input<F32Plain, 2>(call);
}
void winograd_f32_output_2_ref(const WinogradOutputCall& call) {
  winograd_output<F32Plain, 2>(call);
}
void winograd_f32_input_4_ref(const WinogradInputCall& call) {
  winograd_input<F32Plain, 4>(call);
}
void winograd_f32_output_4_ref(const WinogradOutputCall& call) {
  winograd_output<F32Plain, 4>(call);
}

}  // namespace adze::kernels

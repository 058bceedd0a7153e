#include "adze/engine/steps/pooling_f32.h"

#include "adze/engine/kernels/pool_f32/pool_f32.h"

namespace adze::engine {

std::unique_ptr<Step> make_pool_f32_step(const BindContext& context, const kernels::WindowGeometry& g,
                                         PoolF32Kind kind) {
  constexpr std::int64_t row_grain = 4;
  const float* x = context.in<float>(0);
  float* y = context.out<float>();
  const int threads = context.threads();
  const kernels::PoolF32Kernel& kernel = kernels::pool_f32_kernel(context.isa());
  const auto run_row = [=, run = kernel.run](std::int64_t index) {
    const std::int64_t top = index % g.out_height * g.stride_height - g.pad_top;
    std::int64_t first = 0, end = g.kernel_height;
    while (first < end && top + first * g.dilation_height < 0) ++first;
    while (end > first && top + (end - 1) * g.dilation_height >= g.in_height) --end;
    const std::int64_t x_row = g.in_width * g.in_channels;
    const std::int64_t first_row = first < end ? top + first * g.dilation_height : 0;
    run({x + index / g.out_height * g.in_pixels() * g.in_channels + first_row * x_row, g.dilation_height * x_row,
         end - first, g.in_width, g.in_channels, g.kernel_width, g.stride_width, g.dilation_width, g.pad_left,
         kind != PoolF32Kind::Max, kind == PoolF32Kind::MeanWithPads ? g.taps() : 0,
         y + index * g.out_width * g.in_channels, g.out_width});
  };
  return make_step(kernel.name, [=] {
    run_parallel(threads, g.batch * g.out_height, row_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) run_row(row);
    });
  });
}

}  // namespace adze::engine

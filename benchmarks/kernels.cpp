// Every line of the kernel tables (engine/kernels/<family>/<family>.def) that this machine can run, on shapes from the
// networks of the benchmark. Counters: MAC/s or elements/s. Options are Google Benchmark's.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/kernels/binary_s8/binary_s8.h"
#include "adze/engine/kernels/binary_s8/lines_s8.h"
#include "adze/engine/kernels/conv_f32/conv_f32.h"
#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/dense_f32/dense_f32.h"
#include "adze/engine/kernels/depthwise_f32/depthwise_f32.h"
#include "adze/engine/kernels/depthwise_s8/depthwise_s8.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/engine/kernels/winograd_f32/winograd_f32.h"
#include "adze/numerics/tensor.h"
#include "benchmarks/register.h"

namespace adze {
namespace {

template <typename T>
std::vector<T> random_bytes(std::int64_t count) {
  Random random(1);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = static_cast<T>(random.below(256));
  return values;
}

std::vector<float> random_floats(std::int64_t count) {
  Random random(1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// Floats at a multiple of 64 bytes, as a session has them: vectors that straddle cache lines halve the rates.
struct Aligned {
  explicit Aligned(const std::vector<float>& values)
      : tensor(DType::F32, {static_cast<std::int64_t>(values.size())}), values(tensor.mutable_data<float>()) {
    std::copy(values.begin(), values.end(), this->values.begin());
  }
  explicit Aligned(std::int64_t count) : Aligned(random_floats(count)) {}
  float* data() const { return values.data(); }
  Tensor tensor;
  std::span<float> values;
};

void count_macs(benchmark::State& state, std::int64_t macs) {
  state.counters["MAC/s"] = benchmark::Counter(static_cast<double>(macs) * static_cast<double>(state.iterations()),
                                               benchmark::Counter::kIsRate);
}

/// Requantization of many columns in the profile of TFLite-Micro.
struct Stage {
  explicit Stage(std::int64_t columns)
      : zeros(static_cast<std::size_t>(columns + 16), 0),
        multipliers(zeros.size(), 1 << 30),
        shifts(zeros.size(), -7),
        scales(zeros.size(), 0.001f),
        stage{
            kernels::OutputStage::Tflm, 3, -128, 127, zeros.data(), multipliers.data(), shifts.data(), scales.data()} {}
  std::vector<std::int32_t> zeros, multipliers, shifts;
  std::vector<float> scales;
  kernels::OutputStage stage;
};

void bench_gemm_s8(benchmark::State& state, kernels::GemmS8 run, std::int64_t rows, std::int64_t depth,
                   std::int64_t columns) {
  const auto x = random_bytes<std::uint8_t>(rows * depth);
  std::vector<std::int8_t> w(static_cast<std::size_t>(kernels::packed_gemm_s8_bytes(columns, 1, depth)), 0);
  kernels::pack_gemm_s8(random_bytes<std::int8_t>(depth * columns).data(), columns, 1, depth, w.data());
  std::vector<std::uint8_t> y(static_cast<std::size_t>(rows * columns));
  std::vector<const std::uint8_t*> pointers;
  for (std::int64_t r = 0; r < rows; ++r) pointers.push_back(x.data() + r * depth);
  const Stage stage(columns);
  std::vector<std::int32_t> offsets;
  for (std::int64_t at = 0; at < depth; at += 4) offsets.push_back(static_cast<std::int32_t>(at));
  for (auto _ : state) {
    run({pointers.data(), rows, offsets.data(), depth / 4, w.data(), columns, &stage.stage, y.data(), columns, depth});
    benchmark::ClobberMemory();
  }
  count_macs(state, rows * depth * columns);
}

void bench_depthwise_s8(benchmark::State& state, kernels::DepthwiseS8 run, std::int64_t side, std::int64_t channels) {
  const std::int64_t width = side + 2, row = width * channels;
  const auto x = random_bytes<std::uint8_t>(width * row + 64);
  std::vector<std::int16_t> w(static_cast<std::size_t>(kernels::packed_depthwise_s8_count(channels, 9)), 0);
  kernels::pack_depthwise_s8(random_bytes<std::int8_t>(channels * 9).data(), channels, 9, w.data());
  std::vector<std::int64_t> offsets;
  for (std::int64_t t = 0; t < 10; ++t) offsets.push_back(t < 9 ? t / 3 * row + t % 3 * channels : 0);
  std::vector<std::uint8_t> y(static_cast<std::size_t>(side * side * channels));
  const Stage stage(channels);
  for (auto _ : state) {
    for (std::int64_t r = 0; r < side; ++r) {
      run({x.data() + r * row, channels, side, offsets.data(), 5, w.data(), channels, &stage.stage,
           y.data() + r * side * channels});
    }
    benchmark::ClobberMemory();
  }
  count_macs(state, side * side * channels * 9);
}

void bench_binary_s8(benchmark::State& state, kernels::BinaryS8 run, bool gate, std::int64_t rows,
                     std::int64_t channels) {
  const std::int64_t count = rows * channels;
  const auto a = random_bytes<std::uint8_t>(count), b = random_bytes<std::uint8_t>(count);
  std::vector<std::uint8_t> y(a.size());
  Stage stage(16);
  stage.stage.profile = kernels::OutputStage::Onnx;
  stage.stage.low = 0, stage.stage.high = 255;
  kernels::BinaryS8Call call{};
  call.a = {a.data(), 0, 3, 0.02f, 0, 0};
  call.b = {b.data(), 0, 5, 0.03f, 0, 0};
  call.kind = gate ? kernels::BinaryS8Call::Mul : kernels::BinaryS8Call::Add;
  call.repeat = gate ? kernels::BinaryS8Call::Row : kernels::BinaryS8Call::None;
  call.rows = rows, call.count = channels, call.y_scale = 0.05f, call.stage = &stage.stage, call.y = y.data();
  const kernels::LinesTable lines = kernels::make_lines(call);
  call.lines = lines.lines;
  for (auto _ : state) {
    run(call);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}

/// Weights of one layer that stay in the L2 cache: rows of pixels, all columns.
void bench_dense_f32(benchmark::State& state, const kernels::DenseF32Kernel& kernel, std::int64_t rows,
                     std::int64_t depth, std::int64_t columns) {
  const Aligned x(rows * depth), w(depth * columns);
  const Aligned packed(depth * kernels::dense_f32_padded(kernel, columns));
  kernels::pack_dense_f32(kernel, {w.data(), 1, depth, columns, 0, columns, 1}, packed.data());
  const Aligned y(rows * columns), bias(columns + 64);
  std::vector<const float*> pointers;
  for (std::int64_t r = 0; r < rows; ++r) pointers.push_back(x.data() + r * depth);
  const auto panels = kernels::dense_f32_panels(kernel, columns);
  const std::int64_t offset = 0;
  for (auto _ : state) {
    for (const kernels::DenseF32Panel& panel : panels) {
      kernel.run({pointers.data(), rows, &offset, 1, depth, packed.data() + panel.first * depth, panel.vectors,
                  panel.columns, bias.data(), true, 0.0f, 6.0f, nullptr, 0, y.data() + panel.first, columns});
    }
    benchmark::ClobberMemory();
  }
  count_macs(state, rows * depth * columns);
}

void bench_depthwise_f32(benchmark::State& state, kernels::DepthwiseF32 run, std::int64_t side, std::int64_t channels,
                         std::int64_t kernel) {
  const std::int64_t row = side * channels, pad = kernel / 2;
  const Aligned x(side * row), w((kernel * kernel + 1) * channels), y(side * row);
  for (auto _ : state) {
    for (std::int64_t r = 0; r < side; ++r) {
      const std::int64_t first = std::max<std::int64_t>(0, pad - r), end = std::min(kernel, side - r + pad);
      run({x.data() + (r - pad + first) * row, row, end - first, side, channels,
           w.data() + (1 + first * kernel) * channels, channels, kernel, 1, 1, pad, w.data(), channels, 0.0f, 6.0f,
           y.data() + r * row, side});
    }
    benchmark::ClobberMemory();
  }
  count_macs(state, side * side * channels * kernel * kernel);
}

/// Both transforms of one tile.
void bench_winograd_f32(benchmark::State& state, const kernels::WinogradF32Kernel& kernel, std::int64_t channels) {
  const Aligned x(kernel.points() * channels), bias(channels), points(kernel.points() * (channels + 16));
  const Aligned y(kernel.side * kernel.side * channels);
  std::vector<const float*> pixels;
  for (std::int64_t p = 0; p < kernel.points(); ++p) pixels.push_back(x.data() + p * channels);
  for (auto _ : state) {
    kernel.input({pixels.data(), channels, points.data(), channels + 16});
    kernel.output({points.data(), channels + 16, channels, bias.data(), 0.0f, 6.0f, y.data(), kernel.side * channels,
                   channels, kernel.side, kernel.side});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kernel.points() * channels);
}

void bench_conv_f32(benchmark::State& state, kernels::MakeConvF32 make, std::int64_t side, std::int64_t inputs,
                    std::int64_t outputs, std::int64_t kernel, std::int64_t groups) {
  kernels::WindowGeometry g;
  g.in_height = g.in_width = g.out_height = g.out_width = side;
  g.in_channels = inputs;
  g.out_channels = outputs;
  g.groups = groups;
  g.kernel_height = g.kernel_width = kernel;
  g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = kernel / 2;
  const auto x = random_floats(side * side * inputs), w = random_floats(outputs * inputs / groups * kernel * kernel);
  std::vector<float> y(static_cast<std::size_t>(side * side * outputs));
  const auto conv = make(g, {w.data(), nullptr, 0.0f, std::numeric_limits<float>::infinity()}, machine_isa());
  if (conv == nullptr) return state.SkipWithError("not made for this shape");
  for (auto _ : state) {
    conv->run(x.data(), y.data());
    benchmark::ClobberMemory();
  }
  count_macs(state, side * side * outputs * inputs / groups * kernel * kernel);
}

void bench_gemm_f32(benchmark::State& state, kernels::MakeGemmF32 make, std::int64_t rows, std::int64_t depth,
                    std::int64_t columns) {
  const auto a = random_floats(rows * depth), w = random_floats(depth * columns);
  std::vector<float> y(static_cast<std::size_t>(rows * columns));
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto gemm = make({1, rows, depth, columns, -infinity, infinity, w.data(), nullptr}, machine_isa());
  if (gemm == nullptr) return state.SkipWithError("not made for this shape");
  for (auto _ : state) {
    gemm->run(a.data(), nullptr, y.data());
    benchmark::ClobberMemory();
  }
  count_macs(state, rows * depth * columns);
}

template <typename Kernels, typename Register>
void each(const Kernels& table, Register add) {
  for (const auto& kernel : table) {
    if (isa_allows(machine_isa(), kernel.isa)) add(kernel, std::string(kernel.name));
  }
}

void register_all() {
  using benchmark::RegisterBenchmark;
  each(kernels::gemm_s8_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/resnet8 3x3 16 32x32").c_str(), bench_gemm_s8, kernel.run, 1024, 144, 16);
    RegisterBenchmark((name + "/resnet 3x3 128 14x14").c_str(), bench_gemm_s8, kernel.run, 196, 1152, 128);
    RegisterBenchmark((name + "/mobilenet 1x1 256 14x14").c_str(), bench_gemm_s8, kernel.run, 196, 256, 256);
    RegisterBenchmark((name + "/mobilenet 1x1 16 96 112x112").c_str(), bench_gemm_s8, kernel.run, 168, 16, 96);
    RegisterBenchmark((name + "/mobilenet 1x1 32 16 112x112").c_str(), bench_gemm_s8, kernel.run, 168, 32, 16);
    RegisterBenchmark((name + "/fc 640 128").c_str(), bench_gemm_s8, kernel.run, 1, 640, 128);
  });
  each(kernels::depthwise_s8_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/3x3 144 56x56").c_str(), bench_depthwise_s8, kernel.run, 56, 144);
    RegisterBenchmark((name + "/3x3 8 48x48").c_str(), bench_depthwise_s8, kernel.run, 48, 8);
  });
  each(kernels::binary_s8_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/sum 16 32x32").c_str(), bench_binary_s8, kernel.run, false, 1024, 16);
    RegisterBenchmark((name + "/gate 16 56x56").c_str(), bench_binary_s8, kernel.run, true, 3136, 16);
    RegisterBenchmark((name + "/gate 672 14x14").c_str(), bench_binary_s8, kernel.run, true, 196, 672);
  });
  each(kernels::dense_f32_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/1x1 512 14x14").c_str(), bench_dense_f32, kernel, 196, 512, 512);
    RegisterBenchmark((name + "/1x1 24 to 144 28x28").c_str(), bench_dense_f32, kernel, 784, 24, 144);
    RegisterBenchmark((name + "/1x1 128 to 16 14x14").c_str(), bench_dense_f32, kernel, 196, 128, 16);
    RegisterBenchmark((name + "/fc 640 128").c_str(), bench_dense_f32, kernel, 1, 640, 128);
  });
  each(kernels::depthwise_f32_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/3x3 64 25x25").c_str(), bench_depthwise_f32, kernel.run, 25, 64, 3);
    RegisterBenchmark((name + "/3x3 512 14x14").c_str(), bench_depthwise_f32, kernel.run, 14, 512, 3);
    RegisterBenchmark((name + "/5x5 1152 7x7").c_str(), bench_depthwise_f32, kernel.run, 7, 1152, 5);
  });
  each(kernels::winograd_f32_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/64").c_str(), bench_winograd_f32, kernel, 64);
  });
  each(kernels::conv_f32_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/resnet8 3x3 16 32x32").c_str(), bench_conv_f32, kernel.make, 32, 16, 16, 3, 1);
    RegisterBenchmark((name + "/1x1 256 14x14").c_str(), bench_conv_f32, kernel.make, 14, 256, 256, 1, 1);
    RegisterBenchmark((name + "/depthwise 3x3 144 28x28").c_str(), bench_conv_f32, kernel.make, 28, 144, 144, 3, 144);
  });
  each(kernels::gemm_f32_kernels(), [](const auto& kernel, const std::string& name) {
    RegisterBenchmark((name + "/128x256x1024").c_str(), bench_gemm_f32, kernel.make, 128, 256, 1024);
  });
}

}  // namespace
}  // namespace adze

int main(int argc, char** argv) {
  adze::register_all();
  adze::register_lowbit();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

// Weights of few bits. Counters, all from the fastest run in processor time, so that other load counts little: ms,
// GB/s of packed weights with their scales, and the shares of the peaks that `adze doctor` shows.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>
#include <utility>

#include "adze/base/random.h"
#include "adze/engine/kernels/decoded_f32/decoded_f32.h"
#include "adze/engine/kernels/lowbit/lowbit.h"
#include "adze/engine/kernels/sign_sums/sign_sums.h"
#include "adze/engine/peaks.h"
#include "adze/numerics/tensor.h"
#include "benchmarks/register.h"

namespace adze {
namespace {

using kernels::LowbitKernel;
using kernels::LowbitLayout;

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

const MachinePeaks& peaks() {
  static const MachinePeaks measured = measure_peaks();
  return measured;
}

/// Runs body until Google Benchmark has enough.
template <typename Body>
void time_best(benchmark::State& state, std::int64_t weight_bytes, std::int64_t macs, Body body) {
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const double start = thread_seconds();
    body();
    benchmark::ClobberMemory();
    best = std::min(best, thread_seconds() - start);
  }
  const double bytes = static_cast<double>(weight_bytes) / best, rate = static_cast<double>(macs) / best;
  state.counters["ms"] = best * 1e3;
  state.counters["GB/s"] = bytes * 1e-9;
  state.counters["of_peak_bytes"] = bytes / peaks().bytes_per_second(weight_bytes);
  state.counters["of_peak_macs"] = rate / peaks().macs_per_second(DType::S8, machine_isa());
}

Tensor filled(std::int64_t bytes, Random& random) {
  Tensor tensor(DType::U8, {bytes});
  for (std::byte& byte : tensor.mutable_bytes()) byte = static_cast<std::byte>(random.below(256));
  return tensor;
}

void bench_lowbit(benchmark::State& state, const LowbitKernel& kernel, LowbitLayout layout, std::int64_t rows,
                  int digits) {
  layout.depth = layout.columns = 4096;
  Random random(1);
  Tensor packed = filled(layout.bytes(), random), decoded = filled(kernels::lowbit_decoded_bytes, random);
  Tensor sums(DType::F32, {rows, 64}), y(DType::F32, {rows, layout.columns}), x(DType::F32, {rows, layout.depth});
  for (float& value : x.mutable_data<float>()) value = static_cast<float>(random.normal());
  const std::int64_t groups = layout.groups(), row_bytes = groups * digits * layout.padded_group();
  Tensor split(DType::S8, {rows * row_bytes}), x_scales(DType::F32, {rows * groups}),
      x_sums(DType::S32, {rows * groups * digits}), bias(DType::F32, {layout.columns});
  constexpr float infinity = std::numeric_limits<float>::infinity();
  auto* digits_of = split.mutable_data<std::int8_t>().data();
  float *scales_of = x_scales.mutable_data<float>().data(), *to = y.mutable_data<float>().data(),
        *sums_of = sums.mutable_data<float>().data();
  auto* x_sums_of = x_sums.mutable_data<std::int32_t>().data();
  auto* decoded_of = decoded.mutable_data<std::uint8_t>().data();
  time_best(state, layout.bytes(), rows * layout.depth * layout.columns, [&] {
    for (std::int64_t r = 0; r < rows; ++r) {
      kernel.split({x.data<float>().data() + r * layout.depth, layout.depth, layout.group, layout.padded_group(),
                    digits, digits_of + r * row_bytes, scales_of + r * groups, x_sums_of + r * groups * digits,
                    layout.sum_factor()});
    }
    for (std::int64_t block = 0; block < layout.blocks(); ++block) {
      kernel.run({digits_of,
                  scales_of,
                  x_sums_of,
                  rows,
                  groups,
                  layout.chunks(),
                  packed.data<std::uint8_t>().data() + layout.block_offset(block),
                  layout.panels(block),
                  layout.bits,
                  digits,
                  layout.step,
                  layout.scale_bytes,
                  layout.zero_points,
                  bias.data<float>().data() + block * 64,
                  -infinity,
                  infinity,
                  sums_of,
                  decoded_of,
                  to + block * 64,
                  layout.columns,
                  64});
    }
  });
}

void bench_decoded(benchmark::State& state, const kernels::DecodedF32Kernel& kernel, kernels::WeightCode code,
                   std::int64_t rows) {
  kernels::DecodedLayout layout;
  layout.code = code;
  layout.depth = layout.columns = layout.group = 4096;
  Random random(1);
  Tensor packed = filled(layout.bytes(), random), x(DType::F32, {rows, 4096}), y(DType::F32, {rows, 4096});
  for (std::byte& byte : packed.mutable_bytes()) byte &= std::byte{0x77};  // no infinities
  Tensor table(DType::F32, {256}), bias(DType::F32, {4096});
  constexpr float infinity = std::numeric_limits<float>::infinity();
  float* to = y.mutable_data<float>().data();
  time_best(state, layout.bytes(), rows * 4096 * 4096, [&] {
    for (std::int64_t block = 0; block < layout.blocks(); ++block) {
      kernel.run({code, table.data<float>().data(), x.data<float>().data(), 4096, rows, 4096, 4096,
                  packed.data<std::uint8_t>().data() + layout.block_offset(block), 4, false, bias.data<float>().data(),
                  -infinity, infinity, to + block * 64, 4096, 64});
    }
  });
}

/// A binary or ternary 3x3 convolution of 256 channels, 14 x 14 pixels, its windows gathered.
void bench_signs(benchmark::State& state, const kernels::SignSumsKernel& kernel, bool ternary) {
  constexpr std::int64_t rows = 196, words = 9 * 4, columns = 256;
  const kernels::SignLayout layout{9, 256, columns, ternary};
  Random random(1);
  Tensor weights = filled(layout.packed_words() * 8, random), signs = filled(rows * words * 8, random),
         all(DType::U64, {rows * words}), full(DType::U8, {rows});
  for (std::uint64_t& word : all.mutable_data<std::uint64_t>()) word = ~std::uint64_t{0};
  for (std::uint8_t& flag : full.mutable_data<std::uint8_t>()) flag = 1;
  Tensor scales(DType::F32, {columns}), y(DType::F32, {rows, columns});
  float* to = y.mutable_data<float>().data();
  const auto words_of = [](const Tensor& tensor) {
    return reinterpret_cast<const std::uint64_t*>(tensor.bytes().data());
  };
  time_best(state, layout.packed_words() * 8, rows * columns * 9 * 256, [&] {
    kernel.run({words_of(signs), words_of(all), full.data<std::uint8_t>().data(), rows, words, 9 * 256,
                words_of(weights), ternary, columns, scales.data<float>().data(), scales.data<float>().data(), -1e9f,
                1e9f, to, columns});
  });
}

LowbitLayout layout_of(int bits, std::int64_t group, bool zero_points) {
  LowbitLayout layout;
  layout.bits = bits;
  layout.group = group;
  layout.scale_bytes = 2;
  layout.zero_points = zero_points;
  layout.zero_point = 1 << (bits - 1);
  layout.step = bits == 1 ? 2 : 1;
  return layout;
}

}  // namespace

void register_lowbit() {
  using kernels::WeightCode;
  for (const auto& kernel : kernels::decoded_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa) || kernel.isa == Isa::Ref) continue;
    const std::pair<const char*, WeightCode> codes[] = {
        {"f16", WeightCode::F16},       {"bf16", WeightCode::Bf16},         {"f8e4m3", WeightCode::F8E4M3},
        {"f8e5m2", WeightCode::F8E5M2}, {"codebook16", WeightCode::Table4}, {"codebook256", WeightCode::Table8}};
    for (const auto& [name, code] : codes) {
      for (const std::int64_t rows : {1, 16}) {
        const std::string title = std::string(kernel.name) + "/4096x4096 " + name + " rows " + std::to_string(rows);
        benchmark::RegisterBenchmark(title.c_str(), bench_decoded, kernel, code, rows);
      }
    }
  }
  for (const auto& kernel : kernels::sign_sums_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa) || kernel.isa == Isa::Ref) continue;
    for (const bool ternary : {false, true}) {
      const std::string title = std::string(kernel.name) + "/3x3 256 14x14 " + (ternary ? "ternary" : "binary");
      benchmark::RegisterBenchmark(title.c_str(), bench_signs, kernel, ternary);
    }
  }
  for (const LowbitKernel& kernel : kernels::lowbit_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa) || kernel.isa == Isa::Ref) continue;
    const auto add = [&](const std::string& what, LowbitLayout layout, std::int64_t rows, int digits) {
      const std::string x = digits == 1 ? "int8" : "f32";
      benchmark::RegisterBenchmark(
          (std::string(kernel.name) + "/4096x4096 " + what + " " + x + " rows " + std::to_string(rows)).c_str(),
          bench_lowbit, kernel, layout, rows, digits);
    };
    for (const std::int64_t rows : {1, 16, 128}) {
      for (const int digits : {1, 3}) {
        add("int4-g32", layout_of(4, 32, false), rows, digits);
        add("int4-g128", layout_of(4, 128, false), rows, digits);
        add("uint4-g32", layout_of(4, 32, true), rows, digits);
        add("int2-g64", layout_of(2, 64, false), rows, digits);
        add("binary-g128", layout_of(1, 128, false), rows, digits);
        add("int8-g32", layout_of(8, 32, false), rows, digits);
      }
    }
  }
}

}  // namespace adze

#include "adze/engine/peaks.h"

#include <gtest/gtest.h>

#include "adze/engine/kernels/peaks/peaks.h"

namespace adze {
namespace {

TEST(Peaks, AreMeasuredForEveryLoopThatTheMachineCanRun) {
  const MachinePeaks peaks = measure_peaks(false);
  std::size_t expected = 0;
  for (const kernels::Peak& peak : kernels::peaks()) expected += isa_allows(machine_isa(), peak.isa) ? 1 : 0;
  EXPECT_EQ(peaks.arithmetic.size(), expected);
  for (const auto& peak : peaks.arithmetic) {
    EXPECT_GT(peak.macs_per_second, 1e7) << dtype_name(peak.dtype) << " " << peak.isa;
  }
}

TEST(Peaks, AreLookedUpUnderTheCap) {
  MachinePeaks peaks;
  peaks.arithmetic = {{DType::S8, std::string(isa_name(machine_isa())), 5.0}, {DType::S8, "ref", 2.0}};
  EXPECT_EQ(peaks.macs_per_second(DType::U8, Isa::Ref), 2.0);
  EXPECT_EQ(peaks.macs_per_second(DType::F64, machine_isa()), 0.0);
  peaks.memory = {{"L1", 100, 8.0, 1.0}, {"DRAM", 1000, 4.0, 1.0}};
  EXPECT_EQ(peaks.bytes_per_second(150), 8.0);
  EXPECT_EQ(peaks.bytes_per_second(1'000'000), 4.0);
}

TEST(Peaks, ReadingLoopsReadEveryByte) {
  alignas(64) unsigned char bytes[512] = {};
  for (const Isa isa : machine_isas()) {
    EXPECT_EQ(kernels::read_loop(isa)(bytes, sizeof bytes), 0) << isa_name(isa);
  }
}

}  // namespace
}  // namespace adze

#include "adze/engine/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace adze {
namespace {

TEST(Isa, ListsWhatTheMachineHasWeakestFirst) {
  const std::vector<Isa> isas = machine_isas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.front(), Isa::Ref);
  EXPECT_EQ(isas.back(), machine_isa());
  EXPECT_TRUE(std::is_sorted(isas.begin(), isas.end()));
  for (const Isa isa : isas) EXPECT_TRUE(isa_allows(machine_isa(), isa));
  // Given where the processor is known, as under an emulator.
  if (const char* expected = std::getenv("ADZE_EXPECTED_ISA")) {
    EXPECT_EQ(isa_name(machine_isa()), expected);
  }
}

}  // namespace
}  // namespace adze

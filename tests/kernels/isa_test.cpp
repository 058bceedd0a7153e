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

TEST(Isa, SaysWhyTilesAreNotUsed) {
  EXPECT_EQ(describe({false, false, ""}), "not present");
  EXPECT_EQ(describe({true, false, "Operation not permitted"}),
            "present, permission refused (Operation not permitted)");
  EXPECT_EQ(describe({true, true, ""}), "present, permitted");
  EXPECT_LE(isa_allows(machine_isa(), Isa::Amx), amx_state().permitted);
}

}  // namespace
}  // namespace adze

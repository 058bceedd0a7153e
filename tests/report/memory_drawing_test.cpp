#include "adze/report/memory_drawing.h"

#include <gtest/gtest.h>

namespace adze {
namespace {

MemoryMap two_blocks() {
  MemoryMap map;
  map.blocks = {{"first <value>", false, 0, 50, 0, 1}, {"later", false, 50, 50, 1, 2}, {"own", true, 25, 25, 2, 2}};
  map.steps = {{"one", "Conv", {0}, 50, 0}, {"two", "Add", {0, 1}, 100, 0}};
  map.arena_bytes = 100;
  map.lower_bound_bytes = 100;
  map.peak_step = 1;
  return map;
}

TEST(MemoryDrawing, BarsShowWhatBeginsWhatStaysAndWhatIsFree) {
  const MemoryMap map = two_blocks();
  EXPECT_EQ(memory_bar(map, 0, 10), "+++++.....");
  EXPECT_EQ(memory_bar(map, 1, 10), "#####+++++");
}

TEST(MemoryDrawing, SvgNamesEveryBlockAndThePeak) {
  const std::string svg = memory_svg(two_blocks(), {"a network", 80});
  EXPECT_EQ(svg.find("<value>"), std::string::npos);
  for (const char* part : {"first &lt;value>", "later", "peak: two", "lower bound", ">RAM<", "a network"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(svg.rfind("</svg>\n"), svg.size() - 7);
}

}  // namespace
}  // namespace adze

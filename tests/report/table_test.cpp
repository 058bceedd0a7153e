#include "adze/report/table.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"

namespace adze {
namespace {

TEST(Table, AlignsNumbersRightAndTextLeft) {
  Table table({"name", "bytes"});
  table.add_row({"a", "5"});
  table.add_row({"long name", "1200"});
  EXPECT_EQ(table.text(),
            "name       bytes\n"
            "─────────  ─────\n"
            "a              5\n"
            "long name   1200\n");
}

TEST(Table, MarkdownIsAligned) {
  Table table({"name", "MACs"});
  table.add_row({"conv", "5"});
  EXPECT_EQ(table.markdown(),
            "| name | MACs |\n"
            "| ---- | ---: |\n"
            "| conv |    5 |\n");
}

TEST(Table, RefusesARowOfAnotherLength) {
  Table table({"a", "b"});
  EXPECT_THROW(table.add_row({"x"}), InternalError);
}

}  // namespace
}  // namespace adze

#include "adze/report/report.h"

#include <gtest/gtest.h>

#include <cmath>

#include <nlohmann/json.hpp>

namespace adze {
namespace {

Report small_report() {
  Report report;
  report.title = "</script><b>x";
  report.before.name = "before";
  report.before.file_bytes = 2000;
  report.before.accuracy = AccuracyFigure{"top-1", 0.9, 0.88, 0.92, 900, 1000};
  report.after = report.before;
  report.after->name = "after";
  report.after->file_bytes = 500;
  report.layers.push_back({"conv", "Conv", "f32[1, 2]", "s8[2]", 10, 2, 2, INFINITY, std::nullopt, 0.5});
  return report;
}

TEST(Report, JsonHoldsTheFiguresAndInfinityIsNull) {
  const auto json = nlohmann::json::parse(report_json(small_report()));
  EXPECT_EQ(json.at("schema"), "adze.report/1");
  EXPECT_EQ(json.at("after").at("file_bytes"), 500);
  EXPECT_TRUE(json.at("layers")[0].at("sqnr_db").is_null());
}

TEST(Report, HtmlIsOnePageWithoutOutsideReferences) {
  const std::string page = report_html(small_report());
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  EXPECT_EQ(page.find("href=\"http"), std::string::npos);
  EXPECT_EQ(page.find("/*@"), std::string::npos) << "a part was not filled in";
  EXPECT_NE(page.find("uPlot"), std::string::npos);
  EXPECT_LT(page.size(), 400u * 1024);
}

TEST(Report, TextFromTheModelCannotLeaveTheDataElement) {
  EXPECT_EQ(report_html(small_report()).find("</script><b>x"), std::string::npos);
}

TEST(Report, BeforeAfterTableShowsTheChange) {
  const Report report = small_report();
  const std::string text = before_after_table(report.before, *report.after).text();
  EXPECT_NE(text.find("-75.0 %"), std::string::npos) << text;
  EXPECT_NE(text.find("90.00 % (88.00–92.00)"), std::string::npos) << text;
}

}  // namespace
}  // namespace adze

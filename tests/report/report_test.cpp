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

TEST(Report, JsonHoldsPruningByRoundAndSlice) {
  Report report = small_report();
  PruningFigures group;
  group.name = "Conv_1";
  group.size = 2;
  group.left = {0.5};
  group.scores = {0.25, 1};
  group.went = {1, 0};
  report.pruning.push_back(group);
  report.pruning_rounds.push_back({"round 1", 0.5, 10, 2, 0.75, std::nullopt});
  report.slices.push_back({"class cat", 10, 9, 8});
  report.new_mistakes.push_back({"cat/1.jpg", "cat", "dog"});
  const auto json = nlohmann::json::parse(report_json(report));
  EXPECT_EQ(json.at("pruning")[0].at("went")[0], 1);
  EXPECT_EQ(json.at("pruning_rounds")[0].at("cut"), 0.75);
  EXPECT_TRUE(json.at("pruning_rounds")[0].at("accuracy").is_null());
  EXPECT_EQ(json.at("slices")[0].at("correct_after"), 8);
  EXPECT_EQ(json.at("new_mistakes")[0].at("after"), "dog");
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

// Finds tests/rewrite/golden/<rule>/<case>/: before.adze, rewritten by the rules of adze/rewrite/rules/<rule>.h, must
// be after.adze, names aside; without an after.adze nothing may change. Both must compute the same.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "adze/base/files.h"
#include "adze/engine/reference/evaluator.h"
#include "adze/graph/compare.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/cancel_transposes.h"
#include "adze/rewrite/rules/fold_batch_norm.h"
#include "adze/rewrite/rules/fold_bias.h"
#include "adze/rewrite/rules/fold_constants.h"
#include "adze/rewrite/rules/fold_pad.h"
#include "adze/rewrite/rules/fold_scale.h"
#include "adze/rewrite/rules/fuse_gelu.h"
#include "adze/rewrite/rules/fuse_gemm.h"
#include "adze/rewrite/rules/fuse_hard_swish.h"
#include "adze/rewrite/rules/fuse_layer_norm.h"
#include "adze/rewrite/rules/fuse_softmax.h"
#include "adze/rewrite/rules/inline_if.h"
#include "adze/rewrite/rules/merge_clips.h"
#include "adze/rewrite/rules/merge_duplicates.h"
#include "adze/rewrite/rules/merge_linear.h"
#include "adze/rewrite/rules/merge_reshapes.h"
#include "adze/rewrite/rules/merge_slices.h"
#include "adze/rewrite/rules/propagate_qdq.h"
#include "adze/rewrite/rules/remove_identities.h"
#include "adze/rewrite/rules/remove_qdq_pairs.h"
#include "tests/support/same_outputs.h"

namespace adze::rewrite {
namespace {

using std::filesystem::path;

const std::map<std::string, std::vector<Rule> (*)()>& rules_by_name() {
  static const std::map<std::string, std::vector<Rule> (*)()> rules = {{"cancel_transposes", cancel_transposes_rules},
                                                                       {"fold_batch_norm", fold_batch_norm_rules},
                                                                       {"fold_bias", fold_bias_rules},
                                                                       {"fold_constants", fold_constants_rules},
                                                                       {"fold_pad", fold_pad_rules},
                                                                       {"fold_scale", fold_scale_rules},
                                                                       {"fuse_gelu", fuse_gelu_rules},
                                                                       {"fuse_gemm", fuse_gemm_rules},
                                                                       {"fuse_hard_swish", fuse_hard_swish_rules},
                                                                       {"fuse_layer_norm", fuse_layer_norm_rules},
                                                                       {"fuse_softmax", fuse_softmax_rules},
                                                                       {"inline_if", inline_if_rules},
                                                                       {"merge_clips", merge_clips_rules},
                                                                       {"merge_duplicates", merge_duplicates_rules},
                                                                       {"merge_linear", merge_linear_rules},
                                                                       {"merge_reshapes", merge_reshapes_rules},
                                                                       {"merge_slices", merge_slices_rules},
                                                                       {"propagate_qdq", propagate_qdq_rules},
                                                                       {"remove_identities", remove_identities_rules},
                                                                       {"remove_qdq_pairs", remove_qdq_pairs_rules}};
  return rules;
}

Graph load(const path& file) {
  Graph graph = parse_graph(read_text_file(file));
  infer_types(graph);
  return graph;
}

class Golden : public ::testing::Test {
 public:
  explicit Golden(path folder) : folder_(std::move(folder)) {}

  void TestBody() override {
    const std::string rule = folder_.parent_path().filename();
    ASSERT_TRUE(rules_by_name().contains(rule)) << "no rules are named " << rule;
    const Graph before = load(folder_ / "before.adze");
    const bool changes = std::filesystem::exists(folder_ / "after.adze");
    const Graph wanted = load(folder_ / (changes ? "after.adze" : "before.adze"));
    Graph after = before;
    rewrite(after, rules_by_name().at(rule)(), {reference::evaluator()});
    verify(after);
    EXPECT_EQ(structural_difference(wanted, after).value_or("none"), "none") << print_graph(after);
    EXPECT_EQ(testing::run_difference(before, after, Exactness::Rounding).value_or("none"), "none");
  }

 private:
  path folder_;
};

[[maybe_unused]] const bool registered = [] {
  int count = 0;
  for (const auto& rule : std::filesystem::directory_iterator(path(ADZE_SOURCE_DIR) / "tests/rewrite/golden")) {
    for (const auto& folder : std::filesystem::directory_iterator(rule)) {
      const std::string name = rule.path().filename().string() + "." + folder.path().filename().string();
      ::testing::RegisterTest("Golden", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [folder = folder.path()]() -> Golden* { return new Golden(folder); });
      ++count;
    }
  }
  return count > 0;
}();

}  // namespace
}  // namespace adze::rewrite

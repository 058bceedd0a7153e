#include <gtest/gtest.h>

#include "adze/engine/session.h"
#include "adze/prune/remove.h"
#include "adze/zoo/zoo.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

struct Case {
  std::string network;
  std::size_t groups;  ///< that it must have
};

/// Every third unit of the groups whose removal is exact.
std::vector<Selection> every_third(const Groups& groups) {
  std::vector<Selection> selections;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    if (!groups.groups[g].inexact.empty()) continue;
    selections.push_back({g, {}});
    for (std::int64_t unit = 1; unit < groups.groups[g].size; unit += 3) selections.back().units.push_back(unit);
  }
  return selections;
}

std::vector<Tensor> inputs_of(const Graph& graph) {
  std::vector<Tensor> inputs;
  Random random(5);
  for (const ValueId id : graph.inputs()) {
    const ValueType& type = graph.value(id).type;
    Tensor tensor(type.dtype, concrete(*type.shape).value());
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      if (type.dtype == DType::F32) tensor.set_double(i, random.normal());
      if (type.dtype == DType::S64) tensor.set_int(i, static_cast<std::int64_t>(random.below(20)));
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.network;
}

class Zoo : public ::testing::TestWithParam<Case> {};

TEST_P(Zoo, LosesAThirdOfItsUnitsAsIfTheyWereZero) {
  const Graph graph = zoo::build(GetParam().network);
  const Groups groups = find_groups(graph);
  EXPECT_EQ(groups.groups.size(), GetParam().groups);
  const auto selections = every_third(groups);
  const Graph removed = remove_units(graph, groups, selections), zeroed = zero_units(graph, groups, selections);
  const auto inputs = inputs_of(graph);
  const Tensor small = Session(removed).run(inputs).at(0), full = Session(zeroed).run(inputs).at(0);
  ASSERT_EQ(small.shape(), full.shape());
  const auto a = to_floats(small), b = to_floats(full);
  double largest = 0;
  for (const float value : b) largest = std::max<double>(largest, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-4 * largest + 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Networks, Zoo,
                         ::testing::Values(Case{"resnet8", 6}, Case{"resnet20,batch_norm", 12}, Case{"dscnn", 5},
                                           Case{"mobilenetv2_32", 25}, Case{"mobilenetv3s,resolution=64", 27},
                                           Case{"squeezenet11,resolution=64,width=0.5", 25}, Case{"lenet5", 3},
                                           Case{"lenet300", 2}, Case{"lstm", 1}, Case{"gru", 1},
                                           Case{"resnext50,width=0.25,resolution=64", 34}, Case{"encoder4x256", 8},
                                           Case{"gpt,layers=2,features=64,context=16", 5},
                                           Case{"efficientnetb0,resolution=64", 40}),
                         [](const ::testing::TestParamInfo<Case>& info) {
                           std::string name = info.param.network;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace adze::prune

// Parameters and multiply-accumulates of the zoo's networks equal published figures.
#include <gtest/gtest.h>

#include <cctype>

#include "adze/plan/cost.h"
#include "adze/zoo/zoo.h"

namespace adze::zoo {
namespace {

/// Figures as printed: 0 is not given. Exact where the source counts exactly, else within its last digit.
struct Published {
  const char* network;
  double parameters, parameters_within;
  double macs, macs_within;
  const char* source;
};

const char* const torchvision = "torchvision's tables of weights (num_params, GFLOPS)";
const char* const papers_cifar =
    "chenyaofo/pytorch-cifar-models, shortcuts of option B; He et al. table 6: 0.27/0.46/0.85 M";
const char* const hello_edge = "Hello Edge, arXiv:1711.07128, table 9: operations / 2";

const Published published[] = {
    {"resnet18", 11689512, 0, 1.814e9, 0.5e6, torchvision},
    {"resnet34", 21797672, 0, 3.664e9, 0.5e6, torchvision},
    {"resnet50", 25557032, 0, 4.089e9, 0.5e6, torchvision},
    {"resnext50", 25028904, 0, 4.230e9, 0.5e6, torchvision},
    {"mobilenetv2", 3504872, 0, 0.301e9, 0.5e6, torchvision},
    {"mobilenetv3l", 5483032, 0, 0.217e9, 0.5e6, torchvision},
    {"mobilenetv3s", 2542856, 0, 0.057e9, 0.5e6, torchvision},
    {"squeezenet10", 1248424, 0, 0.819e9, 0.5e6, torchvision},
    {"squeezenet11", 1235496, 0, 0.349e9, 0.5e6, torchvision},
    {"efficientnetb0", 5288548, 0, 0.386e9, 0.5e6, torchvision},
    {"efficientnetb1", 7794184, 0, 0.687e9, 0.5e6, torchvision},
    {"efficientnetb2,resolution=288", 9109994, 0, 1.088e9, 0.5e6, torchvision},
    {"efficientnetb3", 12233232, 0, 1.827e9, 0.5e6, torchvision},
    {"efficientnetb4", 19341616, 0, 4.394e9, 0.5e6, torchvision},
    {"efficientnetb5", 30389784, 0, 10.266e9, 0.5e6, torchvision},
    {"efficientnetb6", 43040704, 0, 19.068e9, 0.5e6, torchvision},
    {"efficientnetb7", 66347960, 0, 37.746e9, 0.5e6, torchvision},
    {"efficientnetb2", 9.2e6, 0.1e6, 1.0e9, 0.05e9, "EfficientNet, arXiv:1905.11946, table 2"},
    {"seresnet50", 28088024, 0, 4.09e9, 0.01e9, "timm seresnet50; SE paper, arXiv:1709.01507, table 2: 28.1 M"},
    {"mobilenetv1", 4.2e6, 0.05e6, 569e6, 0.5e6, "MobileNets, arXiv:1704.04861, table 4"},
    {"mobilenetv1,width=0.75", 2.6e6, 0.05e6, 325e6, 0.5e6, "the same, table 6"},
    {"mobilenetv1,width=0.25", 0.5e6, 0.05e6, 41e6, 0.5e6, "the same, table 6"},
    {"mobilenetv1,resolution=128", 4.2e6, 0.05e6, 186e6, 0.5e6, "the same, table 7"},
    {"mobilenetv2,width=1.4", 0, 0, 585e6, 5e6, "MobileNetV2, arXiv:1801.04381, table 4"},
    {"resnet20", 0.27e6, 0.005e6, 40.81e6, 5e3, papers_cifar},
    {"resnet20a", 0.27e6, 0.005e6, 40.55e6, 5e3, "arXiv:1512.03385, section 4.2: option A, 0.27 M"},
    {"resnet56a", 0.85e6, 0.005e6, 125.49e6, 5e3, "arXiv:1512.03385, table 6: 0.85 M"},
    {"resnet32", 0.47e6, 0.005e6, 69.12e6, 5e3, papers_cifar},
    {"resnet56", 0.86e6, 0.005e6, 125.75e6, 5e3, papers_cifar},
    {"dscnn", 0, 0, 5.4e6 / 2, 0.05e6, hello_edge},
    {"dscnn_m", 0, 0, 19.8e6 / 2, 0.1e6, hello_edge},
    {"dscnn_l", 0, 0, 56.9e6 / 2, 0.2e6, hello_edge},
    {"lstm", 63.3e3, 0.6e3, 5.9e6 / 2, 0.03e6, hello_edge},
    {"gru", 78.8e3, 0.3e3, 3.8e6 / 2, 0.03e6, hello_edge},
    {"lenet300", 267e3, 0.5e3, 0, 0, "Han et al., arXiv:1506.02626, table 1"},
    {"lenet5", 431e3, 0.5e3, 0, 0, "Han et al., arXiv:1506.02626, table 3"},
    {"vggsmall", 4.66e6, 0.005e6, 0, 0, "LQ-Nets, arXiv:1807.10029: layers 2x128 2x256 2x512"},
};

class ZooPublished : public ::testing::TestWithParam<Published> {};

TEST_P(ZooPublished, Equals) {
  const Published& expected = GetParam();
  SCOPED_TRACE(std::string(expected.network) + ", by " + expected.source);
  const GraphCost cost = compute_cost(build(expected.network, {.batch_norm = true, .zeros = true}));
  if (expected.parameters > 0) {
    EXPECT_NEAR(static_cast<double>(cost.parameters), expected.parameters, expected.parameters_within);
  }
  if (expected.macs > 0) {
    EXPECT_NEAR(static_cast<double>(cost.macs), expected.macs, expected.macs_within);
  }
}

INSTANTIATE_TEST_SUITE_P(Figures, ZooPublished, ::testing::ValuesIn(published), [](const auto& each) {
  std::string name = each.param.network;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

TEST(ZooPublished, GptCountsAsItsBlocksDo) {
  // GPT-2, small, has 124,439,808: `adze inspect
  // zoo:gpt,layers=12,heads=12,features=768,context=1024,vocabulary=50257`.
  const auto formula = [](std::int64_t layers, std::int64_t d, std::int64_t context, std::int64_t vocabulary) {
    return vocabulary * d + context * d + layers * (12 * d * d + 13 * d) + 2 * d;
  };
  EXPECT_EQ(formula(12, 768, 1024, 50257), 124'439'808);
  const GraphCost cost = compute_cost(build("gpt,layers=3,heads=2,features=48,context=20,vocabulary=70"));
  EXPECT_EQ(cost.parameters, formula(3, 48, 20, 70));
}

TEST(ZooPublished, HalfOfMobilenetv2ForCifarHasAtMostAMillionParameters) {
  const GraphCost cost = compute_cost(build("mobilenetv2_32,width=0.5,batch_norm"));
  EXPECT_LE(cost.parameters, 1'000'000);
  EXPECT_EQ(cost.parameters, 700'490);
}

}  // namespace
}  // namespace adze::zoo

#include "adze/zoo/zoo.h"

#include <charconv>

#include "adze/base/text.h"
#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

/// A network: its family with the settings that it has when nothing else is asked. A setting of 0 cannot be changed.
struct Network {
  std::string_view name;
  Graph (*build)(Builder, const Settings&);
  Settings settings;
  std::string_view summary;
};

constexpr Network networks[] = {
    {"resnet8", resnet8, {1, 32, 10}, "MLPerf Tiny image classification, 3x32x32"},
    {"dscnn", ds_cnn, {1, 0, 12}, "MLPerf Tiny keyword spotting, 1x49x10"},
    {"mobilenetv1_025_96", mobilenet_v1_tiny, {0.25, 96, 2}, "MLPerf Tiny visual wake words, 3x96x96"},
    {"fcae", autoencoder, {1, 0, 640}, "MLPerf Tiny anomaly detection, autoencoder of 640 numbers"},
    {"mobilenetv1", mobilenet_v1, {1, 224, 1000}, "MobileNet v1, 3x224x224"},
    {"mobilenetv2", mobilenet_v2, {1, 224, 1000}, "MobileNet v2, 3x224x224"},
    {"mobilenetv3s", mobilenet_v3_small, {1, 224, 1000}, "MobileNet v3 small, 3x224x224"},
    {"squeezenet11", squeezenet_1_1, {1, 224, 1000}, "SqueezeNet 1.1, 3x224x224"},
    {"mobilenetv2_32", mobilenet_v2_small_picture, {1, 32, 10}, "MobileNet v2 for small pictures, 3x32x32"},
    {"resnet20", resnet20, {1, 32, 10}, "ResNet-20 for small pictures, 3x32x32"},
    {"resnet32", resnet32, {1, 32, 10}, "ResNet-32 for small pictures, 3x32x32"},
    {"resnet56", resnet56, {1, 32, 10}, "ResNet-56 for small pictures, 3x32x32"},
    {"lenet300", lenet_300_100, {1, 28, 10}, "LeNet-300-100, 1x28x28"},
    {"lenet5", lenet5, {1, 28, 10}, "LeNet-5 in the form of pruning papers, 1x28x28"},
    {"resnet34", resnet34, {1, 224, 1000}, "ResNet-34, 3x224x224"},
    {"resnet18", resnet18, {1, 224, 1000}, "ResNet-18, 3x224x224"},
    {"resnet50", resnet50, {1, 224, 1000}, "ResNet-50, 3x224x224"},
    {"efficientnetb0", efficientnet_b0, {1, 224, 1000}, "EfficientNet-B0, 3x224x224"},
    {"encoder4x256", encoder_4x256, {0, 0, 0}, "transformer encoder, 4 blocks of width 256, 128 tokens"},
};

const Network& find_network(std::string_view name) {
  for (const Network& network : networks) {
    if (network.name == name) return network;
  }
  const std::vector<std::string> all = names();
  const std::string near = nearest(name, all);
  throw UsageError(cat("the zoo has no network ", quoted(name), near.empty() ? "" : cat("; did you mean ", near, "?")),
                   cat("one of ", join(all, ", ")));
}

template <typename T>
T parse_number(std::string_view setting, std::string_view text, T lowest, T highest) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= lowest && value <= highest)) {
    throw UsageError(cat("zoo setting ", setting, " is ", quoted(text)),
                     cat("a number from ", lowest, " to ", highest));
  }
  return value;
}

void read_setting(std::string_view text, ZooOptions& options) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == text.npos ? std::string_view() : text.substr(equals + 1);
  if (text == "int8") {
    options.quantized = true;
  } else if (text == "batch_norm") {
    options.batch_norm = true;
  } else if (name == "width") {
    options.width = parse_number(name, value, 0.01, 16.0);
  } else if (name == "resolution") {
    options.resolution = parse_number<std::int64_t>(name, value, 8, 4096);
  } else if (name == "classes") {
    options.classes = parse_number<std::int64_t>(name, value, 1, 1'000'000);
  } else if (name == "batch") {
    options.batch = parse_number<std::int64_t>(name, value, 0, 65536);
  } else if (name == "seed") {
    options.seed = parse_number<std::uint64_t>(name, value, 0, ~std::uint64_t{0});
  } else {
    throw UsageError(cat("the zoo has no setting ", quoted(text)),
                     "int8, batch_norm, width=0.5, resolution=96, classes=10, batch=4 (0: left open), seed=7");
  }
}

template <typename T>
void choose(T& setting, const std::optional<T>& wanted, std::string_view network, std::string_view name) {
  if (!wanted) return;
  if (setting == T{}) throw UsageError(cat("network ", network, " of the zoo has no ", name));
  setting = *wanted;
}

}  // namespace

const std::vector<ZooEntry>& entries() {
  static const std::vector<ZooEntry> all = [] {
    std::vector<ZooEntry> list;
    for (const Network& network : networks) {
      list.push_back({std::string(network.name), std::string(network.summary)});
    }
    return list;
  }();
  return all;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const ZooEntry& entry : entries()) all.push_back(entry.name);
  return all;
}

Graph build(std::string_view description, ZooOptions options) {
  const std::vector<std::string> parts = split(description, ',');
  const Network& network = find_network(parts.empty() ? std::string_view() : std::string_view(parts[0]));
  for (std::size_t i = 1; i < parts.size(); ++i) read_setting(parts[i], options);
  if (options.quantized && options.batch_norm) throw UsageError("a quantized network of the zoo has no batch norms");
  Settings settings = network.settings;
  choose(settings.width, options.width, network.name, "width");
  choose(settings.resolution, options.resolution, network.name, "resolution");
  choose(settings.classes, options.classes, network.name, "classes");
  return network.build(Builder(std::string(network.name), options), settings);
}

}  // namespace adze::zoo

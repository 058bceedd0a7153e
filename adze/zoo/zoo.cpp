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

constexpr Settings picture(std::int64_t resolution, int variant) {
  return {.variant = variant, .width = 1, .resolution = resolution, .classes = 1000};
}
constexpr Settings large_picture = picture(224, 0);
constexpr Settings small_picture(std::int64_t layers, int variant = 0) {
  return {.variant = variant, .width = 1, .resolution = 32, .classes = 10, .layers = layers};
}

constexpr Network networks[] = {
    {"resnet8", resnet8, {.width = 1, .resolution = 32, .classes = 10}, "MLPerf Tiny image classification, 3x32x32"},
    {"dscnn",
     ds_cnn,
     {.width = 1, .classes = 12, .features = 10, .context = 49},
     "MLPerf Tiny keyword spotting, 1x49x10; DS-CNN small"},
    {"mobilenetv1_025_96",
     mobilenet_v1_tiny,
     {.width = 0.25, .resolution = 96, .classes = 2},
     "MLPerf Tiny visual wake words, 3x96x96"},
    {"fcae", autoencoder, {.width = 1, .classes = 640}, "MLPerf Tiny anomaly detection, autoencoder of 640 numbers"},
    {"mobilenetv1", mobilenet_v1, large_picture, "MobileNet v1, 3x224x224"},
    {"mobilenetv2", mobilenet_v2, large_picture, "MobileNet v2, 3x224x224"},
    {"mobilenetv3s", mobilenet_v3_small, large_picture, "MobileNet v3 small, 3x224x224"},
    {"squeezenet11", squeezenet, picture(224, 11), "SqueezeNet 1.1, 3x224x224"},
    {"resnet18", resnet, picture(224, 18), "ResNet-18, 3x224x224"},
    {"resnet50", resnet, picture(224, 50), "ResNet-50, 3x224x224"},
    {"efficientnetb0", efficientnet, picture(224, 0), "EfficientNet-B0, 3x224x224"},
    {"encoder4x256",
     encoder,
     {.layers = 4, .heads = 4, .features = 256, .context = 128},
     "transformer encoder, 4 blocks of width 256, 128 tokens"},
    {"resnet20", cifar_resnet, small_picture(3), "ResNet-20 for CIFAR, 3x32x32"},
    {"resnet32", cifar_resnet, small_picture(5), "ResNet-32 for CIFAR, 3x32x32"},
    {"resnet56", cifar_resnet, small_picture(9), "ResNet-56 for CIFAR, 3x32x32"},
    {"resnet20a", cifar_resnet, small_picture(3, 1), "ResNet-20 whose shortcuts have no weights, 3x32x32"},
    {"resnet56a", cifar_resnet, small_picture(9, 1), "ResNet-56 whose shortcuts have no weights, 3x32x32"},
    {"mobilenetv2_32",
     mobilenet_v2_cifar,
     {.width = 1, .resolution = 32, .classes = 10},
     "MobileNet v2 for CIFAR, 3x32x32"},
    {"vggsmall", vgg_small, {.width = 1, .resolution = 32, .classes = 10}, "VGG-Small for CIFAR, 3x32x32"},
    {"resnet34", resnet, picture(224, 34), "ResNet-34, 3x224x224"},
    {"seresnet50", se_resnet50, large_picture, "SE-ResNet-50, 3x224x224"},
    {"resnext50", resnext50, large_picture, "ResNeXt-50 32x4d, 3x224x224"},
    {"mobilenetv3l", mobilenet_v3_large, large_picture, "MobileNet v3 large, 3x224x224"},
    {"squeezenet10", squeezenet, picture(224, 10), "SqueezeNet 1.0, 3x224x224"},
    {"efficientnetb1", efficientnet, picture(240, 1), "EfficientNet-B1, 3x240x240"},
    {"efficientnetb2", efficientnet, picture(260, 2), "EfficientNet-B2, 3x260x260"},
    {"efficientnetb3", efficientnet, picture(300, 3), "EfficientNet-B3, 3x300x300"},
    {"efficientnetb4", efficientnet, picture(380, 4), "EfficientNet-B4, 3x380x380"},
    {"efficientnetb5", efficientnet, picture(456, 5), "EfficientNet-B5, 3x456x456"},
    {"efficientnetb6", efficientnet, picture(528, 6), "EfficientNet-B6, 3x528x528"},
    {"efficientnetb7", efficientnet, picture(600, 7), "EfficientNet-B7, 3x600x600"},
    {"dscnn_m",
     ds_cnn,
     {.variant = 1, .width = 1, .classes = 12, .features = 10, .context = 49},
     "DS-CNN medium of Hello Edge, 1x49x10"},
    {"dscnn_l",
     ds_cnn,
     {.variant = 2, .width = 1, .classes = 12, .features = 10, .context = 49},
     "DS-CNN large of Hello Edge, 1x49x10"},
    {"lstm",
     lstm,
     {.classes = 12, .features = 10, .context = 49, .units = 118},
     "LSTM classifier of Hello Edge, 49 steps of 10"},
    {"gru",
     gru,
     {.classes = 12, .features = 10, .context = 25, .units = 154},
     "GRU classifier of Hello Edge, 25 steps of 10"},
    {"lenet300", lenet_300_100, {.width = 1, .resolution = 28, .classes = 10}, "LeNet-300-100, 1x28x28"},
    {"lenet5", lenet5, {.width = 1, .resolution = 28, .classes = 10}, "LeNet-5 as in Caffe, 1x28x28"},
    {"mlp",
     mlp,
     {.classes = 10, .layers = 2, .units = 256, .inputs = 784},
     "hidden layers of equal width, 784 numbers"},
    {"gpt",
     gpt,
     {.layers = 4, .heads = 4, .features = 128, .context = 64, .vocabulary = 65},
     "GPT over characters, 4 blocks of width 128, 64 tokens"},
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

struct SizeName {
  std::string_view name;
  std::int64_t Settings::*member;
  std::int64_t largest;
};
constexpr SizeName size_names[] = {{"layers", &Settings::layers, 1000},
                                   {"heads", &Settings::heads, 1024},
                                   {"features", &Settings::features, 65536},
                                   {"context", &Settings::context, 65536},
                                   {"vocabulary", &Settings::vocabulary, 10'000'000},
                                   {"units", &Settings::units, 65536},
                                   {"inputs", &Settings::inputs, 100'000'000}};

const SizeName* find_size(std::string_view name) {
  for (const SizeName& size : size_names) {
    if (size.name == name) return &size;
  }
  return nullptr;
}

void read_setting(std::string_view text, ZooOptions& options) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == text.npos ? std::string_view() : text.substr(equals + 1);
  if (text == "int8") {
    options.quantized = true;
  } else if (text == "batch_norm") {
    options.batch_norm = true;
  } else if (text == "logits") {
    options.logits = true;
  } else if (text == "cache") {
    options.cache = true;
  } else if (text == "zeros") {
    options.zeros = true;
  } else if (text == "train") {
    options.training = true;
    options.batch = 0;
  } else if (const SizeName* size = find_size(name)) {
    options.sizes[std::string(name)] = parse_number<std::int64_t>(name, value, 1, size->largest);
  } else if (name == "dropout") {
    options.dropout = parse_number(name, value, 0.0, 0.95);
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
    throw UsageError(
        cat("the zoo has no setting ", quoted(text)),
        "int8, batch_norm, logits, train, cache, dropout=0.2, width=0.5, resolution=96, classes=10, batch=4 (0: "
        "left open), seed=7; "
        "layers=, heads=, features=, context=, vocabulary=, units=, inputs= where a network has them");
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
  if (options.cache && network.build != gpt) {
    throw UsageError(cat("network ", network.name, " of the zoo keeps no keys and values"), "zoo:gpt,cache");
  }
  Settings settings = network.settings;
  choose(settings.width, options.width, network.name, "width");
  choose(settings.resolution, options.resolution, network.name, "resolution");
  choose(settings.classes, options.classes, network.name, "classes");
  for (const auto& [name, wanted] : options.sizes) {
    const SizeName* size = find_size(name);
    if (size == nullptr) throw UsageError(cat("the zoo has no size ", quoted(name)));
    choose(settings.*size->member, std::optional(wanted), network.name, name);
  }
  return network.build(Builder(std::string(network.name), options), settings);
}

}  // namespace adze::zoo

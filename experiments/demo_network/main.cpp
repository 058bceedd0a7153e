// Trains the network of `./dev demo` on adze's drawn pictures and writes it as ONNX:
//   demo_network OUTPUT.onnx [EPOCHS] [SEED]
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

#include "adze/data/preprocessing.h"
#include "adze/data/synthetic.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "layers.h"

namespace demo {
namespace {

constexpr int batch_size = 64;
constexpr double top_rate = 0.08;
constexpr float momentum = 0.9F;
constexpr float weight_decay = 3e-4F;
constexpr int classes = static_cast<int>(adze::synthetic_classes);
constexpr int side = static_cast<int>(adze::synthetic_side);

void add_block(Layers& layers, int in, int out, int stride, adze::Random& random) {
  layers.push_back(depthwise(in, 3, stride, random));
  layers.push_back(batch_norm(in));
  layers.push_back(relu());
  layers.push_back(convolution(in, out, 1, 1, random));
  layers.push_back(batch_norm(out));
}

Layers make_network(adze::Random& random) {
  Layers net;
  net.push_back(convolution(3, 16, 3, 1, random));
  net.push_back(batch_norm(16));
  net.push_back(relu());
  add_block(net, 16, 24, 2, random);
  net.push_back(relu());
  Layers dense;
  dense.push_back(convolution(24, 24, 3, 1, random));
  dense.push_back(batch_norm(24));
  dense.push_back(relu());
  dense.push_back(convolution(24, 24, 3, 1, random));
  dense.push_back(batch_norm(24));
  net.push_back(residual(std::move(dense)));
  net.push_back(relu());
  add_block(net, 24, 64, 2, random);
  net.push_back(relu());
  for (int i = 0; i < 2; ++i) {
    Layers separable;
    add_block(separable, 64, 64, 1, random);
    net.push_back(residual(std::move(separable)));
    net.push_back(relu());
  }
  net.push_back(classifier(64, classes, random));
  return net;
}

adze::Preprocessing preprocessing() {
  adze::Preprocessing how;
  how.width = how.height = side;
  how.channels = 3;
  how.scale = 1.0 / 255.0;
  how.mean = {0.5, 0.5, 0.5};
  how.stddev = {0.25, 0.25, 0.25};
  return how;
}

struct Examples {
  Activation input;
  std::vector<int> labels;
};

Examples load(adze::SyntheticSplit split, std::int64_t first, const std::vector<std::int64_t>& order, int count) {
  static const adze::Preprocessing how = preprocessing();
  Examples examples{Activation(3, count, side, side), {}};
  for (int b = 0; b < count; ++b) {
    const std::int64_t index = first + (order.empty() ? b : order[static_cast<std::size_t>(b)]);
    const adze::Tensor sample = adze::preprocess(adze::draw_synthetic(split, index), how);
    const auto values = sample.data<float>();
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < side * side; ++i) examples.input.row(c)[b * side * side + i] = values[c * side * side + i];
    }
    examples.labels.push_back(static_cast<int>(adze::synthetic_label(index)));
  }
  return examples;
}

Activation forward(Layers& net, const Activation& input, Phase phase) {
  Activation value = input;
  for (auto& layer : net) value = layer->forward(value, phase);
  return value;
}

/// Cross entropy's gradient by the logits, and how many are right and the summed loss.
Activation loss_gradient(const Activation& logits, const std::vector<int>& labels, int& correct, double& loss) {
  Activation gradient = logits;
  for (int b = 0; b < logits.batch; ++b) {
    int best = 0;
    for (int k = 1; k < classes; ++k) best = logits.row(k)[b] > logits.row(best)[b] ? k : best;
    const float peak = logits.row(best)[b];
    double sum = 0.0;
    for (int k = 0; k < classes; ++k) sum += std::exp(logits.row(k)[b] - peak);
    const int truth = labels[static_cast<std::size_t>(b)];
    for (int k = 0; k < classes; ++k) {
      const double probability = std::exp(logits.row(k)[b] - peak) / sum;
      gradient.row(k)[b] = static_cast<float>((probability - (k == truth ? 1.0 : 0.0)) / logits.batch);
    }
    loss -= logits.row(truth)[b] - peak - std::log(sum);
    correct += best == truth ? 1 : 0;
  }
  return gradient;
}

void update(Layers& net, float rate) {
  for (auto& layer : net) {
    for (Parameter* parameter : layer->parameters()) {
      const float decay = parameter->decays ? weight_decay : 0.0F;
      for (std::size_t i = 0; i < parameter->value.size(); ++i) {
        float& velocity = parameter->velocity[i];
        velocity = momentum * velocity + parameter->gradient[i] + decay * parameter->value[i];
        parameter->value[i] -= rate * velocity;
        parameter->gradient[i] = 0.0F;
      }
    }
  }
}

double test_accuracy(Layers& net) {
  int correct = 0;
  double loss = 0.0;
  const std::int64_t count = adze::synthetic_size(adze::SyntheticSplit::Test);
  for (std::int64_t first = 0; first < count; first += 100) {
    const Examples examples = load(adze::SyntheticSplit::Test, first, {}, 100);
    loss_gradient(forward(net, examples.input, Phase::Inference), examples.labels, correct, loss);
  }
  return static_cast<double>(correct) / static_cast<double>(count);
}

void train(Layers& net, int epochs, adze::Random& random) {
  const std::int64_t count = adze::synthetic_size(adze::SyntheticSplit::Train);
  const std::int64_t steps = count / batch_size;
  const auto start = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto order = adze::random_permutation(count, random);
    int correct = 0;
    double loss = 0.0;
    for (std::int64_t step = 0; step < steps; ++step) {
      const double part = static_cast<double>(epoch * steps + step) / static_cast<double>(epochs * steps);
      // The drawn stream goes on beyond the split, so every epoch sees new pictures.
      const std::vector<std::int64_t> chosen(order.begin() + step * batch_size,
                                             order.begin() + (step + 1) * batch_size);
      const Examples examples = load(adze::SyntheticSplit::Train, epoch * count, chosen, batch_size);
      Activation gradient =
          loss_gradient(forward(net, examples.input, Phase::Training), examples.labels, correct, loss);
      for (auto layer = net.rbegin(); layer != net.rend(); ++layer) gradient = (*layer)->backward(gradient);
      update(net, static_cast<float>(0.5 * top_rate * (1.0 + std::cos(std::numbers::pi * part))));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("epoch %2d  loss %.4f  train %.4f  test %.4f  %.0f s\n", epoch + 1, loss / (steps * batch_size),
                static_cast<double>(correct) / (steps * batch_size), test_accuracy(net), seconds);
    std::fflush(stdout);
  }
}

void write(const Layers& net, const char* path, double accuracy) {
  adze::Graph graph;
  graph.name = "demo";
  graph.doc = "Recognises twelve drawn symbols; trained by experiments/demo_network on adze's own drawn pictures.";
  adze::SymbolicShape shape = {adze::Dim::named("batch"), 3, side, side};
  adze::ValueId value = graph.add_input("input", adze::ValueType::tensor(adze::DType::F32, shape));
  int index = 0;
  for (const auto& layer : net) value = layer->append_to(graph, value, "layer" + std::to_string(index++));
  graph.add_output(value);
  std::string names = "[";
  for (const auto& name : adze::synthetic_class_names()) names += (names.size() > 1 ? ", \"" : "\"") + name + "\"";
  graph.metadata["adze.classes"] = names + "]";
  graph.metadata["adze.preprocessing"] = adze::preprocessing_json(preprocessing());
  graph.metadata["demo.test_accuracy"] = std::to_string(accuracy);
  adze::infer_types(graph);
  adze::verify(graph);
  adze::onnx::write(graph, path);
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::puts("usage: demo_network OUTPUT.onnx [EPOCHS] [SEED]");
    return 2;
  }
  adze::Random random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  Layers net = make_network(random);
  train(net, argc > 2 ? std::atoi(argv[2]) : 12, random);
  const double accuracy = test_accuracy(net);
  write(net, argv[1], accuracy);
  std::printf("%s: %.4f on the test pictures\n", argv[1], accuracy);
  return 0;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  try {
    return demo::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}

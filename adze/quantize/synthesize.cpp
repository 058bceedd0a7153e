#include "adze/quantize/synthesize.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/data/preprocessing.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/ptq.h"
#include "adze/train/learner.h"

namespace adze::quantize {

namespace {

struct NotedLayer {
  ValueId output;
  ChannelStatistics wanted;
};

std::vector<NotedLayer> noted_layers(const Graph& graph) {
  std::vector<NotedLayer> layers;
  for (const NodeId id : topological_order(graph)) {
    if (auto statistics = noted_statistics(graph.node(id))) {
      layers.push_back({graph.node(id).output(), std::move(*statistics)});
    }
  }
  return layers;
}

Shape input_shape(const Graph& graph, std::int64_t batch) {
  const auto refuse = [&](const std::string& why) {
    throw UnsupportedError(cat("samples cannot be made up: ", why), ErrorPlace{graph.source_file, "", ""},
                           "give calibration data");
  };
  if (graph.inputs().size() != 1) refuse("the network has several inputs");
  const ValueType& type = graph.value(graph.inputs()[0]).type;
  if (type.dtype != DType::F32 || !type.shape || type.shape->empty())
    refuse("the input is no float tensor of known rank");
  Shape shape{batch};
  for (std::size_t i = 1; i < type.shape->size(); ++i) {
    if (!(*type.shape)[i].is_known()) refuse("the input's shape is not known");
    shape.push_back((*type.shape)[i].value);
  }
  return shape;
}

/// The derivative of (mean - wanted)² + (deviation - wanted)², in units of the wanted variance, by each number of
/// [batch, channels, …]; the loss is added up.
Tensor statistics_gradient(const Tensor& values, const ChannelStatistics& wanted, double& loss) {
  const auto channels = static_cast<std::int64_t>(wanted.mean.size());
  std::int64_t inner = 1;
  for (std::int64_t i = 2; i < values.rank(); ++i) inner *= values.dim(i);
  const std::int64_t batch = values.dim(0);
  const auto count = static_cast<double>(batch * inner);
  const auto from = values.data<float>();
  Tensor gradient(DType::F32, values.shape());
  const auto to = gradient.mutable_data<float>();
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const auto visit = [&](const auto& take) {
      for (std::int64_t b = 0; b < batch; ++b) {
        const std::int64_t first = (b * channels + channel) * inner;
        for (std::int64_t i = first; i < first + inner; ++i) take(static_cast<std::size_t>(i));
      }
    };
    double sum = 0, squares = 0;
    visit([&](std::size_t i) { sum += from[i]; });
    const double mean = sum / count;
    visit([&](std::size_t i) { squares += (from[i] - mean) * (from[i] - mean); });
    const double deviation = std::sqrt(squares / count) + 1e-6;
    const auto at = static_cast<std::size_t>(channel);
    const double unit = 1 / std::max(1e-8, wanted.deviation[at] * wanted.deviation[at]);
    const double off = mean - wanted.mean[at], wide = deviation - wanted.deviation[at];
    loss += unit * (off * off + wide * wide) / static_cast<double>(channels);
    const double scale = 2 * unit / (count * static_cast<double>(channels));
    visit([&](std::size_t i) { to[i] = static_cast<float>(scale * (off + wide * (from[i] - mean) / deviation)); });
  }
  return gradient;
}

/// Adam over the numbers of one batch. Source  Kingma and Ba, arXiv:1412.6980
struct Adam {
  std::vector<float> mean, square;
  int steps = 0;

  void step(std::span<float> values, std::span<const float> gradient, double rate) {
    mean.resize(values.size());
    square.resize(values.size());
    ++steps;
    const auto now = static_cast<float>(rate * std::sqrt(1 - std::pow(0.999, steps)) / (1 - std::pow(0.9, steps)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      mean[i] = 0.9F * mean[i] + 0.1F * gradient[i];
      square[i] = 0.999F * square[i] + 0.001F * gradient[i] * gradient[i];
      values[i] -= now * mean[i] / (std::sqrt(square[i]) + 1e-12F);
    }
  }
};

class Synthesizer {
 public:
  Synthesizer(const Graph& graph, const SyntheticOptions& options)
      : graph_(prepared(graph)), options_(options), layers_(noted_layers(graph_)), random_(options.seed) {
    if (layers_.empty()) {
      throw UnsupportedError("samples cannot be made up: no layer has batch-norm statistics",
                             ErrorPlace{graph.source_file, "", ""},
                             "quantize the network before its batch norms are folded, or give calibration data");
    }
    std::vector<ValueId> outputs;
    for (const NotedLayer& layer : layers_) outputs.push_back(layer.output);
    graph_.set_outputs(outputs);
    infer_types(graph_);
    const Preprocessing preprocessing = preprocessing_of(graph_);
    const auto first = [](const std::vector<double>& list, double fallback) {
      return list.empty() ? fallback : list[0];
    };
    low_ = static_cast<float>((0 - first(preprocessing.mean, 0)) / first(preprocessing.stddev, 1));
    high_ =
        static_cast<float>((255 * preprocessing.scale - first(preprocessing.mean, 0)) / first(preprocessing.stddev, 1));
  }

  Tensor make(ProgressPhase& phase) {
    Tensor batch(DType::F32, input_shape(graph_, options_.batch));
    const float middle = (low_ + high_) / 2, deviation = (high_ - low_) / 4;
    for (float& value : batch.mutable_data<float>()) {
      value = std::clamp(middle + deviation * static_cast<float>(random_.normal()), low_, high_);
    }
    Adam adam;
    train::Plugin& plugin = train::plugin();
    double begun = 0, ended = 0;
    for (int iteration = 0; iteration < options_.iterations; ++iteration) {
      check_cancelled();
      const Tensor input[] = {batch};
      const std::vector<Tensor> outputs = plugin.forward(graph_, input);
      std::vector<Tensor> weights;
      ended = 0;
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        weights.push_back(statistics_gradient(outputs[i], layers_[i].wanted, ended));
      }
      if (iteration == 0) begun = ended;
      const Tensor gradient = plugin.input_gradients(graph_, input, weights)[0];
      adam.step(batch.mutable_data<float>(), gradient.data<float>(), options_.learning_rate * deviation);
      for (float& value : batch.mutable_data<float>()) value = std::clamp(value, low_, high_);
    }
    phase.advance(options_.batch, cat("distance to the statistics ", begun, " -> ", ended));
    return batch;
  }

 private:
  Graph graph_;
  const SyntheticOptions& options_;
  std::vector<NotedLayer> layers_;
  Random random_;
  float low_ = 0, high_ = 1;
};

}  // namespace

CalibrationData synthetic_samples(const Graph& graph, const SyntheticOptions& options, ProgressSink& progress) {
  Synthesizer synthesizer(graph, options);
  const std::int64_t batches = std::max<std::int64_t>(1, (options.samples + options.batch - 1) / options.batch);
  ProgressPhase phase(progress, "made-up samples", batches * options.batch, "samples");
  auto made = std::make_shared<std::vector<Tensor>>();
  for (std::int64_t i = 0; i < batches; ++i) made->push_back(synthesizer.make(phase));
  return {batches,
          [made](std::int64_t index) { return std::vector<Tensor>{(*made)[static_cast<std::size_t>(index)]}; }};
}

}  // namespace adze::quantize

#include "adze/quantize/calibration.h"

#include <algorithm>
#include <map>

#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/engine/session.h"

namespace adze::quantize {

namespace {

/// The first `count` samples of a batch; inputs that are not batched (another first dimension) stay whole.
std::vector<Tensor> first_samples(std::vector<Tensor> inputs, std::int64_t count) {
  const std::int64_t have = inputs[0].dim(0);
  for (Tensor& input : inputs) {
    if (input.rank() == 0 || input.dim(0) != have) continue;
    Shape shape = input.shape();
    const std::int64_t bytes = input.num_bytes() / have * count;
    shape[0] = count;
    Tensor part(input.dtype(), shape);
    std::copy_n(input.bytes().begin(), bytes, part.mutable_bytes().begin());
    input = std::move(part);
  }
  return inputs;
}

std::int64_t samples_of(const std::vector<Tensor>& inputs) {
  return inputs[0].rank() == 0 ? 1 : inputs[0].dim(0);
}

/// Adds tensors to the histograms of the values that are wanted.
class Gatherer {
 public:
  Gatherer(const Graph& graph, std::span<const ValueId> values, Observations& observations)
      : graph_(graph), observations_(observations) {
    for (const ValueId value : values) {
      observations_.histograms[value];
      wanted_.emplace(graph.value(value).name, value);
    }
  }

  void see(std::string_view name, const Tensor& tensor) {
    const auto wanted = wanted_.find(name);
    if (wanted == wanted_.end()) return;
    const ValueId id = wanted->second;
    const auto found = observations_.histograms.find(id);
    if (tensor.dtype() != DType::F32) {
      throw InternalError(
          cat("calibration of ", adze::quoted(graph_.value(id).name), ", which is ", type_text(tensor)));
    }
    const auto values = tensor.data<float>();
    found->second.add(values);
    if (!values.empty()) {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      observations_.moving[id].add(*low, *high);
    }
    if (found->second.non_finite() > 0) refuse(id, found->second.non_finite());
  }

 private:
  [[noreturn]] void refuse(ValueId id, std::int64_t count) const {
    const Node* producer = graph_.producer_of(id);
    throw ModelError(
        cat("calibration: ", count, " elements of value ", adze::quoted(graph_.value(id).name), " are NaN or infinite"),
        producer != nullptr ? place_of(graph_, *producer) : ErrorPlace{graph_.source_file, "", ""},
        "check the calibration data and its preprocessing, or keep the node float with --skip");
  }

  const Graph& graph_;
  Observations& observations_;
  std::map<std::string, ValueId, std::less<>> wanted_;
};

}  // namespace

CalibrationData calibration_from(std::vector<std::vector<Tensor>> batches) {
  const auto count = static_cast<std::int64_t>(batches.size());
  return {count,
          [batches = std::move(batches)](std::int64_t batch) { return batches[static_cast<std::size_t>(batch)]; }};
}

CalibrationData calibration_from(std::shared_ptr<const Dataset> dataset, std::int64_t samples, std::int64_t batch_size,
                                 std::uint64_t seed) {
  if (batch_size < 1) throw UsageError(cat("the batch size is ", batch_size));
  const std::vector<std::int64_t> indices = sample_indices(*dataset, samples, seed);
  const auto count = static_cast<std::int64_t>(indices.size());
  const auto batch = [dataset = std::move(dataset), indices, batch_size, count](std::int64_t index) {
    std::vector<Tensor> inputs;
    for (std::int64_t i = index * batch_size; i < std::min(count, (index + 1) * batch_size); ++i) {
      if (auto sample = dataset->try_get(indices[static_cast<std::size_t>(i)])) inputs.push_back(sample->input);
    }
    std::vector<Tensor> result;
    if (!inputs.empty()) result.push_back(stack(inputs));
    return result;
  };
  return {(count + batch_size - 1) / batch_size, batch};
}

void MovingRange::add(double batch_low, double batch_high) {
  constexpr std::int64_t memory = 100;
  ++batches;
  const double weight = 1.0 / static_cast<double>(std::min(batches, memory));
  low += weight * (batch_low - low);
  high += weight * (batch_high - high);
}

void MovingRange::merge(const MovingRange& other) {
  if (other.batches == 0) return;
  const double share = static_cast<double>(other.batches) / static_cast<double>(batches + other.batches);
  low += share * (other.low - low);
  high += share * (other.high - high);
  batches += other.batches;
}

void Observations::merge(const Observations& other) {
  for (const auto& [value, histogram] : other.histograms) histograms[value].merge(histogram);
  for (const auto& [value, range] : other.moving) moving[value].merge(range);
  num_samples += other.num_samples;
}

SessionOptions float_session_options() {
  SessionOptions options;
  options.threads = 0;
  options.integer = false;
  return options;
}

std::int64_t run_samples(Session& session, const CalibrationData& data, std::int64_t max_samples,
                         std::string_view phase_name, ProgressSink& progress) {
  ProgressPhase phase(progress, phase_name, max_samples, "samples");
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < data.num_batches; ++i) {
    check_cancelled();
    if (max_samples > 0 && total >= max_samples) break;
    std::vector<Tensor> inputs = data.batch(i);
    if (inputs.empty()) continue;  // nothing in it could be decoded
    std::int64_t samples = samples_of(inputs);
    if (max_samples > 0 && total + samples > max_samples) {
      samples = max_samples - total;
      inputs = first_samples(std::move(inputs), samples);
    }
    session.run(inputs);
    total += samples;
    phase.advance(samples);
  }
  if (total == 0) {
    throw ModelError("calibration: the data holds no sample", {},
                     "static quantization needs some; 256 are a good start");
  }
  return total;
}

Observations observe(const Graph& graph, std::span<const ValueId> values, const CalibrationData& data,
                     std::int64_t max_samples, ProgressSink& progress) {
  Observations observations;
  Gatherer gatherer(graph, values, observations);
  Session session(graph, float_session_options());
  session.observe([&](std::string_view name, const Tensor& tensor) { gatherer.see(name, tensor); });
  observations.num_samples = run_samples(session, data, max_samples, "calibrate", progress);
  return observations;
}

}  // namespace adze::quantize

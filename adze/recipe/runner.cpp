#include "adze/recipe/runner.h"

#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"

namespace adze {

namespace {

std::shared_ptr<Session> compiled(const Graph& graph, bool integer, Compute compute = Compute::F32) {
  SessionOptions options;
  options.threads = 0;  // as many as --threads says
  options.integer = integer;
  options.compute = compute;
  return std::make_shared<Session>(graph, options);
}

}  // namespace

RunFunction make_runner(const Graph& graph, Executor executor, Compute compute) {
  if (executor == Executor::Reference) {
    auto copy = std::make_shared<const Graph>(graph);
    return [copy](std::span<const Tensor> inputs) {
      return reference::run_tensors(*copy, {inputs.begin(), inputs.end()});
    };
  }
  auto session = compiled(graph, true, compute);
  return [session](std::span<const Tensor> inputs) { return session->run(inputs); };
}

ObservedRunFunction make_observed_runner(const Graph& graph) {
  auto session = compiled(graph, false);
  return [session](std::span<const Tensor> inputs, const ObserveFunction& observe) {
    session->observe(observe);
    return session->run(inputs);
  };
}

std::int64_t batch_size_for(const Graph& graph, std::int64_t wanted) {
  if (graph.inputs().empty()) return wanted;
  const auto& shape = graph.value(graph.inputs()[0]).type.shape;
  if (!shape || shape->empty() || !shape->front().is_known()) return wanted;
  return std::max<std::int64_t>(1, shape->front().value);
}

std::shared_ptr<Dataset> open_data(const Graph& graph, const DataRequest& request) {
  Preprocessing preprocessing = preprocessing_of(graph);
  if (!request.preprocessing.empty()) {
    preprocessing = parse_preprocessing_flags(request.preprocessing, std::move(preprocessing));
  }
  DatasetOptions options;
  options.split = request.split;
  options.strict = request.strict;
  options.label_column = request.label_column;
  return open_dataset(request.path, preprocessing, options);
}

quantize::CalibrationData calibration_data(const Graph& graph, std::shared_ptr<const Dataset> dataset,
                                           std::vector<std::int64_t> indices) {
  if (graph.inputs().size() != 1) {
    throw UnsupportedError(
        cat("calibration from a data set needs a network with one input; this one has ", graph.inputs().size()),
        {graph.source_file, "", ""});
  }
  constexpr std::int64_t default_batch = 16;
  const std::int64_t batch_size = batch_size_for(graph, default_batch);
  const auto count = static_cast<std::int64_t>(indices.size());
  quantize::CalibrationData data;
  data.num_batches = (count + batch_size - 1) / batch_size;
  data.batch = [dataset = std::move(dataset), indices = std::move(indices), batch_size,
                count](std::int64_t batch) -> std::vector<Tensor> {
    std::vector<Tensor> samples;
    for (std::int64_t i = batch * batch_size; i < std::min(count, (batch + 1) * batch_size); ++i) {
      if (auto sample = dataset->try_get(indices[static_cast<std::size_t>(i)]))
        samples.push_back(std::move(sample->input));
    }
    if (samples.empty()) return {};
    return {stack(samples)};
  };
  return data;
}

}  // namespace adze

#include "adze/recipe/runner.h"

#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/evaluate/sequences.h"

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
    return run_sequences(graph, [copy](std::span<const Tensor> inputs) {
      return reference::run_tensors(*copy, {inputs.begin(), inputs.end()});
    });
  }
  auto session = compiled(graph, true, compute);
  return run_sequences(graph, [session](std::span<const Tensor> inputs) { return session->run(inputs); });
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

namespace {

quantize::CalibrationData batches_of(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices,
                                     std::int64_t batch_size) {
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

/// Each batch is one call of the network; its states are those that the calls before it left. Samples of one call each
/// follow on one another: they are the sequence.
class CallsOfSequences {
 public:
  CallsOfSequences(const Graph& graph, quantize::CalibrationData sequences, std::int64_t time)
      : data_(std::move(sequences)), sequences_(graph, std::max<std::int64_t>(1, time / calls_a_sequence)) {
    sequences_.require_one_data_input();
    for (std::int64_t i = 0; i < data_.num_batches && calls_ == 0; ++i) {
      const std::vector<Tensor> first = data_.batch(i);
      if (!first.empty()) calls_ = sequences_.num_calls(first[0]);
    }
    session_ = compiled(graph, false);
  }

  std::int64_t num_calls() const { return data_.num_batches * std::max<std::int64_t>(calls_, 1); }

  /// Calls in order cost one more run each; others begin at the sequence's first.
  std::vector<Tensor> inputs(std::int64_t call) {
    const std::int64_t calls = std::max<std::int64_t>(calls_, 1), batch = call / calls;
    const bool follows = call == next_ && (calls == 1 || batch == batch_);
    if (!follows) {
      before_.clear();
      next_ = calls == 1 ? call : batch * calls;
    }
    if (batch != batch_ || !follows) {
      const std::vector<Tensor> sequences = data_.batch(batch);
      batch_ = batch;
      current_ = sequences.empty() ? std::nullopt : std::optional(sequences[0]);
    }
    std::vector<Tensor> given;
    for (; current_ && next_ <= call; ++next_) {
      if (!before_.empty() && before_batch_ != current_->dim(0)) before_.clear();
      given = sequences_.call(*current_, calls == 1 ? 0 : next_ - batch * calls, before_);
      before_ = session_->run(given);
      before_batch_ = current_->dim(0);
    }
    return given;
  }

 private:
  static constexpr std::int64_t calls_a_sequence = 4;  // where the network leaves the time of a call open

  quantize::CalibrationData data_;
  Sequences sequences_;
  std::shared_ptr<Session> session_;
  std::int64_t calls_ = 0;  ///< of a sequence
  std::int64_t next_ = 0;   ///< call that before_ goes into
  std::int64_t batch_ = -1, before_batch_ = 0;
  std::optional<Tensor> current_;
  std::vector<Tensor> before_;
};

}  // namespace

quantize::CalibrationData calibration_data(const Graph& graph, std::shared_ptr<const Dataset> dataset,
                                           std::vector<std::int64_t> indices) {
  const bool has_states = graph.inputs().size() > 1 && !find_states(graph).empty();
  if (graph.inputs().size() != 1 && !has_states) {
    throw UnsupportedError(
        cat("calibration from a data set needs a network with one input, besides states; this one has ",
            graph.inputs().size()),
        {graph.source_file, "", ""}, "name states with --state INPUT=OUTPUT");
  }
  constexpr std::int64_t default_batch = 16;
  quantize::CalibrationData data = batches_of(dataset, indices, batch_size_for(graph, default_batch));
  if (!has_states || indices.empty()) return data;
  const auto first = dataset->try_get(indices[0]);
  const std::int64_t time = first && first->input.rank() > 1 ? first->input.dim(1) : 1;
  auto calls = std::make_shared<CallsOfSequences>(graph, std::move(data), time);
  return {calls->num_calls(), [calls](std::int64_t call) { return calls->inputs(call); }};
}

}  // namespace adze

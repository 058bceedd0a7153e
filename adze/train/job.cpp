#include "adze/train/job.h"

#include <nlohmann/json.hpp>

#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/graph/text.h"

namespace adze::train {

using Json = nlohmann::ordered_json;

std::string epoch_text(const EpochResult& epoch) {
  const Json json = {{"epoch", epoch.epoch},
                     {"loss", epoch.loss},
                     {"accuracy", epoch.accuracy},
                     {"validation_loss", epoch.validation_loss},
                     {"validation_accuracy", epoch.validation_accuracy},
                     {"learning_rate", epoch.learning_rate},
                     {"samples_per_second", epoch.samples_per_second},
                     {"seconds", epoch.seconds}};
  return json.dump();
}

EpochResult epoch_from(const std::string& text) {
  const Json json = Json::parse(text);
  EpochResult epoch;
  epoch.epoch = json.at("epoch").get<std::int64_t>();
  epoch.loss = json.at("loss").get<double>();
  epoch.accuracy = json.at("accuracy").get<double>();
  epoch.validation_loss = json.at("validation_loss").get<double>();
  epoch.validation_accuracy = json.at("validation_accuracy").get<double>();
  epoch.learning_rate = json.at("learning_rate").get<double>();
  epoch.samples_per_second = json.at("samples_per_second").get<double>();
  epoch.seconds = json.at("seconds").get<double>();
  return epoch;
}

std::string job_of(const Graph& graph, std::int64_t samples, const TrainOptions& options) {
  const LearnerOptions& learner = options.learner;
  const std::string text = print_graph(graph);
  Json job = {{"network", sha256_hex(std::as_bytes(std::span(text)))},
              {"samples", samples},
              {"epochs", options.epochs},
              {"batch", options.batch_size},
              {"seed", options.seed},
              {"threads", learner.threads},
              {"optimizer", optimizer_name(learner.optimizer.kind)},
              {"momentum", learner.optimizer.momentum},
              {"weight_decay", learner.optimizer.weight_decay},
              {"schedule", schedule_name(options.schedule.kind)},
              {"learning_rate", options.schedule.learning_rate},
              {"warmup", options.schedule.warmup_epochs},
              {"precision", precision_name(learner.precision)},
              {"label_smoothing", learner.label_smoothing},
              {"clip_norm", learner.clip_norm},
              {"ema", learner.ema_decay},
              {"gradient_bits", learner.gradient_bits},
              {"augment", options.augment_text},
              {"processes", learner.workers.count},
              {"teachers", learner.distill.teachers.size()}};
  return job.dump();
}

void check_job(const std::string& wanted, const std::string& found, const std::filesystem::path& path) {
  const Json a = Json::parse(wanted), b = Json::parse(found, nullptr, false);
  if (a == b) return;
  std::string differing;
  for (const auto& [key, value] : a.items()) {
    if (!b.is_object() || !b.contains(key) || b[key] != value) {
      differing =
          cat(key, " is ", value.dump(), " now and was ", b.is_object() && b.contains(key) ? b[key].dump() : "absent");
      break;
    }
  }
  throw UsageError(cat("the checkpoint ", path.string(), " is of another job: ", differing),
                   "use the same options, or another --checkpoint");
}

}  // namespace adze::train

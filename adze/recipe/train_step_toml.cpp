#include "adze/recipe/train_step_toml.h"

#include "adze/quantize/bits.h"

namespace adze {

namespace {

/// A key of a training step and where its value goes.
template <typename T>
struct Key {
  const char* name;
  T TrainingSettings::*member;
};
constexpr Key<double> number_keys[] = {{"validation", &TrainingSettings::validation},
                                       {"learning_rate", &TrainingSettings::learning_rate},
                                       {"momentum", &TrainingSettings::momentum},
                                       {"weight_decay", &TrainingSettings::weight_decay},
                                       {"final_rate", &TrainingSettings::final_rate},
                                       {"warmup", &TrainingSettings::warmup},
                                       {"gamma", &TrainingSettings::gamma},
                                       {"label_smoothing", &TrainingSettings::label_smoothing},
                                       {"clip_norm", &TrainingSettings::clip_norm},
                                       {"ema", &TrainingSettings::ema},
                                       {"temperature", &TrainingSettings::temperature},
                                       {"teacher_weight", &TrainingSettings::teacher_weight},
                                       {"task_weight", &TrainingSettings::task_weight}};
constexpr Key<std::int64_t> count_keys[] = {{"epochs", &TrainingSettings::epochs},
                                            {"batch", &TrainingSettings::batch},
                                            {"patience", &TrainingSettings::patience},
                                            {"gradient_bits", &TrainingSettings::gradient_bits}};
constexpr Key<std::string> word_keys[] = {{"optimizer", &TrainingSettings::optimizer},
                                          {"schedule", &TrainingSettings::schedule},
                                          {"precision", &TrainingSettings::precision},
                                          {"loss", &TrainingSettings::loss},
                                          {"augment", &TrainingSettings::augment}};
constexpr Key<bool> flag_keys[] = {{"nesterov", &TrainingSettings::nesterov},
                                   {"keep_zeros", &TrainingSettings::keep_zeros},
                                   {"keep_values", &TrainingSettings::keep_values},
                                   {"last", &TrainingSettings::last}};
constexpr Key<std::vector<std::string>> list_keys[] = {
    {"milestones", &TrainingSettings::milestones}, {"freeze", &TrainingSettings::freeze},
    {"teachers", &TrainingSettings::teachers},     {"features", &TrainingSettings::features},
    {"attention", &TrainingSettings::attention},   {"blocks", &TrainingSettings::blocks}};

template <typename T, std::size_t size>
void read_keys(TomlReader& reader, TrainingSettings& settings, const Key<T> (&keys)[size]) {
  for (const Key<T>& key : keys) settings.*key.member = reader.get<T>(key.name, settings.*key.member);
}

}  // namespace

TrainStep read_train_step(TomlReader& reader) {
  TrainStep step;
  step.data.path = reader.get<std::string>("data", "");
  step.data.split = reader.get<std::string>("split", "");
  step.data.preprocessing = reader.get<std::string>("preprocessing", "");
  step.data.label_column = reader.get<std::string>("label_column", "");
  step.samples = reader.get<std::int64_t>("samples", step.samples);
  step.fresh = reader.get<bool>("fresh", step.fresh);
  step.unfold_batch_norm = reader.get<bool>("unfold_batch_norm", step.unfold_batch_norm);
  step.bits = reader.get<std::string>("quantize", step.bits);
  step.scales = reader.get<std::string>("scales", step.scales);
  step.end_bits = reader.get<std::int64_t>("end_bits", step.end_bits);
  step.layer_bits = reader.texts("layer_bits");
  step.calibration_samples = reader.get<std::int64_t>("calibration_samples", step.calibration_samples);
  read_keys(reader, step.settings, number_keys);
  read_keys(reader, step.settings, count_keys);
  read_keys(reader, step.settings, word_keys);
  read_keys(reader, step.settings, flag_keys);
  for (const auto& key : list_keys) step.settings.*key.member = reader.texts(key.name);
  // Words that cannot be are refused now, not when the earlier steps have run.
  trainer_options(step.settings, step.fresh, 0, 1);
  if (step.quantization_aware()) quantize::parse_bit_widths(step.bits);
  quantize::parse_layer_bits(step.layer_bits);
  return step;
}

namespace {

toml::array list_of(const std::vector<std::string>& texts) {
  toml::array list;
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

template <typename T, std::size_t size>
void print_keys(toml::table& table, const TrainingSettings& settings, const Key<T> (&keys)[size]) {
  const TrainingSettings usual;
  for (const Key<T>& key : keys) {
    if (settings.*key.member != usual.*key.member) table.insert(key.name, settings.*key.member);
  }
}

}  // namespace

void print_step(toml::table& table, const TrainStep& step) {
  const TrainStep usual;
  const auto insert = [&](const char* key, const auto& value, const auto& other) {
    if (value != other) table.insert(key, value);
  };
  table.insert("run", "train");
  table.insert("data", step.data.shown());
  table.insert("epochs", step.settings.epochs);
  insert("split", step.data.split, usual.data.split);
  insert("preprocessing", step.data.preprocessing, usual.data.preprocessing);
  insert("label_column", step.data.label_column, usual.data.label_column);
  insert("samples", step.samples, usual.samples);
  insert("fresh", step.fresh, usual.fresh);
  insert("unfold_batch_norm", step.unfold_batch_norm, usual.unfold_batch_norm);
  insert("quantize", step.bits, usual.bits);
  insert("scales", step.scales, usual.scales);
  insert("end_bits", step.end_bits, usual.end_bits);
  if (!step.layer_bits.empty()) table.insert("layer_bits", list_of(step.layer_bits));
  insert("calibration_samples", step.calibration_samples, usual.calibration_samples);
  print_keys(table, step.settings, number_keys);
  print_keys(table, step.settings, count_keys);
  print_keys(table, step.settings, word_keys);
  print_keys(table, step.settings, flag_keys);
  for (const auto& key : list_keys) {
    if (!(step.settings.*key.member).empty()) table.insert(key.name, list_of(step.settings.*key.member));
  }
}

}  // namespace adze

#include <sstream>

#include "adze/base/text.h"
#include "adze/quantize/presets.h"
#include "adze/recipe/recipe.h"
#include "adze/recipe/toml_reader.h"
#include "adze/recipe/train_step_toml.h"

namespace adze {

namespace {

constexpr std::string_view schema = "adze.recipe/1";

const std::vector<std::string> mode_words = {"static", "dynamic", "weight-only", "float8", "none"};
const std::vector<std::string> granularity_words = {"per_tensor", "per_channel"};
const std::vector<std::string> symmetry_words = {"asymmetric", "symmetric"};
const std::vector<std::string> calibrator_words = {"max", "percentile", "entropy", "mse", "moving-average", "aciq"};
const std::vector<std::string> final_words = {"float", "integer"};
const std::vector<std::string> dtype_words = {"s8", "u8"};

const std::vector<std::string> correction_words = {"none", "data", "analytic"};
const std::vector<std::string> rounding_words = {"nearest", "adaround", "gptq"};

quantize::Methods read_methods(TomlReader& reader) {
  quantize::Methods methods;
  methods.equalize = reader.get<bool>("equalize", methods.equalize);
  methods.bias_correction = reader.word("bias_correction", correction_words, methods.bias_correction);
  methods.rounding = reader.word("rounding", rounding_words, methods.rounding);
  methods.adaround.iterations =
      static_cast<int>(reader.get<std::int64_t>("adaround_iterations", methods.adaround.iterations));
  methods.adaround.blocks = reader.get<bool>("adaround_blocks", methods.adaround.blocks);
  methods.gptq.by_activity = reader.get<bool>("gptq_by_activity", methods.gptq.by_activity);
  methods.smooth = reader.get<double>("smooth", methods.smooth);
  methods.awq = reader.get<bool>("awq", methods.awq);
  methods.split_outliers = reader.get<double>("split_outliers", methods.split_outliers);
  methods.zero_shot = reader.get<bool>("zero_shot", methods.zero_shot);
  methods.samples = reader.get<std::int64_t>("method_samples", methods.samples);
  return methods;
}

QuantizeStep read_quantize(TomlReader& reader) {
  quantize::PtqOptions options;
  options.mode = reader.word("mode", mode_words, options.mode);
  options.weights = reader.word("weights", granularity_words, options.weights);
  options.channel_group = reader.get<std::int64_t>("channel_group", options.channel_group);
  options.activations = reader.word("activations", symmetry_words, options.activations);
  enum class DtypeWord { S8, U8 };
  const DtypeWord dtype = reader.word("activation_dtype", dtype_words, DtypeWord::S8);
  options.activation_dtype = dtype == DtypeWord::U8 ? DType::U8 : DType::S8;
  options.calibrator = reader.word("calibrator", calibrator_words, options.calibrator);
  options.percentile = reader.get<double>("percentile", options.percentile);
  options.final_activation = reader.word("final_activation", final_words, options.final_activation);
  options.first_layer_float = reader.get<bool>("first_layer_float", false);
  options.last_layer_float = reader.get<bool>("last_layer_float", false);
  options.skip = reader.texts("skip");
  options.bits = quantize::parse_bit_widths(reader.get<std::string>("bits", "w8a8"));
  options.end_bits = static_cast<int>(reader.get<std::int64_t>("end_bits", options.end_bits));
  options.layer_bits = quantize::parse_layer_bits(reader.texts("layer_bits"));
  options.methods = read_methods(reader);
  options.block = reader.get<std::int64_t>("block", options.block);
  options.format = reader.get<std::string>("format", options.format);
  options.dynamic_rows = reader.get<bool>("dynamic_rows", options.dynamic_rows);
  options.reduce_range = reader.get<bool>("reduce_range", options.reduce_range);
  options.power_of_two = reader.get<bool>("power_of_two", options.power_of_two);
  const std::string preset = reader.get<std::string>("preset", "");
  if (!preset.empty()) quantize::apply_preset(preset, options);
  if (const std::string state = reader.get<std::string>("state", ""); !state.empty()) {
    options.state.dtype = quantize::state_dtype_from_name(state);
    options.state.scales = quantize::state_scales_from_name(reader.get<std::string>("state_scales", "auto"));
  }
  return {options, reader.get<std::string>("device", ""), reader.get<std::int64_t>("synthetic_samples", 0),
          reader.texts("states")};
}

void print_step(toml::table& table, const SlimStep& step) {
  table.insert("run", "slim");
  toml::array skip;
  for (const std::string& name : step.skip) skip.push_back(name);
  if (!skip.empty()) table.insert("skip", std::move(skip));
}

template <typename Enum>
const std::string& word_of(const std::vector<std::string>& words, Enum value) {
  return words.at(static_cast<std::size_t>(value));
}

void print_methods(toml::table& table, const quantize::Methods& methods) {
  const quantize::Methods usual;
  if (methods.equalize) table.insert("equalize", true);
  if (methods.bias_correction != usual.bias_correction) {
    table.insert("bias_correction", word_of(correction_words, methods.bias_correction));
  }
  if (methods.rounding != usual.rounding) table.insert("rounding", word_of(rounding_words, methods.rounding));
  if (methods.adaround.iterations != usual.adaround.iterations) {
    table.insert("adaround_iterations", methods.adaround.iterations);
  }
  if (methods.adaround.blocks) table.insert("adaround_blocks", true);
  if (methods.gptq.by_activity) table.insert("gptq_by_activity", true);
  if (methods.smooth >= 0) table.insert("smooth", methods.smooth);
  if (methods.awq) table.insert("awq", true);
  if (methods.split_outliers > 0) table.insert("split_outliers", methods.split_outliers);
  if (methods.zero_shot) table.insert("zero_shot", true);
  if (methods.samples != usual.samples) table.insert("method_samples", methods.samples);
}

void print_step(toml::table& table, const QuantizeStep& step) {
  const quantize::PtqOptions& options = step.options;
  table.insert("run", "quantize");
  table.insert("mode", word_of(mode_words, options.mode));
  table.insert("weights", word_of(granularity_words, options.weights));
  if (options.channel_group > 1) table.insert("channel_group", options.channel_group);
  if (options.mode == quantize::Mode::Static) {
    table.insert("activations", word_of(symmetry_words, options.activations));
    table.insert("activation_dtype", options.activation_dtype == DType::U8 ? "u8" : "s8");
    table.insert("calibrator", word_of(calibrator_words, options.calibrator));
    if (options.calibrator == quantize::Calibrator::Percentile) table.insert("percentile", options.percentile);
    table.insert("final_activation", word_of(final_words, options.final_activation));
  }
  if (options.bits != quantize::BitWidths{}) {
    table.insert("bits", quantize::bit_widths_text(options.bits));
    table.insert("end_bits", options.end_bits);
  }
  toml::array layer_bits;
  for (const auto& one : options.layer_bits) layer_bits.push_back(cat(one.pattern, "=", bit_widths_text(one.bits)));
  if (!layer_bits.empty()) table.insert("layer_bits", std::move(layer_bits));
  print_methods(table, options.methods);
  if (options.block > 0) table.insert("block", options.block);
  if (!options.format.empty()) table.insert("format", options.format);
  if (options.dynamic_rows) table.insert("dynamic_rows", true);
  if (options.reduce_range) table.insert("reduce_range", true);
  if (options.power_of_two) table.insert("power_of_two", true);
  if (options.state.is_quantized()) {
    table.insert("state", quantize::state_dtype_name(options.state.dtype));
    table.insert("state_scales", quantize::state_scales_name(options.state.scales));
  }
  toml::array states;
  for (const std::string& pair : step.states) states.push_back(pair);
  if (!states.empty()) table.insert("states", std::move(states));
  if (!step.device.empty()) table.insert("device", step.device);
  if (step.synthetic_samples > 0) table.insert("synthetic_samples", step.synthetic_samples);
  if (options.first_layer_float) table.insert("first_layer_float", true);
  if (options.last_layer_float) table.insert("last_layer_float", true);
  toml::array skip;
  for (const std::string& name : options.skip) skip.push_back(name);
  if (!skip.empty()) table.insert("skip", std::move(skip));
}

}  // namespace

Recipe parse_recipe(std::string_view text, const std::string& file) {
  toml::table document;
  try {
    document = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    fail_recipe(file, error.source(), std::string(error.description()));
  }
  TomlReader reader(document, file);
  const std::string found = reader.get<std::string>("schema", "");
  if (found != schema) {
    throw UsageError(cat("recipe ", file, ": schema is ", adze::quoted(found), ", expected ", adze::quoted(schema)));
  }
  Recipe recipe;
  recipe.seed = static_cast<std::uint64_t>(reader.get<std::int64_t>("seed", 0));
  if (const toml::table* data = reader.table("calibration")) {
    TomlReader data_reader(*data, file);
    recipe.calibration.path = data_reader.get<std::string>("data", "");
    recipe.calibration.split = data_reader.get<std::string>("split", "");
    recipe.calibration.preprocessing = data_reader.get<std::string>("preprocessing", "");
    recipe.calibration_samples = data_reader.get<std::int64_t>("samples", recipe.calibration_samples);
    data_reader.finish();
  }
  if (const toml::array* steps = reader.array("step")) {
    for (const toml::node& node : *steps) {
      if (node.as_table() == nullptr) fail_recipe(file, node.source(), "a step is not a table");
      TomlReader step(*node.as_table(), file);
      const std::string run = step.get<std::string>("run", "");
      if (run == "slim") {
        recipe.steps.emplace_back(SlimStep{step.texts("skip")});
      } else if (run == "quantize") {
        recipe.steps.emplace_back(read_quantize(step));
      } else if (run == "train") {
        recipe.steps.emplace_back(read_train_step(step));
      } else {
        const std::vector<std::string> names = {"slim", "train", "quantize"};
        fail_recipe(file, node.source(), cat("unknown step ", adze::quoted(run), "; known: ", join(names, ", ")),
                    nearest(run, names));
      }
      step.finish();
    }
  }
  reader.finish();
  if (recipe.steps.empty()) throw UsageError(cat("recipe ", file, " has no [[step]]"));
  return recipe;
}

std::string print_recipe(const Recipe& recipe) {
  std::ostringstream out;
  out << "schema = \"" << schema << "\"\nseed = " << recipe.seed << "\n";
  if (!recipe.calibration.path.empty()) {
    toml::table data;
    data.insert("data", recipe.calibration.shown());
    if (!recipe.calibration.split.empty()) data.insert("split", recipe.calibration.split);
    if (!recipe.calibration.preprocessing.empty()) data.insert("preprocessing", recipe.calibration.preprocessing);
    data.insert("samples", recipe.calibration_samples);
    out << "\n[calibration]\n" << data << "\n";
  }
  for (const auto& step : recipe.steps) {
    toml::table table;
    std::visit([&](const auto& one) { print_step(table, one); }, step);
    out << "\n[[step]]\n" << table << "\n";
  }
  return out.str();
}

}  // namespace adze

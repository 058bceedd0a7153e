#include "tests/conformance/conformance.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/rewrite/simplify.h"

namespace adze::conformance {

namespace fs = std::filesystem;
using reference::Datum;
using reference::Sequence;

namespace {

struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;
};

struct Bytes {
  std::shared_ptr<std::string> owner;
  std::span<const std::byte> view() const { return std::as_bytes(std::span(*owner)); }
};

Bytes read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  auto text = std::make_shared<std::string>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return {std::move(text)};
}

Datum datum_of(const onnx::ValueData& data) {
  if (const auto* tensor = std::get_if<Tensor>(&data.content)) return *tensor;
  if (const auto* elements = std::get_if<std::vector<onnx::ValueData>>(&data.content)) {
    Sequence sequence;
    for (const onnx::ValueData& element : *elements) sequence.push_back(datum_of(element));
    return Datum(std::move(sequence));
  }
  return {};
}

Datum read_datum(const fs::path& path, const ValueType& type) {
  const Bytes bytes = read_whole(path);
  return datum_of(onnx::read_value(bytes.view(), bytes.owner, type));
}

/// The set stores bf16 data as u16, because NumPy has no such type: the same bits as the other dtype.
Datum with_bits_as(const Datum& datum, DType from, DType to) {
  if (!datum.is_tensor() || datum.tensor().dtype() != from) return datum;
  const auto tensor = std::make_shared<const Tensor>(datum.tensor());
  return Tensor::view(to, tensor->shape(), tensor, tensor->bytes());
}

bool close(double found, double expected, const Tolerance& tolerance) {
  if (std::isnan(expected) || std::isnan(found)) return std::isnan(expected) && std::isnan(found);
  if (std::isinf(expected) || std::isinf(found)) return expected == found;
  return std::abs(found - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

/// What is wrong with a tensor, or "".
std::string difference(const Tensor& found, const Tensor& expected, const Tolerance& tolerance) {
  if (found.dtype() != expected.dtype() || found.shape() != expected.shape()) {
    return cat("got ", type_text(found), ", expected ", type_text(expected));
  }
  const bool exact = expected.dtype() == DType::String || !is_float(expected.dtype());
  if (exact && identical(found, expected)) return "";
  if (expected.dtype() == DType::String) {
    const auto a = found.data<std::string>(), b = expected.data<std::string>();
    const auto at = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
    return cat("string ", at, " is ", adze::quoted(a[at]), ", expected ", adze::quoted(b[at]));
  }
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    if (close(found.get_double(i), expected.get_double(i), tolerance)) continue;
    return cat("element ", i, " is ", found.get_double(i), ", expected ", expected.get_double(i));
  }
  return "";
}

std::string difference(const Datum& found, const Datum& expected, const Tolerance& tolerance) {
  if (found.content.index() != expected.content.index()) return "the output is of another kind";
  if (expected.is_tensor()) return difference(found.tensor(), expected.tensor(), tolerance);
  if (expected.is_none()) return "";
  const Sequence &a = found.sequence(), &b = expected.sequence();
  if (a.size() != b.size()) return cat("got a sequence of ", a.size(), ", expected ", b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::string wrong = difference(a[i], b[i], tolerance);
    if (!wrong.empty()) return cat("sequence element ", i, ": ", wrong);
  }
  return "";
}

Tolerance tolerance_of(const fs::path& folder) {
  Tolerance tolerance;
  std::ifstream file(folder / "data.json");
  if (!file) return tolerance;
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (json.is_discarded()) return tolerance;
  tolerance.relative = json.value("rtol", tolerance.relative);
  tolerance.absolute = json.value("atol", tolerance.absolute);
  return tolerance;
}

std::optional<std::vector<Tensor>> evaluate(const Graph& graph, const Node& node,
                                            std::span<const Tensor* const> inputs) {
  std::vector<Datum> data;
  for (const Tensor* input : inputs) data.push_back(input == nullptr ? Datum() : Datum(*input));
  std::vector<Tensor> outputs;
  for (const Datum& output : reference::run_node(graph, node, data)) {
    if (!output.is_tensor()) return std::nullopt;
    outputs.push_back(output.tensor());
  }
  return outputs;
}

void collect_operators(const Graph& graph, std::set<std::string>& names) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    names.emplace(op_name(node.kind));
    for (const auto& attribute : node.attributes) {
      if (const auto* subgraph = std::get_if<Subgraph>(&attribute.second)) collect_operators(*subgraph->graph, names);
    }
  }
}

Graph in_form(Graph graph, const Form& form) {
  if (form.rewritten) {
    rewrite::SimplifyOptions options;
    options.evaluate = evaluate;
    rewrite::simplify(graph, options);
  }
  if (form.reloaded) {
    const auto bytes = std::make_shared<std::string>(onnx::write_bytes(graph));
    graph = onnx::read_bytes(std::as_bytes(std::span(*bytes)), bytes);
  }
  return graph;
}

bool holds_tensors(const Graph& graph, const std::vector<ValueId>& values) {
  return std::all_of(values.begin(), values.end(), [&](ValueId id) { return graph.value(id).type.is_tensor(); });
}

/// A few cases feed other shapes than their models declare; a Session refuses those, the reference does not look.
bool fits_declaration(const Graph& graph, const std::vector<Datum>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueType& type = graph.value(graph.inputs()[i]).type;
    if (!type.is_tensor() || !inputs[i].is_tensor()) return false;
    if (type.shape && !compatible(*type.shape, symbolic(inputs[i].tensor().shape()))) return false;
  }
  return true;
}

std::vector<Datum> run_in_form(const Graph& graph, const std::vector<Datum>& inputs, const Form& form) {
  if (!form.engine || !fits_declaration(graph, inputs) || !holds_tensors(graph, graph.outputs())) {
    return reference::run(graph, inputs);
  }
  std::vector<Tensor> tensors;
  for (const Datum& input : inputs) tensors.push_back(input.tensor());
  const std::vector<Tensor> outputs = Session(graph).run(tensors);
  return {outputs.begin(), outputs.end()};
}

/// What is wrong with the outputs on one data set, or "". types: of the inputs and outputs as the file declares them.
std::string run_data_set(const Graph& graph, const Graph& declared, const fs::path& folder, const Tolerance& tolerance,
                         const Form& form) {
  std::vector<Datum> inputs;
  for (std::size_t i = 0; i < declared.inputs().size(); ++i) {
    const fs::path path = folder / cat("input_", i, ".pb");
    const ValueType& type = declared.value(declared.inputs()[i]).type;
    Datum input = read_datum(path, type);
    inputs.push_back(type.dtype == DType::BF16 ? with_bits_as(input, DType::U16, DType::BF16) : input);
  }
  const std::vector<Datum> outputs = run_in_form(graph, inputs, form);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const fs::path path = folder / cat("output_", i, ".pb");
    if (!fs::exists(path)) return cat("output ", i, " has no expected value");
    const Datum expected = read_datum(path, declared.value(declared.outputs()[i]).type);
    const bool stores_bits = expected.is_tensor() && expected.tensor().dtype() == DType::U16;
    const Datum found = stores_bits ? with_bits_as(outputs[i], DType::BF16, DType::U16) : outputs[i];
    const std::string wrong = difference(found, expected, tolerance);
    if (!wrong.empty()) return cat("output ", i, ": ", wrong);
  }
  return fs::exists(folder / cat("output_", outputs.size(), ".pb")) ? "too few outputs" : "";
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::vector<Case> find_cases(const fs::path& folder) {
  std::vector<Case> cases;
  for (const fs::path& group : entries_of(folder)) {
    for (const fs::path& test : entries_of(group)) {
      if (fs::is_directory(test)) cases.push_back({group.filename().string(), test.filename().string(), test});
    }
  }
  return cases;
}

std::optional<std::string> excuse(const Case& test) {
  // Most: the stored outputs are what NumPy's generator gave; ours is another one.
  static const std::map<std::string, std::string> by_name = {
      {"test_adam_multiple", "the model leaves out the epsilon that its outputs were computed with"},
      {"test_bernoulli", "Bernoulli draws from a generator"},
      {"test_bernoulli_double", "Bernoulli draws from a generator"},
      {"test_bernoulli_double_expanded", "Bernoulli draws from a generator"},
      {"test_bernoulli_expanded", "Bernoulli draws from a generator"},
      {"test_bernoulli_seed", "Bernoulli draws from a generator"},
      {"test_bernoulli_seed_expanded", "Bernoulli draws from a generator"},
      {"test_training_dropout", "training Dropout draws from a generator"},
      {"test_training_dropout_default", "training Dropout draws from a generator"},
      {"test_training_dropout_default_mask", "training Dropout draws from a generator"},
      {"test_training_dropout_mask", "training Dropout draws from a generator"},
  };
  if (!fs::exists(test.folder / "model.onnx")) return "the package holds no model";
  const auto found = by_name.find(test.name);
  return found == by_name.end() ? std::nullopt : std::optional(found->second);
}

Outcome run_case(const Case& test, const Form& form) {
  Outcome outcome;
  if (const auto reason = excuse(test)) return {Verdict::Unsupported, *reason, {}};
  try {
    const Graph declared = onnx::read(test.folder / "model.onnx");
    std::set<std::string> names;
    collect_operators(declared, names);
    outcome.operators.assign(names.begin(), names.end());
    const Graph graph = in_form(declared, form);
    const Tolerance tolerance = tolerance_of(test.folder);
    for (const fs::path& entry : entries_of(test.folder)) {
      if (!entry.filename().string().starts_with("test_data_set_")) continue;
      outcome.reason = run_data_set(graph, declared, entry, tolerance, form);
      if (!outcome.reason.empty()) return outcome;
    }
    outcome.verdict = Verdict::Passed;
  } catch (const UnsupportedError& error) {
    outcome.verdict = Verdict::Unsupported;
    outcome.reason = error.what();
  } catch (const std::exception& error) {
    outcome.reason = error.what();
  }
  return outcome;
}

}  // namespace adze::conformance

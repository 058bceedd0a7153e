#include "adze/engine/tune.h"

#include <algorithm>

#include <charconv>

#include "adze/base/files.h"
#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/graph/text.h"

namespace adze::engine {

namespace {

constexpr std::string_view scheme = "adze tuned kernels 2";

/// Attributes that change what a kernel does but not how long it takes, or that are as long as the weights.
bool is_irrelevant(const std::string& name) {
  return name.find("scale") != std::string::npos || name.find("zero_point") != std::string::npos ||
         name.find("adze.") != std::string::npos;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

}  // namespace

void TuneTable::load(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  const std::string text = read_text_file(path);
  const auto lines = split(text, '\n');
  if (lines.empty() || lines[0] != scheme) return;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = split(lines[i], '\t');
    if (fields.size() != 3) continue;
    Choice choice{std::string(fields[1]), 0};
    const std::string_view number = fields[2];
    if (std::from_chars(number.data(), number.data() + number.size(), choice.microseconds).ec != std::errc()) continue;
    choices_[std::string(fields[0])] = std::move(choice);
  }
}

void TuneTable::save(const std::filesystem::path& path) const {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  std::string text = cat(scheme, "\n");
  for (const auto& [problem, choice] : choices_) {
    text += cat(problem, "\t", choice.candidate, "\t", fixed(choice.microseconds, 3), "\n");
  }
  write_file(path, text);
}

std::string_view TuneTable::find(const std::string& problem) const {
  const auto found = choices_.find(problem);
  return found == choices_.end() ? std::string_view{} : found->second.candidate;
}

bool TuneTable::was_timed(const std::string& problem) const {
  const auto found = choices_.find(problem);
  return found != choices_.end() && found->second.microseconds > 0;
}

void TuneTable::set(const std::string& problem, std::string candidate, double microseconds) {
  choices_[problem] = {std::move(candidate), microseconds};
  changed_ = true;
}

namespace {

bool is_zero(const Tensor& weights, std::int64_t place) {
  return weights.dtype() == DType::F32 ? weights.elements<float>()[place] == 0.0f
                                       : weights.elements<std::int8_t>()[place] == 0;
}

/// The axis of the outputs in a layer's weights.
std::int64_t output_axis(const Node& node) {
  switch (node.kind) {
    case OpKind::Gemm:
    case OpKind::QGemm:
      return node.get_int("transB", 0) != 0 ? 0 : 1;
    case OpKind::MatMul:
      return 1;
    default:
      return 0;
  }
}

/// " zeros=80% blocks=70%" of weights that are mostly 0, and 0 in blocks of eight outputs, as a look at a part of them
/// says: they may have another best kernel.
std::string zeros_text(const Graph& graph, const Node& node) {
  const Tensor* weights = graph.constant(node.input(1));
  if (weights == nullptr || (weights->dtype() != DType::F32 && weights->dtype() != DType::S8)) return {};
  if (weights->size() < 64 || weights->rank() < 2) return {};
  const std::int64_t axis = output_axis(node), outputs = weights->dim(axis);
  std::int64_t step = 1;
  for (std::int64_t i = axis + 1; i < weights->rank(); ++i) step *= weights->dim(i);
  constexpr std::int64_t looked_at = 500, block = 8;
  std::int64_t zeros = 0, blocks = 0;
  for (std::int64_t i = 0; i < looked_at; ++i) {
    const std::int64_t place = i * 7919 % weights->size();
    if (!is_zero(*weights, place)) continue;
    ++zeros;
    const std::int64_t output = place / step % outputs, first = output / block * block;
    bool all = true;
    for (std::int64_t o = first; all && o < std::min(first + block, outputs); ++o) {
      all = is_zero(*weights, place + (o - output) * step);
    }
    blocks += all ? 1 : 0;
  }
  const auto tenths = [](std::int64_t count) { return count * 10 / looked_at * 10; };
  return tenths(zeros) >= 40 ? cat(" zeros=", tenths(zeros), "% blocks=", tenths(blocks), "%") : std::string();
}

}  // namespace

std::string problem_text(const Graph& graph, const Node& node, Isa isa, Compute compute, int threads) {
  std::string text = cat(this_machine().cpu, " ", isa_name(isa), compute == Compute::F32 ? "" : " bf16",
                         " threads=", threads, " ", op_name(node.kind));
  for (const auto& [name, value] : node.attributes) {
    if (!is_irrelevant(name)) text += cat(" ", name, "=", attribute_text(value));
  }
  for (const ValueId input : node.inputs)
    text += input == ValueId::None ? " _" : cat(" ", type_text(graph.value(input).type));
  for (const ValueId output : node.outputs) {
    if (output != ValueId::None) text += cat(" -> ", type_text(graph.value(output).type));
  }
  return one_line(text + zeros_text(graph, node));
}

}  // namespace adze::engine

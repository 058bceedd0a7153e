#include "adze/graph/einsum.h"

#include <algorithm>
#include <map>
#include <string>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The labels of one term, its ellipsis standing for that many dimensions.
std::vector<int> parse_term(std::string_view term, std::size_t ellipsis_rank) {
  std::vector<int> labels;
  bool has_ellipsis = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (is_letter(term[i])) {
      labels.push_back(term[i]);
    } else if (term.substr(i, 3) == "..." && !has_ellipsis) {
      has_ellipsis = true;
      i += 2;
      for (std::size_t k = ellipsis_rank; k-- > 0;) labels.push_back(ellipsis_label - static_cast<int>(k));
    } else {
      throw ModelError(cat("the equation term ", quoted(term), " has a ", quoted(term.substr(i, 1)), " out of place"));
    }
  }
  return labels;
}

std::vector<int> implicit_output(const EinsumEquation& equation, std::size_t ellipsis_rank) {
  std::map<int, int> occurrences;
  for (const auto& labels : equation.inputs) {
    for (const int label : labels) ++occurrences[label];
  }
  std::vector<int> output;
  for (std::size_t k = ellipsis_rank; k-- > 0;) output.push_back(ellipsis_label - static_cast<int>(k));
  for (const auto& [label, count] : occurrences) {
    if (label >= 0 && count == 1) output.push_back(label);
  }
  return output;
}

}  // namespace

EinsumEquation parse_einsum(std::string_view equation, const std::vector<std::size_t>& ranks) {
  std::string text(equation);
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  std::vector<std::string> terms = split(left, ',');
  if (terms.empty()) terms.emplace_back();  // "->": one scalar
  if (terms.size() != ranks.size()) {
    throw ModelError(
        cat("the equation ", quoted(equation), " has ", terms.size(), " terms for ", ranks.size(), " inputs"));
  }
  EinsumEquation result;
  std::size_t widest = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const auto letters = static_cast<std::size_t>(std::count_if(terms[i].begin(), terms[i].end(), is_letter));
    const bool has_ellipsis = terms[i].find('.') != std::string::npos;
    if (letters > ranks[i] || (!has_ellipsis && letters != ranks[i])) {
      throw ModelError(cat("the equation term ", quoted(terms[i]), " does not fit an input of rank ", ranks[i]));
    }
    if (has_ellipsis) widest = std::max(widest, ranks[i] - letters);
    result.inputs.push_back(parse_term(terms[i], ranks[i] - letters));
  }
  result.output = arrow == std::string::npos ? implicit_output(result, widest)
                                             : parse_term(std::string_view(text).substr(arrow + 2), widest);
  for (std::size_t i = 0; i < result.output.size(); ++i) {
    const int label = result.output[i];
    const auto has_label = [label](const auto& labels) {
      return std::find(labels.begin(), labels.end(), label) != labels.end();
    };
    if (std::count(result.output.begin(), result.output.end(), label) > 1 ||
        std::none_of(result.inputs.begin(), result.inputs.end(), has_label)) {
      throw ModelError(cat("the output of the equation ", quoted(equation), " repeats a label or has one of its own"));
    }
  }
  return result;
}

}  // namespace adze

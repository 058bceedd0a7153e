#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// An input that takes what an output gave at the call before: the cell of a recurrent network, the keys and values of
/// the tokens so far. Names are kept in the graph's metadata "adze.state": "input=output,input=output".
struct StateNames {
  std::string input, output;
};
/// Throws UsageError for text that is not of that form.
std::vector<StateNames> parse_states(std::string_view text);
/// What the metadata says; nothing without it.
std::vector<StateNames> named_states(const Graph& graph);

/// The same by place in graph.inputs() and graph.outputs().
struct StatePair {
  std::size_t input = 0, output = 0;
  bool operator==(const StatePair&) const = default;
};
/// What the metadata says, else what names (past_key_values.0.key and present.0.key, h0 and hn, x_in and x_out …) and
/// operators show: an input that a Concat makes an output of, the initial and the last states of LSTM, GRU and RNN. The
/// first input is never found so. Throws UsageError for names in the metadata that the graph does not have.
std::vector<StatePair> find_states(const Graph& graph);
/// Writes them into the metadata.
void set_states(Graph& graph, const std::vector<StatePair>& states);

/// The axis along which each call appends to the state, when it does not replace it.
std::optional<std::int64_t> growing_axis(const Graph& graph, ValueId input);

/// The number that stands for zero in a quantized input, as its readers say; 0 where they say nothing.
std::int64_t stored_zero(const Graph& graph, ValueId input);

/// Bytes that states take between calls, open batches counted as 1.
struct StateBytes {
  std::int64_t whole = 0;      ///< of states that are replaced
  std::int64_t per_place = 0;  ///< of those that grow, for each place (token)
};
StateBytes state_bytes(const Graph& graph, const std::vector<StatePair>& states);

}  // namespace adze

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adze/evaluate/evaluate.h"
#include "adze/graph/states.h"

namespace adze {

/// Feeds networks with state: cuts sequences [batch, time, …] into the parts that single calls take, and hands each
/// call the states that the call before left. Before the first call states are zeros, those that grow are empty. Inputs
/// named attention_mask (ones), position_ids and cache_position (places in the sequence) are filled in; all others but
/// one must be states.
class Sequences {
 public:
  /// step: places of time a call gets where the network leaves it open; 0: all at once.
  Sequences(const Graph& graph, std::int64_t step);

  /// Only then may calls be made.
  bool has_one_data_input() const { return data_inputs_.size() == 1; }
  /// Throws UsageError naming the inputs.
  void require_one_data_input() const;

  const std::vector<StatePair>& states() const { return states_; }
  /// The places of time that a call of the network takes of so many.
  std::int64_t step_of(std::int64_t time) const;
  std::int64_t num_calls(const Tensor& sequences) const;
  /// What the index-th call gets, in the graph's order. before: outputs of the call before; nothing for the first.
  std::vector<Tensor> call(const Tensor& sequences, std::int64_t index, std::span<const Tensor> before) const;
  /// The outputs of all calls that are no states: joined along time where they have a place for each, else the last.
  std::vector<Tensor> join(const Tensor& sequences, const std::vector<std::vector<Tensor>>& outputs) const;

 private:
  enum class Role : std::uint8_t { Data, State, Ones, Places };
  struct Input {
    ValueType type;
    Role role = Role::Data;
    std::size_t output = 0;          ///< of a state
    std::int64_t zero = 0;           ///< of a state: the code that stands for 0
    std::int64_t growing_axis = -1;  ///< of a state
  };

  Tensor first_state(const Input& input, std::int64_t batch) const;

  std::vector<StatePair> states_;
  std::vector<Input> inputs_;
  std::vector<std::string> data_inputs_;
  std::vector<bool> is_state_output_;
  std::int64_t step_ = 0;
};

/// For networks with state and one data input: run, given one batch of sequences, is called step by step, its states
/// fed back. Other calls, and other networks, go to run as they are.
RunFunction run_sequences(const Graph& graph, RunFunction run, std::int64_t step = 1);

/// The part [begin, end) of a tensor's axis, of dtypes of whole bytes.
Tensor part_of_axis(const Tensor& tensor, std::int64_t axis, std::int64_t begin, std::int64_t end);

}  // namespace adze

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "adze/engine/arrange.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/engine/step.h"
#include "adze/engine/tune.h"
#include "adze/plan/plan.h"

namespace adze::engine {

/// What kernels are chosen and weights packed by.
struct Settings {
  Isa isa;
  Compute compute;
  int threads;
  WeightCache& weights;
  const TuneTable* tuned = nullptr;  ///< null: by the table of candidates
};

/// A graph ready to be bound, for sessions to share: arranged for concrete input shapes, every value's place planned.
struct Blueprint {
  Arranged arranged;
  Plan plan;
  /// By step: the candidate that was bound when this was kept, "" for none. Empty: to be chosen.
  std::vector<std::string> choices;
};

/// graph: types inferred for concrete input shapes. fuse = false keeps all its values for an observer.
Blueprint draw_blueprint(const Graph& graph, bool fuse);

using Observer = std::function<void(ValueId, const Tensor&)>;

/// A graph of concrete input shapes, arranged, planned and bound. Values of known type lie in the arena; the others
/// (sequences, shapes that depend on data) are held one by one.
class Compiled {
 public:
  Compiled(std::shared_ptr<const Blueprint> blueprint, const Settings& settings);

  /// Inputs of the right types; outputs, one each, are made anew where they do not fit. The observer, when given, is
  /// called with value ids of the given graph.
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs, const Observer* observer, bool timed);

  /// Runs the network again and again, each time with other candidates of the problems that the table does not know,
  /// and times them in it. The settings' weights then hold what every candidate needs: use a cache that can be thrown
  /// away.
  void tune(const Settings& settings, TuneTable& table, double seconds_per_candidate);

  std::int64_t arena_bytes() const { return plan_.arena_bytes; }
  std::vector<StepInfo>& steps();
  const std::shared_ptr<const Blueprint>& blueprint() const { return blueprint_; }
  /// The blueprint's, with what was bound.
  const std::vector<std::string>& choices() const { return choices_; }

 private:
  struct Contest;

  void place_values();
  void bind_steps(const Settings& settings);
  bool is_placed(ValueId id) const;
  bool is_bindable(const Node& node) const;
  /// Steps of nodes that engine/row_pairs.h joined; null for others.
  std::unique_ptr<Step> bind_in_pair(NodeId id, const Settings& settings) const;
  /// choice: the candidate to try first; becomes the one taken.
  /// timed: becomes 1 when tuning compared the choice with others.
  std::unique_ptr<Step> bind(NodeId id, const Settings& settings, std::string& choice, char& timed) const;
  std::unique_ptr<Step> bind_candidate(NodeId id, const BinderEntry& entry, const Settings& settings) const;
  std::unique_ptr<Step> view_step(const Node& node) const;
  std::vector<Contest> contests(const Settings& settings, const TuneTable& table) const;
  void run_contests(std::vector<Contest>& open, std::size_t turn, bool counts);
  /// Runs the node in the reference interpreter.
  std::unique_ptr<Step> reference_step(const Node& node);
  reference::Datum load(ValueId id) const;
  void store(ValueId id, reference::Datum datum);
  void take_input(ValueId id, const Tensor& tensor);
  void give_output(ValueId id, Tensor& tensor) const;
  Tensor arena_view(ValueId id) const;
  void show(ValueId id, const Observer& observer) const;

  std::shared_ptr<const Blueprint> blueprint_;
  const Arranged& arranged_;
  const Plan& plan_;
  std::shared_ptr<std::byte> arena_;
  std::vector<std::byte*> places_;  ///< by ValueId of the arranged graph; null: constant or held
  std::vector<reference::Datum> held_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<std::vector<ValueId>> released_;  ///< by step: held values that nobody reads later
  std::vector<std::string> choices_;
  std::vector<char> timed_;      ///< by step: tuning found the choice faster than others
  std::vector<StepInfo> infos_;  ///< by step, or still empty
};

}  // namespace adze::engine

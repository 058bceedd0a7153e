// Groups of rows give what their nodes give one after the other, in the arena that the plan lays out for them.
#include <gtest/gtest.h>

#include <cstring>

#include "adze/base/random.h"
#include "adze/plan/stream_choice.h"
#include "adze/plan/stream_groups.h"
#include "adze/plan/stream_run.h"

namespace adze {
namespace {

/// Nodes that stand for windows over rows, or for sums of two pictures.
struct Net {
  Graph graph;
  std::map<NodeId, NodeMemory> memory;
  std::vector<ValueId> pictures;
};

ValueType picture(std::int64_t rows, std::int64_t columns, std::int64_t channels) {
  return ValueType::tensor(DType::S8, symbolic({1, rows, columns, channels}));
}

Shape shape_of(const Net& net, ValueId id) {
  return *concrete(*net.graph.value(id).type.shape);
}

void add_window(Net& net, ValueId input, Random& random) {
  const Shape x = shape_of(net, input);
  RowForm form;
  form.operands = {0};
  form.extent = 1 + static_cast<std::int64_t>(random.below(4));
  form.stride = 1 + static_cast<std::int64_t>(random.below(3));
  form.pad = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(form.extent)));
  const std::int64_t bottom = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(form.extent)));
  const std::int64_t room = x[1] + form.pad + bottom - form.extent;
  if (room < 0 || room / form.stride < 1) form.extent = form.stride = 1, form.pad = 0;
  const std::int64_t rows = form.extent == 1 && form.pad == 0 ? (x[1] - 1) / form.stride + 1 : room / form.stride + 1;
  const ValueId output = net.graph.add(OpKind::MaxPool, {input}, {}, "y");
  net.graph.value(output).type =
      picture(rows, 1 + static_cast<std::int64_t>(random.below(5)), 1 + static_cast<std::int64_t>(random.below(6)));
  NodeMemory& memory = net.memory[net.graph.num_nodes() > 0 ? net.graph.node_ids().back() : NodeId::None];
  memory.rows = form;
  memory.scratch_bytes = static_cast<std::int64_t>(random.below(40));
  memory.work = [](std::int64_t band) { return band == 0 ? 1000.0 : 1000.0 + 100.0 / static_cast<double>(band); };
  net.pictures.push_back(output);
}

void add_sum(Net& net, ValueId a, ValueId b) {
  const ValueId output = net.graph.add(OpKind::QAdd, {a, b}, {}, "sum");
  net.graph.value(output).type = net.graph.value(a).type;
  NodeMemory& memory = net.memory[net.graph.node_ids().back()];
  memory.rows.operands = {0, 1};
  memory.overlaps = {{0, 0, false}, {1, 0, false}};
  net.pictures.push_back(output);
}

Net random_net(std::uint64_t seed) {
  Random random(seed);
  Net net;
  net.pictures.push_back(net.graph.add_input("x", picture(20 + static_cast<std::int64_t>(random.below(20)), 3, 4)));
  for (int i = 0; i < 10; ++i) {
    const ValueId last = net.pictures.back();
    bool summed = false;
    for (std::size_t j = 0; j + 1 < net.pictures.size() && !summed && random.below(2) == 0; ++j) {
      if (shape_of(net, net.pictures[j]) != shape_of(net, last)) continue;
      add_sum(net, last, net.pictures[j]);
      summed = true;
    }
    if (!summed) add_window(net, last, random);
  }
  net.graph.add_output(net.pictures.back());
  if (random.below(3) == 0) net.graph.add_output(net.pictures[4]);
  return net;
}

/// Each byte depends on every row of its window, and on which of them are padding.
void compute(const RowStage& stage, const RowBand& band, const Net& net) {
  const Node& node = net.graph.node(stage.node);
  const Shape y = shape_of(net, node.outputs[0]), x = shape_of(net, node.inputs[0]);
  const std::int64_t out_bytes = y[2] * y[3], in_bytes = x[2] * x[3];
  for (std::int64_t row = 0; row < band.rows; ++row) {
    for (std::int64_t at = 0; at < out_bytes; ++at) {
      std::uint32_t sum = 17;
      for (std::int64_t tap = 0; tap < stage.form.extent; ++tap) {
        const std::int64_t from = row * stage.form.stride - band.pad_top + tap;
        sum *= 31;
        if (from < 0 || from >= band.in_rows) continue;
        const std::int64_t column = node.kind == OpKind::QAdd ? at : at * 5 % in_bytes;
        for (const std::byte* in : band.in) sum = sum * 7 + static_cast<std::uint32_t>(in[from * in_bytes + column]);
      }
      band.out[row * out_bytes + at] = static_cast<std::byte>(sum ^ (sum >> 8));
    }
  }
}

std::vector<std::byte> random_bytes(std::int64_t count) {
  Random random(3);
  std::vector<std::byte> bytes(static_cast<std::size_t>(count));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

using Contents = std::map<ValueId, std::vector<std::byte>>;

/// Every node at once, every value in memory of its own.
Contents run_plainly(const Net& net, const std::vector<NodeId>& order) {
  Contents contents;
  const ValueId input = net.graph.inputs()[0];
  contents[input] = random_bytes(num_elements(shape_of(net, input)));
  for (const NodeId id : order) {
    const Node& node = net.graph.node(id);
    const Shape y = shape_of(net, node.outputs[0]), x = shape_of(net, node.inputs[0]);
    RowStage stage;
    stage.node = id;
    stage.form = net.memory.at(id).rows;
    RowBand band;
    band.rows = y[1], band.in_rows = x[1], band.pad_top = stage.form.pad;
    for (const std::size_t operand : stage.form.operands) band.in.push_back(contents.at(node.inputs[operand]).data());
    std::vector<std::byte>& out = contents[node.outputs[0]];
    out.resize(static_cast<std::size_t>(num_elements(y)));
    band.out = out.data();
    compute(stage, band, net);
  }
  return contents;
}

/// In one arena, groups by rows.
Contents run_planned(const Net& net, const Plan& plan) {
  std::vector<std::byte> arena(static_cast<std::size_t>(plan.arena_bytes));
  const ValueId input = net.graph.inputs()[0];
  const auto bytes = random_bytes(num_elements(shape_of(net, input)));
  std::memcpy(arena.data() + plan.at(input).offset, bytes.data(), bytes.size());
  for (std::size_t step = 0; step < plan.order.size(); ++step) {
    const RowGroup* group = nullptr;
    for (const RowGroup& some : plan.groups) {
      if (some.contains(static_cast<std::int32_t>(step))) group = &some;
    }
    if (group != nullptr) {
      if (group->first != static_cast<std::int32_t>(step)) continue;
      std::memset(arena.data() + plan.scratch.at(group->stages[0].node), 0xa5,
                  static_cast<std::size_t>(group->scratch_bytes));
      run_rows(plan, *group, arena, [&](const RowStage& stage, const RowBand& band) {
        compute(stage, band, net);
        const std::int64_t scratch = plan.scratch.at(stage.node);
        std::memset(arena.data() + scratch, 0x5a, static_cast<std::size_t>(group->scratch_bytes));
      });
      continue;
    }
    const Node& node = net.graph.node(plan.order[step]);
    RowStage stage;
    stage.node = plan.order[step];
    stage.form = net.memory.at(stage.node).rows;
    RowBand band;
    band.rows = shape_of(net, node.outputs[0])[1], band.in_rows = shape_of(net, node.inputs[0])[1];
    band.pad_top = stage.form.pad;
    for (const std::size_t operand : stage.form.operands)
      band.in.push_back(arena.data() + plan.at(node.inputs[operand]).offset);
    band.out = arena.data() + plan.at(node.outputs[0]).offset;
    compute(stage, band, net);
  }
  Contents contents;
  for (const ValueId id : net.graph.outputs()) {
    const std::byte* from = arena.data() + plan.at(id).offset;
    contents[id].assign(from, from + num_elements(shape_of(net, id)));
  }
  return contents;
}

TEST(RowGroups, GiveWhatTheirNodesGiveOneByOne) {
  int with_groups = 0, with_groups_anew = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const Net net = random_net(seed);
    PlanOptions options;
    options.memory = net.memory;
    options.search_nodes = 500;
    options.alignment = 4;
    const Plan whole = make_plan_for(PlanGoal::Work, net.graph, options);
    const Contents expected = run_plainly(net, whole.order);
    Random random(seed);
    const auto first = static_cast<std::int32_t>(random.below(9));
    RowRange range{first, first + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(10 - first))),
                   1 + static_cast<std::int64_t>(random.below(5))};
    for (const bool anew : {false, true}) {
      range.anew = anew;
      options.groups = {range};
      if (!RowGroups(net.graph, whole.order, net.memory).make(range)) continue;
      ++(anew ? with_groups_anew : with_groups);
      for (const auto& [id, bytes] : run_planned(net, make_plan(net.graph, options))) {
        EXPECT_EQ(bytes, expected.at(id)) << seed << " " << anew;
      }
    }
    for (const PlanGoal goal : {PlanGoal::Memory, PlanGoal::Balanced}) {
      const Plan plan = make_plan_for(goal, net.graph, options);
      EXPECT_LE(plan.arena_bytes, whole.arena_bytes) << seed;
      with_groups += plan.groups.empty() ? 0 : 1;
      for (const auto& [id, bytes] : run_planned(net, plan)) EXPECT_EQ(bytes, expected.at(id)) << seed;
    }
  }
  EXPECT_GT(with_groups, 150);
  EXPECT_GT(with_groups_anew, 40);
}

TEST(RowGroups, HoldOnlyTheRowsThatAreStillNeeded) {
  Net net;
  const ValueId x = net.graph.add_input("x", picture(10, 1, 4));
  net.pictures = {x};
  for (int i = 0; i < 2; ++i) {
    const ValueId y = net.graph.add(OpKind::MaxPool, {net.pictures.back()}, {}, "y");
    net.graph.value(y).type = picture(10, 1, 4);
    net.memory[net.graph.node_ids().back()].rows = {{0}, 3, 1, 1};
    net.pictures.push_back(y);
  }
  net.graph.add_output(net.pictures.back());
  const RowGroups groups(net.graph, net.graph.node_ids(), net.memory);
  const auto group = groups.make({0, 1, 1});
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->tensors[1].held, 3);
  // Row 0 is written when rows 0 to 1 of the first stage exist, which have read rows 0 to 2: row 1 is needed again.
  ASSERT_EQ(group->overlaps.size(), 1u);
  EXPECT_EQ(group->overlaps[0].distance, 0);
  EXPECT_EQ(groups.make({0, 1, 4})->tensors[1].held, 8);  // four missed the fifth that the second stage needs
}

TEST(RowGroups, ComputeBandsAnewWhereTheirRowsAreNotThereTogether) {
  Net net;
  net.pictures = {net.graph.add_input("x", picture(16, 1, 1))};
  const std::int64_t channels[] = {40, 2, 40, 30};
  for (const std::int64_t count : channels) {
    const ValueId y = net.graph.add(OpKind::MaxPool, {net.pictures.back()}, {}, "y");
    net.graph.value(y).type = picture(16, 1, count);
    NodeMemory& memory = net.memory[net.graph.node_ids().back()];
    memory.rows = {{0}, 3, 1, 1};
    memory.work = [](std::int64_t) { return 1000.0; };
    net.pictures.push_back(y);
  }
  net.graph.add_output(net.pictures.back());
  const RowGroups groups(net.graph, net.graph.node_ids(), net.memory);
  const auto kept = groups.make({0, 3, 1}), anew = groups.make({0, 3, 1, true});
  ASSERT_TRUE(kept && anew);
  EXPECT_EQ(kept->tensors[1].held, 3);
  EXPECT_EQ(anew->tensors[1].held, 7);  // one row of the result: three, five, seven
  EXPECT_EQ(anew->tensors[3].held, 3);
  EXPECT_EQ(kept->stages[0].rows_made, 16);
  EXPECT_EQ(anew->stages[0].rows_made, 100);  // ten bands of seven, and fewer at the ends
}

}  // namespace
}  // namespace adze

#include "adze/quantize/weight_formats.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/numerics/formats/format.h"
#include "adze/plan/cost.h"
#include "adze/quantize/ptq.h"

namespace adze::quantize {
namespace {

Tensor random_tensor(Shape shape, std::uint64_t seed) {
  Random random(seed);
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(0.3 * random.normal());
  return tensor;
}

/// A convolution whose rows of 45 inputs do not fill blocks of 32, and a product with channels behind.
Graph network() {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{2, 5, 6, 6})));
  ValueId y = graph.add(OpKind::Conv, {x, graph.add_constant("w1", random_tensor({8, 5, 3, 3}, 1))}, {}, "conv");
  y = graph.add(OpKind::Relu, {y});
  y = graph.add(OpKind::Flatten, {y});
  y = graph.add(OpKind::MatMul, {y, graph.add_constant("w2", random_tensor({128, 10}, 2))}, {}, "product");
  graph.set_outputs({y});
  infer_types(graph);
  return graph;
}

/// What the layer's weights are in the end.
Tensor weights_of(const Graph& graph, std::string_view layer) {
  Graph part = graph;
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).name == layer) part.set_outputs({graph.node(id).input(1)});
  }
  return reference::run_tensors(part, {random_tensor({2, 5, 6, 6}, 3)})[0];
}

/// The format's own rounding of a row, the oracle.
std::vector<float> rounded(const std::string& name, const std::vector<float>& values) {
  if (name == "f16" || name == "bf16") return adze::format(name)->rounded(values);
  return adze::format(name)->rounded(values, {{}, true});
}

PtqOptions options_for(const std::string& name) {
  PtqOptions options;
  options.mode = Mode::WeightOnly;
  options.format = name;
  return options;
}

const char* const names[] = {"f16",    "bf16",  "f8e4m3", "f6e2m3",  "f4e2m1",   "posit8", "posit6",
                             "fixed8", "int4",  "binary", "ternary", "log4",     "apot4",  "codebook16",
                             "nf4",    "mxfp4", "mxfp6",  "mxint8",  "codesum3", "flex8"};

TEST(WeightFormats, HoldWhatTheFormatRoundsTo) {
  for (const std::string name : names) {
    const Graph exact = network();
    const QuantizeOutcome outcome = quantize(network(), {}, options_for(name));
    for (const auto& [layer, axis] : {std::pair{"conv", std::int64_t{0}}, std::pair{"product", std::int64_t{1}}}) {
      const Tensor before = weights_of(exact, layer), after = weights_of(outcome.graph, layer);
      ASSERT_EQ(before.shape(), after.shape());
      const bool whole = adze::format(name)->unit().size() != 1 || name == "f16" || name == "bf16";
      const std::int64_t channels = whole ? 1 : before.dim(axis);
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        std::vector<float> row, found;
        for (std::int64_t i = 0; i < before.size(); ++i) {
          const std::int64_t of = axis == 1 ? i % before.dim(1) : i / (before.size() / before.dim(0));
          if (!whole && of != channel) continue;
          row.push_back(before.data<float>()[static_cast<std::size_t>(i)]);
          found.push_back(after.data<float>()[static_cast<std::size_t>(i)]);
        }
        const std::vector<float> expected = rounded(name, row);
        for (std::size_t i = 0; i < row.size(); ++i) ASSERT_NEAR(found[i], expected[i], 2e-7) << name << " " << layer;
      }
    }
    Session session(outcome.graph);
    const Tensor x = random_tensor({2, 5, 6, 6}, 4);
    const Tensor plain = reference::run_tensors(outcome.graph, {x})[0], ours = session.run(std::span(&x, 1))[0];
    for (std::int64_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours.get_double(i), plain.get_double(i), 1e-4) << name;
    ASSERT_EQ(outcome.report.weights.size(), 2u);
    EXPECT_GT(outcome.report.weights[0].sqnr_db, 3) << name;
    EXPECT_EQ(compute_cost(outcome.graph).parameters, compute_cost(exact).parameters) << name;
  }
}

TEST(WeightFormats, AreRefusedWithAReason) {
  for (const char* name : {"posit16", "int16", "f32", "q3.12"}) {
    EXPECT_THROW(check_options(options_for(name)), UsageError) << name;
  }
  EXPECT_THROW(check_options(options_for("posit")), UsageError);
  PtqOptions with_bits = options_for("codebook16");
  with_bits.bits = {4, 8};
  EXPECT_THROW(check_options(with_bits), UsageError);
  PtqOptions not_weight_only = options_for("codebook16");
  not_weight_only.mode = Mode::Dynamic;
  EXPECT_THROW(check_options(not_weight_only), UsageError);
}

}  // namespace
}  // namespace adze::quantize

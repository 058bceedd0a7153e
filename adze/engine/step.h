#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adze/base/threads.h"
#include "adze/engine/compute.h"
#include "adze/engine/isa.h"
#include "adze/engine/weight_cache.h"
#include "adze/graph/graph.h"

namespace adze::engine {

/// One node bound to one kernel, its operands and its memory: run() only computes.
class Step {
 public:
  virtual ~Step() = default;
  virtual void run() = 0;
  /// What runs it, for tables: "conv_s8 avx512vnni".
  virtual std::string kernel() const = 0;
};

/// What a binder sees of its node: concrete shapes, and where the operands will be.
class BindContext {
 public:
  BindContext(const Graph& graph, const Node& node, NodeId origin, std::span<std::byte* const> places, Isa isa,
              Compute compute, int threads, WeightCache& weights)
      : graph_(graph),
        node_(node),
        origin_(origin),
        places_(places),
        isa_(isa),
        compute_(compute),
        threads_(threads),
        weights_(weights) {}

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  Isa isa() const { return isa_; }
  Compute compute() const { return compute_; }
  int threads() const { return threads_; }
  WeightCache& weights() const { return weights_; }
  NodeId origin() const { return origin_; }
  /// The tensors of the node are stored with channels last: [N, spatial…, C].
  bool channels_last() const { return node_.get_int("channels_last", 0) != 0; }

  bool has(std::size_t i) const { return node_.input(i) != ValueId::None; }
  const Tensor* constant(std::size_t i) const { return graph_.constant(node_.input(i)); }
  DType dtype(std::size_t i) const { return graph_.value(node_.input(i)).type.dtype; }
  DType output_dtype(std::size_t i = 0) const { return graph_.value(node_.output(i)).type.dtype; }
  Shape shape(std::size_t i) const { return *concrete(*graph_.value(node_.input(i)).type.shape); }
  Shape output_shape(std::size_t i = 0) const { return *concrete(*graph_.value(node_.output(i)).type.shape); }

  template <typename T>
  const T* in(std::size_t i) const {
    if (const Tensor* tensor = constant(i)) {
      return reinterpret_cast<const T*>(weights_.resident(origin_, i, std::as_bytes(tensor->data<T>())));
    }
    return reinterpret_cast<const T*>(places_[static_cast<std::size_t>(node_.input(i))]);
  }
  template <typename T>
  T* out(std::size_t i = 0) const {
    return reinterpret_cast<T*>(places_[static_cast<std::size_t>(node_.output(i))]);
  }
  /// Operands whose elements are only moved.
  const std::byte* in_bytes(std::size_t i) const {
    if (const Tensor* tensor = constant(i)) return weights_.resident(origin_, i, tensor->bytes());
    return places_[static_cast<std::size_t>(node_.input(i))];
  }
  /// 8-bit operands of either sign.
  const std::uint8_t* in_u8(std::size_t i) const { return reinterpret_cast<const std::uint8_t*>(in_bytes(i)); }

 private:
  const Graph& graph_;
  const Node& node_;
  NodeId origin_;
  std::span<std::byte* const> places_;
  Isa isa_;
  Compute compute_;
  int threads_;
  WeightCache& weights_;
};

/// Binds a node of the kind to a fast kernel, or returns null when it has none for these dtypes and shapes.
/// Called only when all inputs and outputs are numeric tensors of known, non-empty shape.
using Binder = std::unique_ptr<Step> (*)(const BindContext&);

/// Several entries of one kind are candidates: the first that binds is taken, unless tuning found another faster.
struct BinderEntry {
  OpKind kind;
  Binder bind;
  std::string_view name = {};  ///< of the candidate, in tuning tables; only where a kind has several
};

/// The candidates for an operator, best by the table first; none: it runs in the reference.
std::span<const BinderEntry> binders_of(OpKind kind);

// One table per folder file, in steps/<name>.cpp.
std::span<const BinderEntry> convolution_binders();  ///< Conv, QConv
std::span<const BinderEntry> product_binders();      ///< Gemm, MatMul, QGemm
std::span<const BinderEntry> binary_f32_binders();   ///< Add, Sub, Mul, Div
std::span<const BinderEntry> elementwise_binders();
std::span<const BinderEntry> quantized_binders();  ///< QAdd, QTable, QuantizeLinear …
std::span<const BinderEntry> pooling_binders();
std::span<const BinderEntry> movement_binders();
std::span<const BinderEntry> recurrent_binders();      ///< RNN, GRU, LSTM
std::span<const BinderEntry> normalization_binders();  ///< Softmax, LayerNormalization, BatchNormalization

/// Runs body on pieces of [0, count) on up to threads threads.
void run_parallel(int threads, std::int64_t count, std::int64_t grain, RangeBody body);

/// A step from a function.
template <typename Body>
class FunctionStep final : public Step {
 public:
  FunctionStep(std::string kernel, Body body) : kernel_(std::move(kernel)), body_(std::move(body)) {}
  void run() override { body_(); }
  std::string kernel() const override { return kernel_; }

 private:
  std::string kernel_;
  Body body_;
};

template <typename Body>
std::unique_ptr<Step> make_step(std::string kernel, Body body) {
  return std::make_unique<FunctionStep<Body>>(std::move(kernel), std::move(body));
}

}  // namespace adze::engine

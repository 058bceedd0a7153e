#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "adze/base/text.h"
#include "adze/engine/kernels/dense_f32/dense_f32.h"
#include "adze/engine/kernels/unary_f32/unary_f32.h"
#include "adze/engine/step.h"

namespace adze::engine {

namespace {

using kernels::UnaryF32Call;

/// y = x · wᵀ + bias by kernels/dense_f32, for rows of x wherever they are.
class PackedProduct {
 public:
  /// weights: [columns, depth] from `first` of the tensor on; bias: one number a column.
  PackedProduct(const BindContext& context, const std::string& key, const Tensor& weights, std::int64_t first,
                std::int64_t columns, std::int64_t depth, const std::vector<float>& bias)
      : kernel_(kernels::dense_f32_kernel(context.isa())),
        panels_(kernels::dense_f32_panels(kernel_, columns)),
        depth_(depth),
        padded_(kernels::dense_f32_padded(kernel_, columns)) {
    packed_ =
        context.weights().packed_as<float>(context.origin(), key, padded_ * (depth + 1), [&](std::span<float> to) {
          std::fill(to.begin(), to.end(), 0.0F);
          std::copy(bias.begin(), bias.end(), to.begin());
          const auto values =
              weights.data<float>().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(columns * depth));
          const Tensor part = Tensor::from<float>({columns, depth}, {values.begin(), values.end()});
          kernels::pack_dense_f32(kernel_, {part.elements<float>(), 1, depth, columns, 0, 1, depth},
                                  to.data() + padded_);
        });
  }

  /// adds: to what y holds, without the bias.
  void run(const float* const* rows, std::int64_t count, float* y, std::int64_t stride, bool adds) const {
    static constexpr std::int64_t offset = 0;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const kernels::DenseF32Panel& panel : panels_) {
      const float* weights = packed_.data() + padded_ + panel.first * depth_;
      kernel_.run({rows, count, &offset, 1, depth_, weights, panel.vectors, panel.columns,
                   adds ? nullptr : packed_.data() + panel.first, true, -infinity, infinity, weights, 0,
                   y + panel.first, stride});
    }
  }

 private:
  kernels::DenseF32Kernel kernel_;
  std::vector<kernels::DenseF32Panel> panels_;
  std::int64_t depth_, padded_;
  std::span<const float> packed_;
};

struct Sizes {
  std::int64_t steps, batch, inputs, hidden, directions, gates;
  std::int64_t width() const { return gates * hidden; }
};

/// One direction of a cell: its products, its state, and the gates of all steps.
class Direction {
 public:
  Direction(const BindContext& context, const Sizes& sizes, std::int64_t index)
      : kind_(context.node().kind),
        s_(sizes),
        reverse_(index == 1 || context.node().get_string("direction") == "reverse"),
        splits_(kind_ == OpKind::GRU),
        linear_before_reset_(kind_ == OpKind::GRU && context.node().get_int("linear_before_reset") != 0),
        unary_(kernels::unary_f32_kernel(context.isa()).run),
        projection_(context, cat("w", index), *context.constant(1), index * s_.width() * s_.inputs, s_.width(),
                    s_.inputs, bias(context, index, !linear_before_reset_)) {
    const std::int64_t first = index * s_.width() * s_.hidden, gate = s_.hidden * s_.hidden;
    const std::vector<float> none(static_cast<std::size_t>(s_.width()));
    if (splits_ && !linear_before_reset_) {
      products_.emplace_back(context, cat("r", index), *context.constant(2), first, 2 * s_.hidden, s_.hidden, none);
      products_.emplace_back(context, cat("rh", index), *context.constant(2), first + 2 * gate, s_.hidden, s_.hidden,
                             none);
    } else {
      products_.emplace_back(context, cat("r", index), *context.constant(2), first, s_.width(), s_.hidden,
                             linear_before_reset_ ? recurrent_bias(context, index) : none);
    }
    const auto state = static_cast<std::size_t>(s_.batch * s_.hidden);
    gates_.resize(static_cast<std::size_t>(s_.steps * s_.batch * s_.width()));
    hidden_.resize(state);
    cell_.resize(state);
    scratch_.resize(linear_before_reset_ ? static_cast<std::size_t>(s_.batch * s_.width()) : state);
    for (std::int64_t r = 0; r < s_.steps * s_.batch; ++r) inputs_.push_back(context.in<float>(0) + r * s_.inputs);
    for (std::int64_t b = 0; b < s_.batch; ++b) {
      states_.push_back(hidden_.data() + b * s_.hidden);
      resets_.push_back(scratch_.data() + b * s_.hidden);
    }
    const auto start = [&](std::size_t i) {
      return context.has(i) ? context.in<float>(i) + index * s_.batch * s_.hidden : nullptr;
    };
    initial_hidden_ = start(5);
    initial_cell_ = kind_ == OpKind::LSTM ? start(6) : nullptr;
    const auto result = [&](std::size_t i) {
      return i < context.node().outputs.size() && context.node().outputs[i] != ValueId::None ? context.out<float>(i)
                                                                                             : nullptr;
    };
    all_ = result(0);
    last_hidden_ = result(1);
    last_cell_ = kind_ == OpKind::LSTM ? result(2) : nullptr;
    index_ = index;
  }

  void run() {
    projection_.run(inputs_.data(), s_.steps * s_.batch, gates_.data(), s_.width(), false);
    set(hidden_, initial_hidden_);
    set(cell_, initial_cell_);
    for (std::int64_t i = 0; i < s_.steps; ++i) {
      const std::int64_t step = reverse_ ? s_.steps - 1 - i : i;
      float* gates = gates_.data() + step * s_.batch * s_.width();
      if (kind_ == OpKind::LSTM) {
        lstm(gates);
      } else if (kind_ == OpKind::GRU) {
        gru(gates);
      } else {
        products_[0].run(states_.data(), s_.batch, gates, s_.width(), true);
        apply(UnaryF32Call::Tanh, gates, hidden_.data(), s_.batch * s_.hidden);
      }
      if (all_ != nullptr) {
        std::copy(hidden_.begin(), hidden_.end(), all_ + (step * s_.directions + index_) * s_.batch * s_.hidden);
      }
    }
    const std::int64_t at = index_ * s_.batch * s_.hidden;
    if (last_hidden_ != nullptr) std::copy(hidden_.begin(), hidden_.end(), last_hidden_ + at);
    if (last_cell_ != nullptr) std::copy(cell_.begin(), cell_.end(), last_cell_ + at);
  }

 private:
  static std::vector<float> part(const BindContext& context, std::int64_t first, std::int64_t count) {
    std::vector<float> result(static_cast<std::size_t>(count));
    if (!context.has(3)) return result;
    const auto values = context.constant(3)->data<float>().subspan(static_cast<std::size_t>(first), result.size());
    std::copy(values.begin(), values.end(), result.begin());
    return result;
  }
  std::vector<float> recurrent_bias(const BindContext& context, std::int64_t index) const {
    return part(context, (2 * index + 1) * s_.width(), s_.width());
  }
  std::vector<float> bias(const BindContext& context, std::int64_t index, bool both) const {
    std::vector<float> result = part(context, 2 * index * s_.width(), s_.width());
    if (!both) return result;
    const std::vector<float> other = recurrent_bias(context, index);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += other[i];
    return result;
  }
  static void set(std::vector<float>& state, const float* initial) {
    if (initial != nullptr) {
      std::copy(initial, initial + state.size(), state.begin());
    } else {
      std::fill(state.begin(), state.end(), 0.0F);
    }
  }
  void apply(UnaryF32Call::Function function, const float* x, float* y, std::int64_t count) const {
    unary_({function, 0, 0, count, x, y});
  }

  /// Gates in the order i, o, f, c.
  void lstm(float* gates) {
    const std::int64_t n = s_.hidden;
    products_[0].run(states_.data(), s_.batch, gates, s_.width(), true);
    for (std::int64_t b = 0; b < s_.batch; ++b, gates += 4 * n) {
      apply(UnaryF32Call::Sigmoid, gates, gates, 3 * n);
      apply(UnaryF32Call::Tanh, gates + 3 * n, gates + 3 * n, n);
      float *cell = cell_.data() + b * n, *hidden = hidden_.data() + b * n;
      for (std::int64_t i = 0; i < n; ++i) cell[i] = gates[2 * n + i] * cell[i] + gates[i] * gates[3 * n + i];
      apply(UnaryF32Call::Tanh, cell, hidden, n);
      for (std::int64_t i = 0; i < n; ++i) hidden[i] *= gates[n + i];
    }
  }

  /// Gates in the order z, r, h.
  void gru(float* gates) {
    const std::int64_t n = s_.hidden, width = s_.width();
    if (linear_before_reset_) {
      products_[0].run(states_.data(), s_.batch, scratch_.data(), width, false);
      for (std::int64_t b = 0; b < s_.batch; ++b) {
        float* g = gates + b * width;
        const float* r = scratch_.data() + b * width;
        for (std::int64_t i = 0; i < 2 * n; ++i) g[i] += r[i];
        apply(UnaryF32Call::Sigmoid, g, g, 2 * n);
        for (std::int64_t i = 0; i < n; ++i) g[2 * n + i] += g[n + i] * r[2 * n + i];
      }
    } else {
      products_[0].run(states_.data(), s_.batch, gates, width, true);
      for (std::int64_t b = 0; b < s_.batch; ++b) {
        float* g = gates + b * width;
        apply(UnaryF32Call::Sigmoid, g, g, 2 * n);
        for (std::int64_t i = 0; i < n; ++i) {
          scratch_[static_cast<std::size_t>(b * n + i)] = g[n + i] * hidden_[static_cast<std::size_t>(b * n + i)];
        }
      }
      products_[1].run(resets_.data(), s_.batch, gates + 2 * n, width, true);
    }
    for (std::int64_t b = 0; b < s_.batch; ++b) {
      float *g = gates + b * width, *hidden = hidden_.data() + b * n;
      apply(UnaryF32Call::Tanh, g + 2 * n, g + 2 * n, n);
      for (std::int64_t i = 0; i < n; ++i) hidden[i] = (1 - g[i]) * g[2 * n + i] + g[i] * hidden[i];
    }
  }

  OpKind kind_;
  Sizes s_;
  bool reverse_, splits_, linear_before_reset_;
  std::int64_t index_ = 0;
  kernels::UnaryF32 unary_;
  PackedProduct projection_;
  std::vector<PackedProduct> products_;
  std::vector<float> gates_, hidden_, cell_, scratch_;
  std::vector<const float*> inputs_, states_, resets_;
  const float *initial_hidden_ = nullptr, *initial_cell_ = nullptr;
  float *all_ = nullptr, *last_hidden_ = nullptr, *last_cell_ = nullptr;
};

/// Only the activations that the operator has when nothing is said.
bool has_usual_activations(const Node& node) {
  const std::vector<std::string> usual = node.kind == OpKind::LSTM ? std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"}
                                         : node.kind == OpKind::GRU ? std::vector<std::string>{"Sigmoid", "Tanh"}
                                                                    : std::vector<std::string>{"Tanh"};
  const std::vector<std::string> given = node.get_strings("activations");
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i] != usual[i % usual.size()]) return false;
  }
  return true;
}

bool can_run(const BindContext& context) {
  const Node& node = context.node();
  if (context.dtype(0) != DType::F32 || node.get_int("layout") != 0 || node.has("clip") || context.has(4)) return false;
  if (context.constant(1) == nullptr || context.constant(2) == nullptr) return false;
  if (context.has(3) && context.constant(3) == nullptr) return false;
  if (node.kind == OpKind::LSTM && (context.has(7) || node.get_int("input_forget") != 0)) return false;
  return has_usual_activations(node);
}

class RecurrentStep final : public Step {
 public:
  RecurrentStep(const BindContext& context, const Sizes& sizes)
      : name_(cat("recurrent ", kernels::dense_f32_kernel(context.isa()).name)), threads_(context.threads()) {
    directions_.reserve(static_cast<std::size_t>(sizes.directions));
    for (std::int64_t d = 0; d < sizes.directions; ++d) {
      directions_.push_back(std::make_unique<Direction>(context, sizes, d));
    }
  }
  void run() override {
    run_parallel(threads_, std::ssize(directions_), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t d = begin; d < end; ++d) directions_[static_cast<std::size_t>(d)]->run();
    });
  }
  std::string kernel() const override { return name_; }

 private:
  std::string name_;
  int threads_;
  std::vector<std::unique_ptr<Direction>> directions_;
};

std::unique_ptr<Step> bind_recurrent(const BindContext& context) {
  if (!can_run(context)) return nullptr;
  const Shape x = context.shape(0), r = context.shape(2);
  const std::int64_t gates = context.node().kind == OpKind::LSTM ? 4 : context.node().kind == OpKind::GRU ? 3 : 1;
  return std::make_unique<RecurrentStep>(context, Sizes{x[0], x[1], x[2], r[2], r[0], gates});
}

}  // namespace

std::span<const BinderEntry> recurrent_binders() {
  static const BinderEntry entries[] = {
      {OpKind::GRU, bind_recurrent}, {OpKind::LSTM, bind_recurrent}, {OpKind::RNN, bind_recurrent}};
  return entries;
}

}  // namespace adze::engine

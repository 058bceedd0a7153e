#include "adze/engine/steps/post_ops.h"

namespace adze::engine {

using kernels::UnaryF32Call;

std::optional<UnaryFunction> unary_function_of(const Node& node) {
  switch (node.kind) {
    case OpKind::Sigmoid:
      return UnaryFunction{node.get_int("times_x", 0) != 0 ? UnaryF32Call::Silu : UnaryF32Call::Sigmoid};
    case OpKind::HardSwish:
      return UnaryFunction{UnaryF32Call::HardSwish};
    case OpKind::HardSigmoid:
      return UnaryFunction{UnaryF32Call::HardSigmoid, node.get_float("alpha"), node.get_float("beta")};
    case OpKind::LeakyRelu:
      return UnaryFunction{UnaryF32Call::LeakyRelu, node.get_float("alpha")};
    case OpKind::Tanh:
      return UnaryFunction{UnaryF32Call::Tanh};
    case OpKind::Gelu:
      return UnaryFunction{node.get_string("approximate") == "tanh" ? UnaryF32Call::GeluTanh : UnaryF32Call::Gelu};
    default:
      return std::nullopt;
  }
}

void set_post_add(Node& node, ValueId other) {
  if (node.inputs.size() <= post_add_input) node.inputs.resize(post_add_input + 1, ValueId::None);
  node.inputs[post_add_input] = other;
}

void set_post_clamp(Node& node, float low, float high) {
  node.set("post_low", low);
  node.set("post_high", high);
}

void set_post_function(Node& node, const UnaryFunction& function) {
  node.set("post_function", static_cast<std::int64_t>(function.function));
  node.set("post_a", function.a);
  node.set("post_b", function.b);
}

PostOps::PostOps(const BindContext& context) : channels_(context.output_shape().back()) {
  const Node& node = context.node();
  if (node.kind == OpKind::Conv && context.has(post_add_input)) {
    other_ = context.in<float>(post_add_input);
    add_ = kernels::binary_f32_kernel(context.isa()).run;
    clamps_ = node.has("post_low");
    low_ = clamps_ ? node.get_float("post_low") : 0.0f;
    high_ = clamps_ ? node.get_float("post_high") : 0.0f;
  }
  if (node.has("post_function")) {
    function_ = UnaryFunction{static_cast<UnaryF32Call::Function>(node.get_int("post_function")),
                              node.get_float("post_a"), node.get_float("post_b")};
    run_function_ = kernels::unary_f32_kernel(context.isa()).run;
  }
}

void PostOps::apply(float* y, std::int64_t first_pixel, std::int64_t pixels) const {
  const std::int64_t count = pixels * channels_;
  if (other_ != nullptr) {
    add_({kernels::BinaryF32Op::Add, y, other_ + first_pixel * channels_, 1, 1, count, clamps_, low_, high_, y});
  }
  if (function_) run_function_({function_->function, function_->a, function_->b, count, y, y});
}

}  // namespace adze::engine

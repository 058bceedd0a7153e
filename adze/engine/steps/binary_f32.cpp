#include "adze/engine/kernels/binary_f32/binary_f32.h"

#include <limits>

#include "adze/engine/step.h"
#include "adze/engine/steps/broadcast.h"

namespace adze::engine {

namespace {

using kernels::BinaryF32Call;
using kernels::BinaryF32Kernel;
using kernels::BinaryF32Op;

constexpr std::int64_t element_grain = 1 << 14;

BinaryF32Op op_of(OpKind kind) {
  switch (kind) {
    case OpKind::Add:
      return BinaryF32Op::Add;
    case OpKind::Sub:
      return BinaryF32Op::Subtract;
    case OpKind::Mul:
      return BinaryF32Op::Multiply;
    case OpKind::Div:
      return BinaryF32Op::Divide;
    default:
      throw InternalError("binary_f32: not its operator");
  }
}

class BinaryF32Step final : public Step {
 public:
  explicit BinaryF32Step(const BindContext& context)
      : kernel_(kernels::binary_f32_kernel(context.isa())),
        loop_(context.shape(0), context.shape(1), context.output_shape()),
        threads_(context.threads()) {
    const Node& node = context.node();
    call_.op = op_of(node.kind);
    call_.a = context.in<float>(0);
    call_.b = context.in<float>(1);
    call_.a_step = loop_.a_step();
    call_.b_step = loop_.b_step();
    call_.clamps = node.has("fused_low");
    call_.low = call_.clamps ? node.get_float("fused_low") : 0.0f;
    call_.high = call_.clamps ? node.get_float("fused_high") : 0.0f;
    call_.y = context.out<float>();
  }

  void run() override {
    if (loop_.rows() == 1) {
      run_parallel(threads_, loop_.length(), element_grain, [&](std::int64_t begin, std::int64_t end) {
        run_row(begin * call_.a_step, begin * call_.b_step, begin, end - begin);
      });
      return;
    }
    run_parallel(threads_, loop_.rows(), std::max<std::int64_t>(1, element_grain / loop_.length()),
                 [&](std::int64_t begin, std::int64_t end) {
                   loop_.run(begin, end, [&](std::int64_t at_a, std::int64_t at_b, std::int64_t at_y) {
                     run_row(at_a, at_b, at_y, loop_.length());
                   });
                 });
  }
  std::string kernel() const override { return kernel_.name; }

 private:
  void run_row(std::int64_t at_a, std::int64_t at_b, std::int64_t at_y, std::int64_t count) const {
    BinaryF32Call call = call_;
    call.a += at_a;
    call.b += at_b;
    call.y += at_y;
    call.count = count;
    kernel_.run(call);
  }

  BinaryF32Kernel kernel_;
  BroadcastLoop loop_;
  int threads_;
  BinaryF32Call call_{};
};

/// y = clamp(a op b) with broadcasting; the output may lie over an input of its own shape.
std::unique_ptr<Step> bind_binary_f32(const BindContext& context) {
  if (context.dtype(0) != DType::F32 || context.dtype(1) != DType::F32) return nullptr;
  return std::make_unique<BinaryF32Step>(context);
}

}  // namespace

std::span<const BinderEntry> binary_f32_binders() {
  static const BinderEntry entries[] = {{OpKind::Add, bind_binary_f32, "binary_f32"},
                                        {OpKind::Sub, bind_binary_f32, "binary_f32"},
                                        {OpKind::Mul, bind_binary_f32, "binary_f32"},
                                        {OpKind::Div, bind_binary_f32, "binary_f32"}};
  return entries;
}

}  // namespace adze::engine

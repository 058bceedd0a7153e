#include "adze/engine/kernels/binary_s8/binary_s8_call.h"
#include "adze/engine/kernels/ref_requantize.h"

namespace adze::kernels {
namespace {

std::int32_t offset(const BinaryS8Call::Operand& operand, std::int64_t at) {
  return (operand.bytes[at] ^ operand.flip) - operand.zero_point;
}

std::uint8_t real_result(const BinaryS8Call& call, std::int32_t a, std::int32_t b) {
  const float left = static_cast<float>(a) * call.a.scale, right = static_cast<float>(b) * call.b.scale;
  const float real = call.kind == BinaryS8Call::Add   ? left + right
                     : call.kind == BinaryS8Call::Sub ? left - right
                                                      : left * right;
  const OutputStage& stage = *call.stage;
  const std::int32_t q =
      round_half_even(real / call.y_scale, stage.low - stage.zero_point, stage.high - stage.zero_point);
  return static_cast<std::uint8_t>(q + stage.zero_point);
}

std::int32_t scaled(const BinaryS8Call& call, const BinaryS8Call::Operand& operand, std::int32_t value) {
  RequantizeParameters by;
  by.profile = call.stage->profile == OutputStage::Tflm ? RoundingProfile::Tflm : RoundingProfile::Litert;
  by.fixed = {operand.multiplier, operand.shift};
  return requantize(value * (1 << 20), by);
}

std::uint8_t fixed_result(const BinaryS8Call& call, std::int32_t a, std::int32_t b) {
  if (call.kind == BinaryS8Call::Mul) return finish_one(*call.stage, a * b, 0);
  const std::int32_t left = scaled(call, call.a, a), right = scaled(call, call.b, b);
  return finish_one(*call.stage, call.kind == BinaryS8Call::Add ? left + right : left - right, 0);
}

}  // namespace

void binary_s8_ref(const BinaryS8Call& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t i = 0; i < call.count; ++i) {
      const std::int64_t at = r * call.count + i;
      const std::int32_t a = offset(call.a, at);
      const std::int32_t b = offset(call.b, call.repeat == BinaryS8Call::None  ? at
                                            : call.repeat == BinaryS8Call::Row ? i
                                                                               : 0);
      call.y[at] = call.stage->profile == OutputStage::Onnx ? real_result(call, a, b) : fixed_result(call, a, b);
    }
  }
}

}  // namespace adze::kernels

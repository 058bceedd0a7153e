#pragma once

#include <cstdint>

namespace adze::kernels {

/// y[i] = f(x[i]) of count numbers; y may be x. Not-a-number gives not-a-number.
struct UnaryF32Call {
  enum Function : std::int32_t {
    Clamp,        ///< to [a, b]; Relu and Clip
    LeakyRelu,    ///< a x below 0
    HardSigmoid,  ///< clamp(a x + b, 0, 1)
    HardSwish,    ///< x clamp(x / 6 + 1/2, 0, 1)
    Exp,
    Sigmoid,
    Silu,  ///< x sigmoid(x)
    Tanh,
    Erf,
    Gelu,      ///< x (1 + erf(x / sqrt(2))) / 2
    GeluTanh,  ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    Neg,
    Sqrt,
  };
  Function function;
  float a, b;
  std::int64_t count;
  const float* x;
  float* y;
};

}  // namespace adze::kernels

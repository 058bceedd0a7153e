// libFuzzer target: the TFLite reader must refuse or accept any bytes, never crash.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "adze/base/error.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/numerics/tensor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adze::set_max_tensor_bytes(std::int64_t{1} << 28);
  try {
    adze::tflite::read_bytes(std::as_bytes(std::span(data, size)), std::make_shared<int>(0));
  } catch (const adze::ModelError&) {
  }
  return 0;
}

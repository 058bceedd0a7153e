// Any bytes as an ONNX model: read them; what is accepted must also be written and read back.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "adze/base/error.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/numerics/tensor.h"

namespace {

constexpr std::int64_t memory_limit = std::int64_t{256} << 20;

/// Malformed input is an Error with one of these codes; anything else is a finding.
void require_user_error(const adze::Error& error) {
  if (error.code() == adze::ExitCode::InternalFault) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adze::set_max_tensor_bytes(memory_limit);
  const auto bytes = std::as_bytes(std::span(data, size));
  std::string written;
  try {
    const adze::Graph graph = adze::onnx::read_bytes(bytes, nullptr);
    written = adze::onnx::write_bytes(graph);
  } catch (const adze::Error& error) {
    require_user_error(error);
    return 0;
  }
  const auto copy = std::make_shared<const std::string>(std::move(written));
  try {
    adze::onnx::read_bytes(std::as_bytes(std::span(*copy)), copy);
  } catch (const adze::Error&) {
    std::abort();  // our own output must be readable
  }
  return 0;
}

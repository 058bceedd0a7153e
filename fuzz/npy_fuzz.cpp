// Any bytes as an .npy and as an .npz file; what is accepted must be written and read back unchanged.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/data/npy.h"

namespace {

constexpr std::int64_t memory_limit = std::int64_t{64} << 20;

void require_user_error(const adze::Error& error) {
  if (error.code() == adze::ExitCode::InternalFault) std::abort();
}

void check(const adze::Tensor& tensor) {
  if (tensor.dtype() == adze::DType::String) return;
  const auto text = std::make_shared<const std::string>(adze::write_npy_bytes(tensor));
  if (!adze::identical(adze::read_npy_bytes(std::as_bytes(std::span(*text)), text, "again"), tensor)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adze::set_max_tensor_bytes(memory_limit);
  const auto owner = std::make_shared<const std::vector<std::uint8_t>>(data, data + size);
  const auto bytes = std::as_bytes(std::span(*owner));
  try {
    check(adze::read_npy_bytes(bytes, owner, "npy"));
  } catch (const adze::Error& error) {
    require_user_error(error);
  }
  try {
    for (const auto& [name, tensor] : adze::read_npz_bytes(bytes, owner, "npz", memory_limit)) check(tensor);
  } catch (const adze::Error& error) {
    require_user_error(error);
  }
  return 0;
}

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze::onnx {

/// A protobuf message being put together. Its length is known at every moment, so that messages around it can be
/// written first; tensor bytes are referred to, never copied.
class WireMessage {
 public:
  void add_integer(std::uint32_t field, std::int64_t value);
  void add_float(std::uint32_t field, float value);
  void add_text(std::uint32_t field, std::string_view text);
  void add_packed(std::uint32_t field, const std::vector<std::int64_t>& values);
  void add_tensor_bytes(std::uint32_t field, const Tensor& tensor);
  void add_message(std::uint32_t field, WireMessage message);

  std::int64_t size() const { return size_; }
  /// Calls f(std::string_view) with the message's bytes, piece by piece.
  template <typename F>
  void for_each_piece(F&& f) const {
    for (const Piece& piece : pieces_) {
      if (!piece.tensor) {
        f(std::string_view(piece.text));
      } else {
        const auto bytes = piece.tensor->bytes();
        f(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
      }
    }
  }
  std::string bytes() const;

 private:
  struct Piece {
    std::string text;
    std::optional<Tensor> tensor;
  };

  void add_key(std::uint32_t field, unsigned wire_type);
  void append(std::string_view text);
  void append_varint(std::uint64_t value);

  std::vector<Piece> pieces_;
  std::int64_t size_ = 0;
};

}  // namespace adze::onnx

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace adze::peers {

/// XNNPACK's library, as Debian's package libxnnpack0 has it (2022), opened when it is there.
class Xnnpack {
 public:
  /// Null when the library is not there. Throws UnsupportedError for one with another interface.
  static std::unique_ptr<Xnnpack> open(const std::string& library = "libXNNPACK.so.0");
  ~Xnnpack();

 private:
  friend class XnnpackSparse;
  explicit Xnnpack(void* library) : library_(library) {}
  template <typename Function>
  Function function(const char* name) const;

  void* library_;
};

/// A 1x1 convolution of one picture, channels first, by its products with sparse weights (SpMM), one thread.
class XnnpackSparse {
 public:
  /// weights: [outputs][inputs].
  XnnpackSparse(const Xnnpack& library, std::int64_t inputs, std::int64_t outputs, std::int64_t side,
                std::span<const float> weights, std::span<const float> bias);
  ~XnnpackSparse();
  XnnpackSparse(const XnnpackSparse&) = delete;
  XnnpackSparse& operator=(const XnnpackSparse&) = delete;

  /// x: [inputs][side * side], y: [outputs][side * side]; both stay where they are.
  void bind(const float* x, float* y);
  void run();

 private:
  const Xnnpack& library_;
  std::int64_t side_;
  void* operator_ = nullptr;
};

}  // namespace adze::peers

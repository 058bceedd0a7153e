// Our own declarations of the few functions of XNNPACK's interface of 2022 that we call; nothing of its headers is
// used.
#include "benchmarks/sparse/xnnpack.h"

#include <dlfcn.h>

#include <limits>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::peers {

namespace {

using U = std::uint32_t;
using Initialize = int (*)(const void* allocator);
using Create = int (*)(U pad_top, U pad_right, U pad_bottom, U pad_left, U kernel_height, U kernel_width,
                       U stride_height, U stride_width, U dilation_height, U dilation_width, U groups,
                       std::size_t group_inputs, std::size_t group_outputs, std::size_t input_stride,
                       std::size_t output_stride, const float* kernel, const float* bias, float low, float high,
                       U flags, void** made);
using Setup = int (*)(void* made, std::size_t batch, std::size_t height, std::size_t width, const float* x, float* y,
                      void* threads);
using RunOperator = int (*)(void* made, void* threads);
using DeleteOperator = int (*)(void* made);

void check(int status, const char* what) {
  if (status != 0) throw ModelError(cat("XNNPACK: ", what, " ended with status ", status));
}

}  // namespace

template <typename Function>
Function Xnnpack::function(const char* name) const {
  void* found = dlsym(library_, name);
  if (found == nullptr) throw UnsupportedError(cat("this XNNPACK has no ", name), {}, "take Debian 12's libxnnpack0");
  return reinterpret_cast<Function>(found);
}

std::unique_ptr<Xnnpack> Xnnpack::open(const std::string& library) {
  void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) return nullptr;
  std::unique_ptr<Xnnpack> result(new Xnnpack(opened));
  if (dlsym(opened, "xnn_reshape_convolution2d_nchw_f32") != nullptr) {
    throw UnsupportedError("this XNNPACK is newer than the interface that is known here", {},
                           "take Debian 12's libxnnpack0");
  }
  check(result->function<Initialize>("xnn_initialize")(nullptr), "initializing");
  return result;
}

Xnnpack::~Xnnpack() {
  dlclose(library_);
}

XnnpackSparse::XnnpackSparse(const Xnnpack& library, std::int64_t inputs, std::int64_t outputs, std::int64_t side,
                             std::span<const float> weights, std::span<const float> bias)
    : library_(library), side_(side) {
  constexpr float most = std::numeric_limits<float>::infinity();
  const auto in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs);
  check(library.function<Create>("xnn_create_convolution2d_nchw_f32")(
            0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, in, out, in, out, weights.data(), bias.data(), -most, most, 0, &operator_),
        "making a convolution");
}

XnnpackSparse::~XnnpackSparse() {
  library_.function<DeleteOperator>("xnn_delete_operator")(operator_);
}

void XnnpackSparse::bind(const float* x, float* y) {
  const auto side = static_cast<std::size_t>(side_);
  check(library_.function<Setup>("xnn_setup_convolution2d_nchw_f32")(operator_, 1, side, side, x, y, nullptr),
        "binding");
}

void XnnpackSparse::run() {
  static const auto run_operator = library_.function<RunOperator>("xnn_run_operator");
  check(run_operator(operator_, nullptr), "running");
}

}  // namespace adze::peers

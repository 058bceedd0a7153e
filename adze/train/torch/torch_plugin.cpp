#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <filesystem>

#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/train/torch/executor.h"
#include "adze/train/torch/tensors.h"
#include "adze/train/torch/torch_learner.h"

namespace adze::train {

namespace {

std::vector<at::Tensor> torch_inputs(std::span<const Tensor> inputs) {
  std::vector<at::Tensor> result;
  for (const Tensor& input : inputs) result.push_back(to_torch(input));
  return result;
}

ExecutorOptions plain_options() {
  ExecutorOptions options;
  options.train = false;
  return options;
}

/// Who multiplies matrices. Debian's libtorch takes whatever libblas.so.3 is; the reference one is 17 times slower.
std::string_view blas() {
  if (at::hasMKL()) return "MKL";
  Dl_info info{};
  void* product = dlsym(RTLD_DEFAULT, "sgemm_");
  if (product == nullptr || dladdr(product, &info) == 0 || info.dli_fname == nullptr) return "BLAS unknown";
  std::error_code error;
  const std::string file = std::filesystem::canonical(info.dli_fname, error).string();
  if (file.find("openblas") != std::string::npos) return "OpenBLAS";
  if (file.find("blis") != std::string::npos) return "BLIS";
  return file.find("/blas/libblas.so") == std::string::npos
             ? "BLAS unknown"
             : "reference BLAS (matrix products are slow; Debian: apt install libopenblas0-openmp)";
}

class TorchPlugin : public Plugin {
 public:
  std::string description() const override {
    return cat("libtorch ", TORCH_VERSION, at::hasCUDA() ? ", CUDA, " : ", CPU, ", blas());
  }

  std::unique_ptr<Learner> make_learner(const Graph& graph, const LearnerOptions& options) override {
    check_options(options);
    if (options.device != "cpu" && !(options.device == "cuda" && at::hasCUDA())) {
      throw UsageError(cat("this libtorch has no device ", adze::quoted(options.device)), "use --device cpu");
    }
    return std::make_unique<TorchLearner>(graph, options);
  }

  std::vector<Tensor> forward(const Graph& graph, std::span<const Tensor> inputs) override {
    const at::NoGradGuard no_grad;
    Executor executor(graph, plain_options());
    std::vector<Tensor> result;
    for (const at::Tensor& output : executor.run(torch_inputs(inputs), RunMode{})) result.push_back(from_torch(output));
    return result;
  }

  std::vector<Tensor> input_gradients(const Graph& graph, std::span<const Tensor> inputs,
                                      std::span<const Tensor> weights) override {
    Executor executor(graph, plain_options());
    std::vector<at::Tensor> given = torch_inputs(inputs);
    for (at::Tensor& input : given) {
      if (at::isFloatingType(input.scalar_type())) input.set_requires_grad(true);
    }
    const std::vector<at::Tensor> outputs = executor.run(given, RunMode{});
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (std::size_t i = 0; i < outputs.size() && i < weights.size(); ++i) {
      if (at::isFloatingType(outputs[i].scalar_type())) sum = sum + (outputs[i] * to_torch(weights[i])).sum();
    }
    sum.backward();
    std::vector<Tensor> result;
    for (const at::Tensor& input : given) {
      result.push_back(from_torch(input.grad().defined() ? input.grad() : at::zeros_like(input)));
    }
    return result;
  }

  bool supports(OpKind kind) const override {
    return op_function(kind) != nullptr || kind == OpKind::QuantizeLinear || kind == OpKind::DequantizeLinear;
  }
};

}  // namespace

}  // namespace adze::train

/// What plugin() looks up: the version of the library that the plug-in was built with, and the plug-in.
extern "C" const char* adze_torch_version() {
  static const std::string version(adze::version());
  return version.c_str();
}
extern "C" adze::train::Plugin* adze_torch_plugin() {
  static adze::train::TorchPlugin plugin;
  return &plugin;
}

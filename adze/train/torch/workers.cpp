#include "adze/train/torch/workers.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#if __has_include(<gloo/rendezvous/store.h>)
#define ADZE_HAS_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

#include <chrono>

#include "adze/base/text.h"

namespace adze::train {

namespace {

#ifdef ADZE_HAS_GLOO

class GlooWorkers : public Workers {
 public:
  GlooWorkers(c10::intrusive_ptr<c10d::ProcessGroupGloo> group, int rank, int size)
      : group_(std::move(group)), rank_(rank), size_(size) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void average(const std::vector<at::Tensor>& tensors) override {
    if (tensors.empty()) return;
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> flat;
    for (const at::Tensor& tensor : tensors) flat.push_back(tensor.reshape({-1}));
    std::vector<at::Tensor> all{at::cat(flat)};
    try {
      group_->allreduce(all)->wait();
    } catch (const std::exception& error) {
      throw ModelError(cat("another training process is gone: ", error.what()), {},
                       "start all of them again with --resume");
    }
    all[0].div_(size_);
    std::int64_t offset = 0;
    for (const at::Tensor& tensor : tensors) {
      tensor.copy_(all[0].narrow(0, offset, tensor.numel()).reshape(tensor.sizes()));
      offset += tensor.numel();
    }
  }

 private:
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  int rank_, size_;
};

#endif

/// Every process' loss counts by 1 / size, so what comes back is averaged as well.
class MeanOverWorkers : public torch::autograd::Function<MeanOverWorkers> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, std::int64_t workers) {
    context->saved_data["workers"] = workers;
    at::Tensor y = x.clone();
    reinterpret_cast<Workers*>(workers)->average({y});
    return y;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    at::Tensor dx = gradients[0].clone();
    reinterpret_cast<Workers*>(context->saved_data["workers"].toInt())->average({dx});
    return {dx, at::Tensor()};
  }
};

}  // namespace

#ifdef ADZE_HAS_GLOO

std::shared_ptr<Workers> Workers::join(const WorkerOptions& options) {
  try {
    c10d::TCPStoreOptions store_options;
    store_options.port = static_cast<std::uint16_t>(options.port);
    store_options.isServer = options.rank == 0;
    store_options.numWorkers = static_cast<std::size_t>(options.count);
    store_options.timeout = std::chrono::minutes(10);
    const auto store = c10::make_intrusive<c10d::TCPStore>(options.address, store_options);
    const auto group_options = c10d::ProcessGroupGloo::Options::create();
    group_options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(options.address));
    const auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, options.rank, options.count, group_options);
    return std::make_shared<GlooWorkers>(group, options.rank, options.count);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    throw ModelError(cat("cannot meet the other training processes at ", options.address, ":", options.port, ": ",
                         text.substr(0, text.find('\n'))),
                     {}, "RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say who and where");
  }
}

#else

std::shared_ptr<Workers> Workers::join(const WorkerOptions&) {
  throw UnsupportedError("training in several processes needs Gloo's headers", {},
                         "install them (Debian: apt install libgloo-dev) and build adze again");
}

#endif

at::Tensor mean_over_workers(const at::Tensor& x, const std::shared_ptr<Workers>& workers) {
  return MeanOverWorkers::apply(x, reinterpret_cast<std::int64_t>(workers.get()));
}

}  // namespace adze::train

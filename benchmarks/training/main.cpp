// Steps a second of training: the zoo's CIFAR ResNets under adze, and the same networks written by hand against
// libtorch, taking turns in one process.   bin/training_benchmark [steps] [threads]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/zoo/zoo.h"
#include "benchmarks/training/by_hand.h"

namespace adze::benchmarks {

namespace {

constexpr std::int64_t samples = 128;

train::LearnBatch random_batch() {
  Random random(1);
  train::LearnBatch batch;
  batch.inputs.emplace_back(DType::F32, Shape{samples, 3, 32, 32});
  for (float& value : batch.inputs[0].mutable_data<float>()) value = static_cast<float>(random.normal());
  batch.labels = Tensor(DType::S64, {samples});
  for (std::int64_t i = 0; i < samples; ++i)
    batch.labels.mutable_data<std::int64_t>()[static_cast<std::size_t>(i)] = i % 10;
  return batch;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void compare(const char* name, int blocks, int steps, int threads) {
  train::LearnerOptions options;
  options.threads = threads;
  const auto learner = train::plugin().make_learner(zoo::build(cat(name, ",train")), options);
  const auto plain = make_by_hand(blocks, false), last = make_by_hand(blocks, true);
  const train::LearnBatch batch = random_batch();
  const std::function<void()> ways[] = {[&] { learner->step(batch, 0.01, 1); }, [&] { plain->step(batch, 0.01); },
                                        [&] { last->step(batch, 0.01); }};
  std::vector<double> seconds[3];
  for (int i = 0; i < steps + 2; ++i) {
    for (std::size_t way = 0; way < 3; ++way) {
      const double taken = seconds_of(ways[way]);
      if (i >= 2) seconds[way].push_back(taken);
    }
  }
  const double ours = static_cast<double>(samples) / median(seconds[0]);
  const double theirs = static_cast<double>(samples) / median(seconds[1]);
  const double channels_last = static_cast<double>(samples) / median(seconds[2]);
  std::printf("| %-9s | %7d | %9.0f | %9.0f | %13.0f | %13.2f |\n", name, threads, ours, theirs, channels_last,
              ours / std::max(theirs, channels_last));
}

}  // namespace

}  // namespace adze::benchmarks

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 20;
  std::printf("images/s, batches of %lld, medians of %d steps\n\n", static_cast<long long>(adze::benchmarks::samples),
              steps);
  std::printf("| network   | threads | adze      | libtorch  | channels last | ours / theirs |\n");
  std::printf("| --------- | ------: | --------: | --------: | ------------: | ------------: |\n");
  for (const int threads : {1, 2}) {
    if (argc > 2 && std::atoi(argv[2]) != threads) continue;
    adze::benchmarks::compare("resnet8", 1, steps, threads);
    adze::benchmarks::compare("resnet20", 3, steps, threads);
  }
}

#include "benchmarks/peers/start.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "adze/base/error.h"
#include "adze/base/memory.h"
#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/formats/onnx/read.h"
#include "benchmarks/peers/onnxruntime.h"

namespace adze::peers {

namespace {

/// Processor time of this process: what starting takes, less what other programs took meanwhile.
double now() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

constexpr int first_runs = 3;

StartCost start_adze(const StartRequest& request, const std::vector<Tensor>& inputs) {
  StartCost cost;
  const double begin = now();
  SessionOptions options;
  options.isa = request.isa;
  options.weight_file = request.weight_file.string();
  Session session = Session::open(
      request.model, [&] { return onnx::read(request.model); }, options);
  cost.creation_seconds = now() - begin;
  for (int i = 0; i < first_runs; ++i) session.run(inputs);
  cost.packed_bytes = session.packed_weight_bytes();
  cost.arena_bytes = session.arena_bytes();
  return cost;
}

StartCost start_onnxruntime(OnnxRuntime& runtime, const StartRequest& request, const std::vector<Tensor>& inputs) {
  StartCost cost;
  const double begin = now();
  OnnxRuntimeSession session(runtime, request.model, 1);
  cost.creation_seconds = now() - begin;
  session.bind(inputs);
  for (int i = 0; i < first_runs; ++i) session.run();
  return cost;
}

std::string shell_quoted(const std::string& text) {
  return cat("'", text, "'");
}

}  // namespace

void answer_start(const StartRequest& request) {
  const std::vector<Tensor> inputs{Tensor(DType::F32, request.input)};
  // Loading the library counts for neither: adze is part of this program already.
  std::optional<OnnxRuntime> runtime;
  if (request.engine == "onnxruntime") runtime.emplace(request.library);
  const PeakMemory memory;
  StartCost cost = runtime ? start_onnxruntime(*runtime, request, inputs) : start_adze(request, inputs);
  cost.peak_bytes = memory.growth();
  std::printf("start %.9f %" PRId64 " %" PRId64 " %" PRId64 "\n", cost.creation_seconds, cost.peak_bytes,
              cost.packed_bytes, cost.arena_bytes);
}

StartCost measure_start(const StartRequest& request) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string command = cat(shell_quoted(program), " --start ", request.engine, " --model ",
                            shell_quoted(request.model.string()), " --shape");
  for (const std::int64_t size : request.input) command += cat(" ", size);
  if (!request.library.empty()) command += cat(" --library ", shell_quoted(request.library.string()));
  if (!request.weight_file.empty()) command += cat(" --weight-file ", shell_quoted(request.weight_file.string()));
  if (!request.isa.empty()) command += cat(" --isa ", request.isa);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw InternalError(cat("cannot run ", command));
  StartCost cost;
  const int fields = std::fscanf(pipe, "start %lf %" SCNd64 " %" SCNd64 " %" SCNd64, &cost.creation_seconds,
                                 &cost.peak_bytes, &cost.packed_bytes, &cost.arena_bytes);
  if (::pclose(pipe) != 0 || fields != 4) throw ModelError(cat("no answer from ", command));
  return cost;
}

}  // namespace adze::peers

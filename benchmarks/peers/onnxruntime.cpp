// ONNX Runtime's C interface is a table of functions whose order never changes (new ones come at the end). These are
// our own declarations of the few that we call; nothing of its headers is used.
#include "benchmarks/peers/onnxruntime.h"

#include <dlfcn.h>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::peers {

namespace {

enum Slot : int {
  GetErrorMessage = 2,
  CreateEnvironment = 3,
  CreateSession = 7,
  Run = 9,
  CreateSessionOptions = 10,
  SetOptimizationLevel = 23,
  SetIntraThreads = 24,
  SetInterThreads = 25,
  GetInputCount = 30,
  GetOutputCount = 31,
  GetInputName = 36,
  GetOutputName = 37,
  CreateTensorWithData = 49,
  GetTensorData = 51,
  GetDimensionCount = 61,
  GetDimensions = 62,
  GetTensorTypeAndShape = 65,
  CreateCpuMemoryInfo = 69,
  GetDefaultAllocator = 78,
  ReleaseStatus = 93,
  ReleaseMemoryInfo = 94,
  ReleaseSession = 95,
  ReleaseValue = 96,
  ReleaseTypeAndShape = 99,
  ReleaseSessionOptions = 100,
};

constexpr std::uint32_t interface_version = 13;
constexpr int warnings_only = 3, all_optimizations = 99, no_optimizations = 0, element_float = 1;
constexpr int arena_allocator = 0, default_memory = 0;

struct Base {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

template <typename... Arguments>
void call(void* const* functions, Slot slot, Arguments... arguments) {
  void* status = reinterpret_cast<void* (*)(Arguments...)>(functions[slot])(arguments...);
  if (status == nullptr) return;
  const std::string message = reinterpret_cast<const char* (*)(void*)>(functions[GetErrorMessage])(status);
  reinterpret_cast<void (*)(void*)>(functions[ReleaseStatus])(status);
  throw ModelError(cat("ONNX Runtime: ", message));
}

void release(void* const* functions, Slot slot, void* object) {
  if (object != nullptr) reinterpret_cast<void (*)(void*)>(functions[slot])(object);
}

std::vector<std::string> names(void* const* functions, void* session, Slot count_slot, Slot name_slot) {
  void* allocator = nullptr;
  call(functions, GetDefaultAllocator, &allocator);
  std::size_t count = 0;
  call(functions, count_slot, session, &count);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;  // the default allocator's; kept until the process ends
    call(functions, name_slot, session, i, allocator, &name);
    result.emplace_back(name);
  }
  return result;
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const std::string& text : texts) result.push_back(text.c_str());
  return result;
}

}  // namespace

std::filesystem::path OnnxRuntime::installed_library(const std::filesystem::path& source_folder) {
  const auto folder = source_folder / "tests" / "witness" / "node_modules" / "onnxruntime-node" / "bin";
  std::error_code error;
  for (const auto& interface : std::filesystem::directory_iterator(folder, error)) {
#if defined(__aarch64__)
    const auto library = interface.path() / "linux" / "arm64" / "libonnxruntime.so.1";
#else
    const auto library = interface.path() / "linux" / "x64" / "libonnxruntime.so.1";
#endif
    if (std::filesystem::exists(library, error)) return library;
  }
  return {};
}

OnnxRuntime::OnnxRuntime(const std::filesystem::path& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw ModelError(cat("ONNX Runtime cannot be opened: ", ::dlerror()));
  void* entry = ::dlsym(handle, "OrtGetApiBase");
  if (entry == nullptr) throw ModelError("not a library of ONNX Runtime", {library.string(), "", ""});
  const Base* base = reinterpret_cast<const Base* (*)()>(entry)();
  version_ = base->version();
  functions_ = base->table(interface_version);
  if (functions_ == nullptr) throw ModelError("this ONNX Runtime is too old", {library.string(), "", ""});
  call(functions_, CreateEnvironment, warnings_only, "peers", &environment_);
}

OnnxRuntimeSession::OnnxRuntimeSession(OnnxRuntime& runtime, const std::filesystem::path& model, int threads,
                                       Fusion fusion)
    : runtime_(runtime) {
  void* const* functions = runtime_.functions_;
  void* options = nullptr;
  call(functions, CreateSessionOptions, &options);
  call(functions, SetOptimizationLevel, options, fusion == Fusion::All ? all_optimizations : no_optimizations);
  call(functions, SetIntraThreads, options, threads);
  call(functions, SetInterThreads, options, 1);
  call(functions, CreateSession, runtime_.environment_, model.c_str(), options, &session_);
  release(functions, ReleaseSessionOptions, options);
  input_names_ = names(functions, session_, GetInputCount, GetInputName);
  output_names_ = names(functions, session_, GetOutputCount, GetOutputName);
  input_pointers_ = pointers(input_names_);
  output_pointers_ = pointers(output_names_);
  output_values_.assign(output_names_.size(), nullptr);
}

OnnxRuntimeSession::~OnnxRuntimeSession() {
  for (void* value : input_values_) release(runtime_.functions_, ReleaseValue, value);
  for (void* value : output_values_) release(runtime_.functions_, ReleaseValue, value);
  release(runtime_.functions_, ReleaseSession, session_);
}

void OnnxRuntimeSession::bind(const std::vector<Tensor>& inputs) {
  if (inputs.size() != input_names_.size()) throw ModelError("ONNX Runtime sees another number of inputs");
  void* const* functions = runtime_.functions_;
  void* memory = nullptr;
  call(functions, CreateCpuMemoryInfo, arena_allocator, default_memory, &memory);
  inputs_ = inputs;
  for (Tensor& input : inputs_) {
    const std::span<float> data = input.mutable_data<float>();
    void* value = nullptr;
    call(functions, CreateTensorWithData, memory, static_cast<void*>(data.data()), data.size_bytes(),
         input.shape().data(), input.shape().size(), element_float, &value);
    input_values_.push_back(value);
  }
  release(functions, ReleaseMemoryInfo, memory);
}

void OnnxRuntimeSession::run() {
  call(runtime_.functions_, Run, session_, static_cast<void*>(nullptr), input_pointers_.data(), input_values_.data(),
       input_values_.size(), output_pointers_.data(), output_values_.size(), output_values_.data());
}

std::vector<Tensor> OnnxRuntimeSession::outputs() {
  void* const* functions = runtime_.functions_;
  std::vector<Tensor> result;
  for (void* value : output_values_) {
    void* info = nullptr;
    call(functions, GetTensorTypeAndShape, value, &info);
    std::size_t rank = 0;
    call(functions, GetDimensionCount, info, &rank);
    Shape shape(rank);
    call(functions, GetDimensions, info, shape.data(), rank);
    release(functions, ReleaseTypeAndShape, info);
    float* data = nullptr;
    call(functions, GetTensorData, value, &data);
    const auto count = static_cast<std::size_t>(num_elements(shape));
    result.push_back(Tensor::from(shape, std::vector<float>(data, data + count)));
  }
  return result;
}

}  // namespace adze::peers

#include <algorithm>
#include <cstring>
#include <new>

#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/capi/adze.h"
#include "adze/engine/session.h"
#include "adze/recipe/model_files.h"

namespace {

thread_local std::string last_error;

/// Runs the body and turns what it throws into a status.
template <typename Body>
adze_status guarded(Body body) noexcept {
  try {
    body();
    return ADZE_OK;
  } catch (const adze::Error& error) {
    last_error = error.what();
    return static_cast<adze_status>(error.code());
  } catch (const std::bad_alloc&) {
    last_error = "out of memory";
    return ADZE_LIMIT;
  } catch (const std::exception& error) {
    last_error = error.what();
    return ADZE_INTERNAL;
  }
}

void require(bool condition, const char* text) {
  if (!condition) throw adze::UsageError(text);
}

}  // namespace

struct adze_session {
  adze::Session session;
};

namespace {

const std::vector<adze::Port> no_ports;

adze::SessionOptions chosen(const adze_session_options* options) {
  adze::SessionOptions result;
  if (options == nullptr) return result;
  result.threads = options->threads;
  if (options->isa != nullptr) result.isa = options->isa;
  if (options->weight_file != nullptr) result.weight_file = options->weight_file;
  return result;
}

adze_status describe(const std::vector<adze::Port>& ports, std::size_t index, adze_tensor_info* info) {
  return guarded([&] {
    require(info != nullptr, "info is NULL");
    if (index >= ports.size()) throw adze::UsageError(adze::cat("there are ", ports.size(), ", not ", index + 1));
    const adze::Port& port = ports[index];
    *info = {port.name.c_str(), static_cast<adze_dtype>(port.type.dtype), -1, {}};
    if (!port.type.shape) return;
    const auto shape = adze::concrete(*port.type.shape);
    info->rank = static_cast<std::int32_t>(port.type.shape->size());
    if (info->rank > ADZE_MAX_RANK) throw adze::UnsupportedError(adze::cat("rank ", info->rank, " of ", port.name));
    for (std::int32_t i = 0; i < info->rank; ++i) {
      const adze::SymbolicShape one = {(*port.type.shape)[static_cast<std::size_t>(i)]};
      const auto known = adze::concrete(one);
      info->dims[i] = known ? (*known)[0] : -1;
    }
  });
}

adze::Tensor borrowed(const adze_tensor& tensor) {
  require(tensor.rank >= 0 && tensor.rank <= ADZE_MAX_RANK, "an input's rank is not between 0 and 8");
  require(tensor.data != nullptr || tensor.bytes == 0, "an input's data is NULL");
  const adze::Shape shape(tensor.dims, tensor.dims + tensor.rank);
  const std::shared_ptr<const void> nobody(tensor.data, [](const void*) {});
  return adze::Tensor::view(static_cast<adze::DType>(tensor.dtype), shape, nobody,
                            {static_cast<const std::byte*>(tensor.data), tensor.bytes});
}

void give_back(const adze::Tensor& from, adze_tensor& to) {
  require(from.rank() <= ADZE_MAX_RANK, "an output has more than 8 dimensions");
  to.dtype = static_cast<adze_dtype>(from.dtype());
  to.rank = static_cast<std::int32_t>(from.rank());
  std::copy(from.shape().begin(), from.shape().end(), to.dims);
  const auto bytes = from.bytes();
  if (bytes.size() > to.bytes || (to.data == nullptr && !bytes.empty())) {
    throw adze::UsageError(adze::cat("an output needs ", bytes.size(), " bytes, there is room for ", to.bytes));
  }
  if (!bytes.empty()) std::memcpy(to.data, bytes.data(), bytes.size());
}

}  // namespace

extern "C" {

const char* adze_version(void) {
  static const std::string text(adze::version());
  return text.c_str();
}

const char* adze_last_error(void) {
  return last_error.c_str();
}

adze_status adze_session_open(const char* path, const adze_session_options* options, adze_session** session) {
  if (session != nullptr) *session = nullptr;
  return guarded([&] {
    require(path != nullptr && session != nullptr, "path or session is NULL");
    *session = new adze_session{adze::Session::open(
        path, [file = std::string(path)] { return adze::load_model(file); }, chosen(options))};
  });
}

adze_status adze_session_open_bytes(const void* model, size_t bytes, const adze_session_options* options,
                                    adze_session** session) {
  if (session != nullptr) *session = nullptr;
  return guarded([&] {
    require(model != nullptr && session != nullptr, "model or session is NULL");
    const auto copy = std::make_shared<std::vector<std::byte>>(static_cast<const std::byte*>(model),
                                                               static_cast<const std::byte*>(model) + bytes);
    adze::SessionOptions settings = chosen(options);
    settings.weight_file.clear();
    *session = new adze_session{adze::Session(adze::load_model_bytes(*copy, copy), settings)};
  });
}

void adze_session_close(adze_session* session) {
  delete session;
}

size_t adze_session_inputs(const adze_session* session) {
  return session != nullptr ? session->session.inputs().size() : 0;
}

size_t adze_session_outputs(const adze_session* session) {
  return session != nullptr ? session->session.outputs().size() : 0;
}

adze_status adze_session_input(const adze_session* session, size_t index, adze_tensor_info* info) {
  return describe(session != nullptr ? session->session.inputs() : no_ports, index, info);
}

adze_status adze_session_output(const adze_session* session, size_t index, adze_tensor_info* info) {
  return describe(session != nullptr ? session->session.outputs() : no_ports, index, info);
}

adze_status adze_session_run(adze_session* session, const adze_tensor* inputs, size_t num_inputs, adze_tensor* outputs,
                             size_t num_outputs) {
  return guarded([&] {
    require(session != nullptr, "session is NULL");
    require((inputs != nullptr || num_inputs == 0) && (outputs != nullptr || num_outputs == 0), "tensors are NULL");
    if (num_outputs != session->session.outputs().size()) {
      throw adze::UsageError(
          adze::cat("the model has ", session->session.outputs().size(), " outputs, ", num_outputs, " given"));
    }
    std::vector<adze::Tensor> given;
    for (std::size_t i = 0; i < num_inputs; ++i) given.push_back(borrowed(inputs[i]));
    const std::vector<adze::Tensor> results = session->session.run(given);
    for (std::size_t i = 0; i < num_outputs; ++i) give_back(results[i], outputs[i]);
  });
}

}  // extern "C"

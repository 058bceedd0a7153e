#include "adze/formats/onnx/write.h"

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/formats/onnx/downgrade.h"
#include "adze/formats/onnx/encode.h"
#include "adze/formats/onnx/read.h"

namespace adze::onnx {

namespace {

/// protobuf refuses larger messages.
constexpr std::int64_t max_model_bytes = (std::int64_t{1} << 31) - 1;

WireMessage encode(const Graph& graph, const WriteOptions& options, ExternalPlan* external) {
  if (options.opset < oldest_written_opset || options.opset > newest_opset) {
    throw UsageError(cat("cannot write opset ", options.opset),
                     cat("an opset from ", oldest_written_opset, " to ", newest_opset));
  }
  WireMessage model = options.opset == newest_opset ? encode_model(graph, options, external)
                                                    : encode_model(downgraded(graph, options.opset), options, external);
  if (model.size() > max_model_bytes) {
    throw LimitError(cat("the model takes ", bytes_text(model.size()), ", and an ONNX file holds at most 2 G"), {},
                     "write the weights to a file of their own (external data)");
  }
  return model;
}

void write_external(const ExternalPlan& external, const std::filesystem::path& path) {
  AtomicFileWriter writer(path);
  for (const auto& [offset, tensor] : external.tensors) {
    const std::int64_t gap = offset - writer.bytes_written();
    writer.write(std::string(static_cast<std::size_t>(gap), '\0'));
    writer.write(tensor.bytes());
  }
  writer.commit();
}

}  // namespace

void write(const Graph& graph, const std::filesystem::path& path, const WriteOptions& options) {
  ExternalPlan external;
  external.file_name = path.filename().string() + ".data";
  external.threshold = options.external_threshold;
  const WireMessage model = encode(graph, options, options.external_data ? &external : nullptr);
  if (!external.tensors.empty()) write_external(external, path.parent_path() / external.file_name);
  AtomicFileWriter writer(path);
  model.for_each_piece([&](std::string_view piece) { writer.write(piece); });
  writer.commit();
}

std::string write_bytes(const Graph& graph, const WriteOptions& options) {
  if (options.external_data) throw UsageError("external data needs a file to stand beside");
  return encode(graph, options, nullptr).bytes();
}

}  // namespace adze::onnx

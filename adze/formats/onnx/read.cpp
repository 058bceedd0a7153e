#include "adze/formats/onnx/read.h"

#include <new>

#include "adze/formats/onnx/build.h"
#include "adze/formats/onnx/functions.h"
#include "adze/formats/onnx/messages.h"
#include "adze/formats/onnx/operators.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"

namespace adze::onnx {

namespace {

Graph read_model(Bytes bytes, std::shared_ptr<const void> owner, const ReadOptions& options,
                 const std::filesystem::path& path) {
  if (bytes.empty()) throw ModelError("the file is empty");
  const ModelMessage model = parse_model(bytes, options);
  const FunctionTable functions(model);
  functions.check_expansion(options);
  check_operators(model, functions);
  ExternalFiles files(path.parent_path(), options.max_file_bytes);
  const bool has_external = options.allow_external_data && !path.empty();
  const TensorSource source{std::move(owner), has_external ? &files : nullptr, options.max_sparse_bytes};
  Graph graph = build_graph(model, functions, options, source, path.string());
  verify(graph);
  infer_types(graph);
  return graph;
}

}  // namespace

Graph read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const ReadOptions& options,
                 std::filesystem::path model_path) {
  const ErrorPlace place{model_path.string(), "", ""};
  try {
    return read_model(bytes, std::move(owner), options, model_path);
  } catch (const Error& error) {
    rethrow_with_place(error, place);
  } catch (const std::bad_alloc&) {
    throw LimitError("there is not enough memory to read the model", place);
  }
}

Graph read(const std::filesystem::path& path, const ReadOptions& options) {
  const auto file = MappedFile::open(path, options.max_file_bytes);
  return read_bytes(file->bytes(), file, options, path);
}

}  // namespace adze::onnx

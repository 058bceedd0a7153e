#include "adze/recipe/model_files.h"

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/formats/tflite/write.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/fuse_gelu.h"
#include "adze/zoo/zoo.h"

namespace adze {

namespace {

constexpr std::string_view zoo_prefix = "zoo:";

bool is_tflite(std::string_view head) {
  return head.size() >= 8 && head.substr(4, 4) == "TFL3";
}

std::string_view head_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 64)};
}

Graph load_text(const std::filesystem::path& path) {
  try {
    Graph graph = parse_graph(read_text_file(path, std::int64_t{1} << 30));
    infer_types(graph);
    verify(graph);
    graph.source_file = path.string();
    return graph;
  } catch (const Error& error) {
    rethrow_with_place(error, {path.string(), "", ""});
  }
}

}  // namespace

bool is_zoo_model(const std::filesystem::path& path) {
  return std::string_view(path.native()).starts_with(zoo_prefix);
}

FileIdentity identify_model(const std::filesystem::path& path) {
  return is_zoo_model(path) ? FileIdentity{} : identify_file(path);
}

Graph load_model(const std::filesystem::path& path) {
  if (is_zoo_model(path)) return zoo::build(std::string_view(path.native()).substr(zoo_prefix.size()));
  const auto file = MappedFile::open(path);
  if (file->bytes().empty()) throw ModelError("the file is empty", {path.string(), "", ""});
  const std::string_view head = head_of(file->bytes());
  if (is_tflite(head)) return tflite::read(path);
  if (trim(head).starts_with("graph ")) return load_text(path);
  return onnx::read(path);
}

Graph load_model_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) throw ModelError("the model is empty");
  if (is_tflite(head_of(bytes))) return tflite::read_bytes(bytes, std::move(owner));
  onnx::ReadOptions options;
  options.allow_external_data = false;
  return onnx::read_bytes(bytes, std::move(owner), options);
}

void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options) {
  const std::string extension = path.extension().string();
  if (extension == ".adze") {
    write_file(path, print_graph(graph));
    return;
  }
  if (extension == ".tflite") {
    Graph fused = graph;  // TFLite knows GELU, and no error function
    rewrite::rewrite(fused, rewrite::fuse_gelu_rules());
    tflite::write(fused, path);
    return;
  }
  if (extension != ".onnx") {
    throw UsageError(cat("cannot write a model as ", adze::quoted(path.filename().string())),
                     "a name that ends in .onnx or .tflite, or in .adze for text");
  }
  onnx::WriteOptions write_options;
  write_options.opset = options.opset;
  write_options.external_data = options.external_data;
  write_options.sparse = options.sparse;
  write_options.packed_codes = options.packed_codes;
  onnx::write(graph, path, write_options);
}

}  // namespace adze

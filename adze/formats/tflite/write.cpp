#include "adze/formats/tflite/write.h"

#include "adze/base/files.h"
#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

std::string write_bytes(const Graph& graph) {
  const OutputModel model = Writer(graph).run();
  return serialize(model);
}

void write(const Graph& graph, const std::filesystem::path& path) {
  write_file(path, write_bytes(graph));
}

}  // namespace adze::tflite

#include <adze/engine/session.h>
#include <adze/recipe/model_files.h>
#include <adze/recipe/slim.h>
#include <cstdio>

int main(int argc, char** argv) {
  const adze::Graph graph = adze::load_model(argc > 1 ? argv[1] : "model.onnx");
  const auto outputs = adze::Session(graph).run(adze::random_inputs(graph, 0, {}));
  std::printf("%s\n", adze::type_text(outputs[0]).c_str());
}

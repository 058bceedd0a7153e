#pragma once

#include <memory>
#include <string>
#include <vector>

#include "activation.h"
#include "adze/base/random.h"
#include "adze/graph/graph.h"

namespace demo {

/// Learned numbers with their gradient and momentum.
struct Parameter {
  std::vector<float> value, gradient, velocity;
  bool decays = false;  ///< weight decay applies

  void resize(std::size_t count, float fill) {
    value.assign(count, fill);
    gradient.assign(count, 0.0F);
    velocity.assign(count, 0.0F);
  }
};

enum class Phase { Training, Inference };

/// One step of the network. backward() follows the forward() it belongs to and adds to the gradients.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual Activation forward(const Activation& input, Phase phase) = 0;
  virtual Activation backward(const Activation& gradient) = 0;
  virtual std::vector<Parameter*> parameters() { return {}; }
  /// Appends the layer to an ONNX graph. Returns its output.
  virtual adze::ValueId append_to(adze::Graph& graph, adze::ValueId input, const std::string& name) const = 0;
};

using Layers = std::vector<std::unique_ptr<Layer>>;

/// k×k convolution with padding k/2 and no bias.
std::unique_ptr<Layer> convolution(int in, int out, int kernel, int stride, adze::Random& random);
/// The same with one filter a channel.
std::unique_ptr<Layer> depthwise(int channels, int kernel, int stride, adze::Random& random);
std::unique_ptr<Layer> batch_norm(int channels);
std::unique_ptr<Layer> relu();
/// input + inner(input)
std::unique_ptr<Layer> residual(Layers inner);
/// Mean over height and width, then a fully connected layer: [classes][B].
std::unique_ptr<Layer> classifier(int channels, int classes, adze::Random& random);

}  // namespace demo

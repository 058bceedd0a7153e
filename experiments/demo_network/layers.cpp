#include "layers.h"

#include <cmath>

#include "adze/numerics/tensor.h"

namespace demo {

namespace {

using adze::Graph;
using adze::OpKind;
using adze::Random;
using adze::Tensor;
using adze::ValueId;

/// He et al. 2015.
void initialize(Parameter& weights, std::size_t count, int fan_in, Random& random) {
  weights.resize(count, 0.0F);
  weights.decays = true;
  const double deviation = std::sqrt(2.0 / fan_in);
  for (float& value : weights.value) value = static_cast<float>(random.normal() * deviation);
}

ValueId append_convolution(Graph& graph, ValueId input, const std::string& name, const Parameter& weights,
                           const adze::Shape& shape, int stride, int groups) {
  const ValueId constant = graph.add_constant(name + ".weight", Tensor::from<float>(shape, weights.value));
  const std::int64_t kernel = shape[2], pad = kernel / 2;
  using Ints = std::vector<std::int64_t>;
  return graph.add(OpKind::Conv, {input, constant},
                   {{"group", std::int64_t{groups}},
                    {"kernel_shape", Ints{kernel, kernel}},
                    {"pads", Ints{pad, pad, pad, pad}},
                    {"strides", Ints{stride, stride}}},
                   name);
}

class Convolution : public Layer {
 public:
  Convolution(int in, int out, int kernel, int stride, Random& random)
      : in_(in), out_(out), kernel_(kernel), stride_(stride) {
    initialize(weights_, static_cast<std::size_t>(out) * in * kernel * kernel, in * kernel * kernel, random);
  }

  Activation forward(const Activation& input, Phase) override {
    input_ = Activation(input.channels, input.batch, input.height, input.width);
    unfold(input);
    Activation output(out_, input.batch, (input.height - 1) / stride_ + 1, (input.width - 1) / stride_ + 1);
    multiply(weights_.value.data(), unfolded_.data(), output.values.data(), out_, depth(), output.columns(), false);
    return output;
  }

  Activation backward(const Activation& gradient) override {
    const int n = gradient.columns();
    multiply_transposed(gradient.values.data(), unfolded_.data(), weights_.gradient.data(), out_, n, depth());
    std::vector<float> transposed(weights_.value.size());
    for (int o = 0; o < out_; ++o) {
      for (int k = 0; k < depth(); ++k) transposed[k * out_ + o] = weights_.value[o * depth() + k];
    }
    multiply(transposed.data(), gradient.values.data(), unfolded_.data(), depth(), out_, n, false);
    fold(gradient);
    return std::move(input_);
  }

  std::vector<Parameter*> parameters() override { return {&weights_}; }
  ValueId append_to(Graph& graph, ValueId input, const std::string& name) const override {
    return append_convolution(graph, input, name, weights_, {out_, in_, kernel_, kernel_}, stride_, 1);
  }

 private:
  int depth() const { return in_ * kernel_ * kernel_; }

  /// Calls visit(column of the output, x and y in the input) for one place of the kernel.
  template <typename F>
  void for_each(int height, int width, int batch, int ky, int kx, F&& visit) const {
    const int out_height = (height - 1) / stride_ + 1, out_width = (width - 1) / stride_ + 1;
    for (int b = 0; b < batch; ++b) {
      for (int y = 0; y < out_height; ++y) {
        const int in_y = y * stride_ + ky - kernel_ / 2;
        if (in_y < 0 || in_y >= height) continue;
        for (int x = 0; x < out_width; ++x) {
          const int in_x = x * stride_ + kx - kernel_ / 2;
          if (in_x < 0 || in_x >= width) continue;
          visit((b * out_height + y) * out_width + x, (b * height + in_y) * width + in_x);
        }
      }
    }
  }

  template <typename F>
  void for_each_row(F&& visit) const {
    int row = 0;
    for (int c = 0; c < in_; ++c) {
      for (int ky = 0; ky < kernel_; ++ky) {
        for (int kx = 0; kx < kernel_; ++kx) visit(row++, c, ky, kx);
      }
    }
  }

  void unfold(const Activation& input) {
    const std::size_t columns =
        static_cast<std::size_t>(input.batch) * ((input.height - 1) / stride_ + 1) * ((input.width - 1) / stride_ + 1);
    unfolded_.assign(columns * depth(), 0.0F);
    for_each_row([&](int row, int c, int ky, int kx) {
      float* out = unfolded_.data() + columns * row;
      const float* in = input.row(c);
      for_each(input.height, input.width, input.batch, ky, kx, [&](int to, int from) { out[to] = in[from]; });
    });
  }

  void fold(const Activation& gradient) {
    const std::size_t columns = gradient.columns();
    for_each_row([&](int row, int c, int ky, int kx) {
      const float* in = unfolded_.data() + columns * row;
      float* out = input_.row(c);
      for_each(input_.height, input_.width, input_.batch, ky, kx, [&](int to, int from) { out[from] += in[to]; });
    });
  }

  int in_, out_, kernel_, stride_;
  Parameter weights_;
  Activation input_;  ///< becomes the gradient
  std::vector<float> unfolded_;
};

class Depthwise : public Layer {
 public:
  Depthwise(int channels, int kernel, int stride, Random& random)
      : channels_(channels), kernel_(kernel), stride_(stride) {
    initialize(weights_, static_cast<std::size_t>(channels) * kernel * kernel, kernel * kernel, random);
  }

  Activation forward(const Activation& input, Phase) override {
    input_ = input;
    Activation output(channels_, input.batch, (input.height - 1) / stride_ + 1, (input.width - 1) / stride_ + 1);
    for (int c = 0; c < channels_; ++c) {
      const float* in = input.row(c);
      float* out = output.row(c);
      for_each(output, c, [&](int to, int from, std::size_t weight) { out[to] += weights_.value[weight] * in[from]; });
    }
    return output;
  }

  Activation backward(const Activation& gradient) override {
    Activation result(channels_, input_.batch, input_.height, input_.width);
    for (int c = 0; c < channels_; ++c) {
      const float* in = input_.row(c);
      const float* out = gradient.row(c);
      float* back = result.row(c);
      for_each(gradient, c, [&](int to, int from, std::size_t weight) {
        weights_.gradient[weight] += out[to] * in[from];
        back[from] += out[to] * weights_.value[weight];
      });
    }
    return result;
  }

  std::vector<Parameter*> parameters() override { return {&weights_}; }
  ValueId append_to(Graph& graph, ValueId input, const std::string& name) const override {
    return append_convolution(graph, input, name, weights_, {channels_, 1, kernel_, kernel_}, stride_, channels_);
  }

 private:
  template <typename F>
  void for_each(const Activation& output, int c, F&& visit) const {
    for (int b = 0; b < output.batch; ++b) {
      for (int y = 0; y < output.height; ++y) {
        for (int x = 0; x < output.width; ++x) {
          const int to = (b * output.height + y) * output.width + x;
          for (int ky = 0; ky < kernel_; ++ky) {
            const int in_y = y * stride_ + ky - kernel_ / 2;
            if (in_y < 0 || in_y >= input_.height) continue;
            for (int kx = 0; kx < kernel_; ++kx) {
              const int in_x = x * stride_ + kx - kernel_ / 2;
              if (in_x < 0 || in_x >= input_.width) continue;
              visit(to, (b * input_.height + in_y) * input_.width + in_x,
                    static_cast<std::size_t>((c * kernel_ + ky) * kernel_ + kx));
            }
          }
        }
      }
    }
  }

  int channels_, kernel_, stride_;
  Parameter weights_;
  Activation input_;
};

/// Ioffe and Szegedy 2015.
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(int channels) : mean_(channels, 0.0F), variance_(channels, 1.0F), inverse_(channels) {
    gamma_.resize(channels, 1.0F);
    beta_.resize(channels, 0.0F);
  }

  Activation forward(const Activation& input, Phase phase) override {
    Activation output = input;
    const int n = input.columns();
    for (int c = 0; c < input.channels; ++c) {
      float* row = output.row(c);
      if (phase == Phase::Training) measure(row, n, c);
      const float mean = phase == Phase::Training ? batch_mean_ : mean_[c];
      const float variance = phase == Phase::Training ? batch_variance_ : variance_[c];
      inverse_[c] = 1.0F / std::sqrt(variance + epsilon);
      for (int i = 0; i < n; ++i) row[i] = (row[i] - mean) * inverse_[c];
    }
    normalized_ = output;
    for (int c = 0; c < input.channels; ++c) {
      float* row = output.row(c);
      for (int i = 0; i < n; ++i) row[i] = row[i] * gamma_.value[c] + beta_.value[c];
    }
    return output;
  }

  Activation backward(const Activation& gradient) override {
    Activation result = gradient;
    const int n = gradient.columns();
    for (int c = 0; c < gradient.channels; ++c) {
      const float* normalized = normalized_.row(c);
      float* row = result.row(c);
      float sum = 0.0F, product = 0.0F;
      for (int i = 0; i < n; ++i) sum += row[i];
      for (int i = 0; i < n; ++i) product += row[i] * normalized[i];
      gamma_.gradient[c] += product;
      beta_.gradient[c] += sum;
      const float factor = gamma_.value[c] * inverse_[c];
      const float mean = sum / n, slope = product / n;
      for (int i = 0; i < n; ++i) row[i] = factor * (row[i] - mean - normalized[i] * slope);
    }
    return result;
  }

  std::vector<Parameter*> parameters() override { return {&gamma_, &beta_}; }
  ValueId append_to(Graph& graph, ValueId input, const std::string& name) const override {
    const adze::Shape shape = {static_cast<std::int64_t>(mean_.size())};
    const auto constant = [&](const char* part, const std::vector<float>& values) {
      return graph.add_constant(name + part, Tensor::from<float>(shape, values));
    };
    return graph.add(OpKind::BatchNormalization,
                     {input, constant(".scale", gamma_.value), constant(".bias", beta_.value), constant(".mean", mean_),
                      constant(".variance", variance_)},
                     {{"epsilon", epsilon}}, name);
  }

 private:
  static constexpr float epsilon = 1e-3F;
  static constexpr float keep = 0.95F;

  void measure(const float* row, int n, int c) {
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < n; ++i) sum += row[i];
    batch_mean_ = static_cast<float>(sum / n);
    for (int i = 0; i < n; ++i) squares += (row[i] - batch_mean_) * (row[i] - batch_mean_);
    batch_variance_ = static_cast<float>(squares / n);
    mean_[c] = keep * mean_[c] + (1.0F - keep) * batch_mean_;
    variance_[c] = keep * variance_[c] + (1.0F - keep) * batch_variance_;
  }

  Parameter gamma_, beta_;
  std::vector<float> mean_, variance_, inverse_;
  float batch_mean_ = 0.0F, batch_variance_ = 1.0F;
  Activation normalized_;
};

class Relu : public Layer {
 public:
  Activation forward(const Activation& input, Phase) override {
    output_ = input;
    for (float& value : output_.values) value = value > 0.0F ? value : 0.0F;
    return output_;
  }
  Activation backward(const Activation& gradient) override {
    Activation result = gradient;
    for (std::size_t i = 0; i < result.values.size(); ++i) {
      result.values[i] = output_.values[i] > 0.0F ? result.values[i] : 0.0F;
    }
    return result;
  }
  ValueId append_to(Graph& graph, ValueId input, const std::string& name) const override {
    return graph.add(OpKind::Relu, {input}, {}, name);
  }

 private:
  Activation output_;
};

class Residual : public Layer {
 public:
  explicit Residual(Layers inner) : inner_(std::move(inner)) {}

  Activation forward(const Activation& input, Phase phase) override {
    Activation output = input;
    for (auto& layer : inner_) output = layer->forward(output, phase);
    for (std::size_t i = 0; i < output.values.size(); ++i) output.values[i] += input.values[i];
    return output;
  }
  Activation backward(const Activation& gradient) override {
    Activation result = gradient;
    for (auto layer = inner_.rbegin(); layer != inner_.rend(); ++layer) result = (*layer)->backward(result);
    for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] += gradient.values[i];
    return result;
  }
  std::vector<Parameter*> parameters() override {
    std::vector<Parameter*> all;
    for (auto& layer : inner_) {
      for (Parameter* parameter : layer->parameters()) all.push_back(parameter);
    }
    return all;
  }
  ValueId append_to(Graph& graph, ValueId input, const std::string& name) const override {
    ValueId inner = input;
    int index = 0;
    for (const auto& layer : inner_) inner = layer->append_to(graph, inner, name + "." + std::to_string(index++));
    return graph.add(OpKind::Add, {input, inner}, {}, name + ".add");
  }

 private:
  Layers inner_;
};

class Classifier : public Layer {
 public:
  Classifier(int channels, int classes, Random& random) : channels_(channels), classes_(classes) {
    initialize(weights_, static_cast<std::size_t>(channels) * classes, channels, random);
    bias_.resize(classes, 0.0F);
  }

  Activation forward(const Activation& input, Phase) override {
    height_ = input.height;
    width_ = input.width;
    const int pixels = height_ * width_;
    pooled_ = Activation(channels_, input.batch, 1, 1);
    for (int c = 0; c < channels_; ++c) {
      for (int b = 0; b < input.batch; ++b) {
        float sum = 0.0F;
        for (int i = 0; i < pixels; ++i) sum += input.row(c)[b * pixels + i];
        pooled_.row(c)[b] = sum / pixels;
      }
    }
    Activation output(classes_, input.batch, 1, 1);
    multiply(weights_.value.data(), pooled_.values.data(), output.values.data(), classes_, channels_, input.batch,
             false);
    for (int k = 0; k < classes_; ++k) {
      for (int b = 0; b < input.batch; ++b) output.row(k)[b] += bias_.value[k];
    }
    return output;
  }

  Activation backward(const Activation& gradient) override {
    const int batch = gradient.batch;
    multiply_transposed(gradient.values.data(), pooled_.values.data(), weights_.gradient.data(), classes_, batch,
                        channels_);
    Activation result(channels_, batch, height_, width_);
    const int pixels = height_ * width_;
    for (int k = 0; k < classes_; ++k) {
      for (int b = 0; b < batch; ++b) {
        const float slope = gradient.row(k)[b];
        bias_.gradient[k] += slope;
        for (int c = 0; c < channels_; ++c) {
          const float share = slope * weights_.value[k * channels_ + c] / pixels;
          for (int i = 0; i < pixels; ++i) result.row(c)[b * pixels + i] += share;
        }
      }
    }
    return result;
  }

  std::vector<Parameter*> parameters() override { return {&weights_, &bias_}; }
  ValueId append_to(Graph& graph, ValueId input, const std::string& name) const override {
    const ValueId pooled = graph.add(OpKind::GlobalAveragePool, {input}, {}, name + ".pool");
    const ValueId flat = graph.add(OpKind::Flatten, {pooled}, {}, name + ".flatten");
    const ValueId weights =
        graph.add_constant(name + ".weight", Tensor::from<float>({classes_, channels_}, weights_.value));
    const ValueId bias = graph.add_constant(name + ".bias", Tensor::from<float>({classes_}, bias_.value));
    return graph.add(OpKind::Gemm, {flat, weights, bias}, {{"transB", std::int64_t{1}}}, name);
  }

 private:
  int channels_, classes_;
  int height_ = 0, width_ = 0;
  Parameter weights_, bias_;
  Activation pooled_;
};

}  // namespace

std::unique_ptr<Layer> convolution(int in, int out, int kernel, int stride, Random& random) {
  return std::make_unique<Convolution>(in, out, kernel, stride, random);
}
std::unique_ptr<Layer> depthwise(int channels, int kernel, int stride, Random& random) {
  return std::make_unique<Depthwise>(channels, kernel, stride, random);
}
std::unique_ptr<Layer> batch_norm(int channels) {
  return std::make_unique<BatchNorm>(channels);
}
std::unique_ptr<Layer> relu() {
  return std::make_unique<Relu>();
}
std::unique_ptr<Layer> residual(Layers inner) {
  return std::make_unique<Residual>(std::move(inner));
}
std::unique_ptr<Layer> classifier(int channels, int classes, Random& random) {
  return std::make_unique<Classifier>(channels, classes, random);
}

}  // namespace demo

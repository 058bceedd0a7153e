#include "tests/emit/random_network.h"

#include <cmath>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/graph/infer.h"

namespace adze::testing {

namespace {

using Attributes = std::vector<std::pair<std::string, Attribute>>;

struct Picture {
  ValueId value = ValueId::None;
  float scale = 1.0f;
  std::int64_t zero = 0;
  Shape shape;
};

class Builder {
 public:
  Builder(std::uint64_t seed, DType dtype) : random_(seed), dtype_(dtype) {
    constexpr const char* profiles[] = {"tflm", "tflm", "litert", "onnx"};
    rounding_ = profiles[pick(4)];
    graph_.metadata["adze.rounding"] = rounding_;
    if (pick(2) == 0) graph_.metadata["adze.source_layout"] = "NHWC";
  }

  Graph build() {
    Picture x;
    x.shape = {1, channels(), 3 + pick(10), 3 + pick(10)};
    x.value = graph_.add_input("x", ValueType::tensor(dtype_, symbolic(x.shape)));
    x.scale = scale();
    x.zero = zero();
    pictures_.push_back(x);
    const std::int64_t count = 2 + pick(7);
    for (std::int64_t i = 0; i < count; ++i) add_layer();
    finish();
    infer_types(graph_);
    return std::move(graph_);
  }

 private:
  std::int64_t pick(std::int64_t bound) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(bound)));
  }
  std::int64_t channels() {
    constexpr std::int64_t sizes[] = {1, 2, 3, 4, 5, 8, 8, 12, 16, 17, 24, 32};
    return sizes[pick(12)];
  }
  float scale() { return static_cast<float>(std::exp(random_.uniform(-5.0, 0.5))); }
  bool words() const { return dtype_ == DType::S16; }
  std::int64_t zero() { return words() ? 0 : pick(4) == 0 ? -128 : pick(256) - 128; }
  Picture& last() { return pictures_.back(); }

  Tensor bytes(Shape shape) {
    Tensor tensor(DType::S8, std::move(shape));
    for (auto& value : tensor.mutable_data<std::int8_t>()) value = static_cast<std::int8_t>(pick(256) - 128);
    return tensor;
  }

  /// Numbers of the activations' type.
  Tensor numbers(Shape shape) {
    if (!words()) return bytes(std::move(shape));
    Tensor tensor(DType::S16, std::move(shape));
    for (auto& value : tensor.mutable_data<std::int16_t>()) value = static_cast<std::int16_t>(pick(65536) - 32768);
    return tensor;
  }

  /// Of 32 bits; for activations of 16 bits mostly of 64, some of them so large that sums need these.
  Tensor biases(std::int64_t count) {
    const bool wide = words() && pick(4) != 0;
    const std::int64_t most = !words() ? 10000 : wide && pick(4) == 0 ? std::int64_t{1} << 32 : std::int64_t{1} << 21;
    Tensor bias(wide ? DType::S64 : DType::S32, {count});
    for (std::int64_t i = 0; i < count; ++i) bias.set_int(i, pick(2 * most + 1) - most);
    return bias;
  }

  /// Weights of all bytes, of 4 or 2 bits, mostly zeros, or of a few values; sometimes filters without any.
  Tensor weights(Shape shape) {
    Tensor tensor = bytes(std::move(shape));
    const std::int64_t style = pick(8), shift = style == 1 ? 4 : style == 2 ? 6 : 0;
    const auto data = tensor.mutable_data<std::int8_t>();
    for (auto& value : data) {
      if (shift > 0) value = static_cast<std::int8_t>(value >> shift);
      if (style == 3 && pick(5) != 0) value = 0;
      if (style == 4) value = static_cast<std::int8_t>(value / 50 * 41);
      if (style == 5) value = 7;
    }
    const std::size_t row = data.size() / static_cast<std::size_t>(tensor.dim(0));
    if (pick(4) == 0) std::fill(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(row), std::int8_t{0});
    return tensor;
  }

  /// rounding, y_…: most clamps are the whole range.
  void set_output(Node& node, float y_scale, std::int64_t y_zero) {
    const bool narrow = pick(4) == 0;
    node.set("rounding", rounding_);
    node.set("y_scale", y_scale);
    node.set("y_zero_point", y_zero);
    node.set("y_dtype", static_cast<std::int64_t>(dtype_));
    const std::int64_t low = integer_min(dtype_), high = integer_max(dtype_);
    node.set("y_min", narrow ? std::max(low, y_zero) : low);
    node.set("y_max", narrow ? std::min(high, y_zero + high * 90 / 127) : high);
  }

  void push(Node node, float y_scale, std::int64_t y_zero, Shape shape) {
    node.name = cat("layer", pictures_.size());
    node.outputs = {graph_.add_value(node.name, ValueType::tensor(dtype_, symbolic(shape)))};
    Picture next{node.outputs[0], y_scale, y_zero, std::move(shape)};
    graph_.add_node(std::move(node));
    pictures_.push_back(next);
  }

  ValueId constant(const Tensor& tensor) { return graph_.add_constant(graph_.unique_name("c"), tensor); }

  void add_layer() {
    switch (pick(13)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return add_conv(pick(3) == 0);
      case 4:
        return add_pool(pick(2) == 0);
      case 5:
      case 6:
        return add_binary();
      case 7:
        return add_table();
      case 8:
        return add_requantize();
      case 9:
        return add_concat();
      case 10:
        return add_slice_or_pad();
      case 11:
        return add_branches();
      default:
        return add_resize();
    }
  }

  void add_conv(bool depthwise) {
    const Picture x = last();
    const std::int64_t in = x.shape[1], out = depthwise ? in : channels(), kinds = pick(4);
    const std::int64_t group = depthwise ? in : (kinds == 0 && in % 2 == 0 && out % 2 == 0 ? 2 : 1);
    Shape kernel, pads, result{1, out};
    std::vector<std::int64_t> strides, dilations;
    const std::int64_t size = pick(3) == 0 ? 1 : 3;
    for (std::size_t i = 0; i < 2; ++i) {
      kernel.push_back(std::min(pick(6) == 0 ? 1 + pick(4) : size, x.shape[2 + i]));
      strides.push_back(1 + pick(3) / 2);
      dilations.push_back(kernel[i] > 1 && pick(6) == 0 && x.shape[2 + i] > 2 * kernel[i] ? 2 : 1);
    }
    for (std::size_t i = 0; i < 4; ++i) pads.push_back(kernel[i % 2] > 1 ? pick(2) : 0);
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t extent = dilations[i] * (kernel[i] - 1) + 1;
      result.push_back((x.shape[2 + i] + pads[i] + pads[2 + i] - extent) / strides[i] + 1);
    }
    Node node;
    node.kind = OpKind::QConv;
    node.inputs = {x.value, constant(weights({out, in / group, kernel[0], kernel[1]}))};
    if (pick(4) != 0) node.inputs.push_back(constant(biases(out)));
    const float y_scale = scale();
    std::vector<float> w_scales(pick(3) == 0 ? 1 : static_cast<std::size_t>(out));
    const double spread = std::sqrt(static_cast<double>(kernel[0] * kernel[1] * in / group)) * 5000.0;
    for (float& w : w_scales) {
      w = static_cast<float>(static_cast<double>(y_scale) * random_.uniform(10.0, 120.0) /
                             (spread * static_cast<double>(x.scale)));
    }
    node.set("w_scales", w_scales);
    node.set("x_scale", x.scale);
    node.set("x_zero_point", x.zero);
    node.set("group", group);
    node.set("kernel_shape", kernel);
    node.set("pads", pads);
    node.set("strides", strides);
    node.set("dilations", dilations);
    const std::int64_t y_zero = zero();
    set_output(node, y_scale, y_zero);
    push(std::move(node), y_scale, y_zero, result);
  }

  void add_pool(bool average) {
    const Picture x = last();
    Node node;
    node.kind = average ? OpKind::QAveragePool : OpKind::MaxPool;
    node.inputs = {x.value};
    Shape kernel, result{1, x.shape[1]};
    std::vector<std::int64_t> strides;
    for (std::size_t i = 0; i < 2; ++i) {
      kernel.push_back(std::min<std::int64_t>(1 + pick(3), x.shape[2 + i]));
      strides.push_back(1 + pick(2));
      const std::int64_t pad = kernel[i] > 1 ? 1 : 0;
      result.push_back((x.shape[2 + i] + pad - kernel[i]) / strides[i] + 1);
    }
    node.set("kernel_shape", kernel);
    node.set("strides", strides);
    node.set("pads", Shape{kernel[0] > 1 ? 1 : 0, kernel[1] > 1 ? 1 : 0, 0, 0});
    float y_scale = x.scale;
    std::int64_t y_zero = x.zero;
    if (average) {
      if (pick(2) == 0) y_scale = x.scale * static_cast<float>(random_.uniform(0.6, 1.5)), y_zero = zero();
      node.set("count_include_pad", pick(2));
      node.set("x_scale", x.scale);
      node.set("x_zero_point", x.zero);
      set_output(node, y_scale, y_zero);
    }
    push(std::move(node), y_scale, y_zero, result);
  }

  void add_binary() {
    const Picture a = last();
    Picture b = a;
    for (const Picture& other : pictures_) {
      if (other.shape == a.shape && pick(2) == 0) b = other;
    }
    if (pick(4) == 0) {
      b.shape = {1, a.shape[1], 1, 1};
      b.value = constant(numbers(b.shape));
      b.scale = scale();
      b.zero = zero();
    }
    constexpr OpKind kinds[] = {OpKind::QAdd, OpKind::QAdd, OpKind::QSub, OpKind::QMul};
    Node node;
    node.kind = kinds[pick(4)];
    node.inputs = {a.value, b.value};
    node.set("a_scale", a.scale);
    node.set("a_zero_point", a.zero);
    node.set("b_scale", b.scale);
    node.set("b_zero_point", b.zero);
    const float y_scale =
        node.kind == OpKind::QMul ? a.scale * b.scale * (words() ? 15000.0f : 60.0f) : (a.scale + b.scale) * 0.7f;
    const std::int64_t y_zero = zero();
    set_output(node, y_scale, y_zero);
    push(std::move(node), y_scale, y_zero, a.shape);
  }

  void add_table() {
    Node node;
    node.kind = OpKind::QTable;
    node.inputs = {last().value, constant(numbers({words() ? 513 : 256}))};
    push(std::move(node), scale(), zero(), last().shape);
  }

  void add_requantize() {
    const Picture x = last();
    Node node;
    node.kind = OpKind::QRequantize;
    node.inputs = {x.value};
    node.set("x_scale", x.scale);
    node.set("x_zero_point", x.zero);
    const float y_scale = x.scale * static_cast<float>(random_.uniform(0.5, 2.0));
    const std::int64_t y_zero = zero();
    set_output(node, y_scale, y_zero);
    push(std::move(node), y_scale, y_zero, x.shape);
  }

  void add_concat() {
    const Picture x = last();
    Node node;
    node.kind = OpKind::Concat;
    const std::int64_t axis = 1 + pick(3);
    node.set("axis", axis);
    node.inputs = {x.value, x.value};
    Shape shape = x.shape;
    shape[static_cast<std::size_t>(axis)] *= 2;
    if (num_elements(shape) > 4096) return add_table();
    push(std::move(node), x.scale, x.zero, shape);
  }

  void add_slice_or_pad() {
    const Picture x = last();
    Node node;
    Shape shape = x.shape;
    const std::int64_t axis = 1 + pick(3);
    std::int64_t& size = shape[static_cast<std::size_t>(axis)];
    if (pick(2) == 0) {
      if (size < 2) return add_requantize();
      node.kind = OpKind::Slice;
      node.inputs = {x.value, constant(Tensor::ints({1})), constant(Tensor::ints({size})),
                     constant(Tensor::ints({axis}))};
      size -= 1;
    } else {
      node.kind = OpKind::Pad;
      std::vector<std::int64_t> pads(8, 0);
      pads[static_cast<std::size_t>(axis)] = 1;
      pads[static_cast<std::size_t>(4 + axis)] = 2;
      Tensor value(dtype_, {});
      value.set_int(0, x.zero);
      node.inputs = {x.value, constant(Tensor::ints(pads)), constant(value)};
      size += 3;
    }
    push(std::move(node), x.scale, x.zero, shape);
  }

  /// Two branches that widen and narrow again, written down in the order that takes the most memory.
  void add_branches() {
    const Picture x = last();
    Shape shape = x.shape;
    shape[1] *= 2;
    if (num_elements(shape) > 4096) return add_table();
    Picture parts[2];
    for (Picture& wide : parts) {
      Node node;
      node.kind = OpKind::Concat;
      node.set("axis", std::int64_t{1});
      node.inputs = {x.value, x.value};
      push(std::move(node), x.scale, x.zero, shape);
      wide = last();
    }
    for (Picture& part : parts) {
      const std::int64_t from = pick(x.shape[1] + 1);
      Node node;
      node.kind = OpKind::Slice;
      node.inputs = {part.value, constant(Tensor::ints({from})), constant(Tensor::ints({from + x.shape[1]})),
                     constant(Tensor::ints({1}))};
      push(std::move(node), x.scale, x.zero, x.shape);
      part = last();
    }
    Node sum;
    sum.kind = OpKind::QAdd;
    sum.inputs = {parts[0].value, parts[1].value};
    for (const char* operand : {"a", "b"}) {
      sum.set(cat(operand, "_scale"), x.scale);
      sum.set(cat(operand, "_zero_point"), x.zero);
    }
    const std::int64_t y_zero = zero();
    set_output(sum, x.scale * 1.5f, y_zero);
    push(std::move(sum), x.scale * 1.5f, y_zero, x.shape);
  }

  void add_resize() {
    const Picture x = last();
    Shape shape = x.shape;
    shape[2] *= 2;
    shape[3] *= 2;
    if (num_elements(shape) > 4096) return add_requantize();
    Node node;
    node.kind = OpKind::Resize;
    node.inputs = {x.value, ValueId::None, constant(Tensor::from<float>({4}, {1.0f, 1.0f, 2.0f, 2.0f}))};
    node.set("mode", std::string("nearest"));
    node.set("coordinate_transformation_mode", std::string(pick(2) == 0 ? "asymmetric" : "half_pixel"));
    node.set("nearest_mode", std::string(pick(2) == 0 ? "floor" : "round_prefer_floor"));
    push(std::move(node), x.scale, x.zero, shape);
  }

  void add_mean() {
    const Picture x = last();
    Node node;
    node.kind = OpKind::QReduceMean;
    node.inputs = {x.value};
    node.set("axes", std::vector<std::int64_t>{2, 3});
    const std::int64_t keep = pick(2);
    node.set("keepdims", keep);
    node.set("x_scale", x.scale);
    node.set("x_zero_point", x.zero);
    const std::int64_t y_zero = zero();
    set_output(node, x.scale, y_zero);
    push(std::move(node), x.scale, y_zero, keep != 0 ? Shape{1, x.shape[1], 1, 1} : Shape{1, x.shape[1]});
  }

  void add_gemm() {
    const Picture x = last();
    const std::int64_t depth = num_elements(x.shape), columns = 1 + pick(14);
    Node view;
    view.kind = OpKind::Reshape;
    view.inputs = {x.value, constant(Tensor::ints({1, depth}))};
    push(std::move(view), x.scale, x.zero, {1, depth});
    Node node;
    node.kind = OpKind::QGemm;
    const bool transposed = pick(2) == 0;
    node.set("transB", std::int64_t{transposed ? 1 : 0});
    node.inputs = {last().value, constant(bytes(transposed ? Shape{columns, depth} : Shape{depth, columns}))};
    node.set("x_scale", x.scale);
    node.set("x_zero_point", x.zero);
    const float y_scale = scale();
    const double spread = std::sqrt(static_cast<double>(depth)) * 5000.0 * static_cast<double>(x.scale);
    node.set("w_scales", std::vector<float>{static_cast<float>(static_cast<double>(y_scale) * 60.0 / spread)});
    const std::int64_t y_zero = zero();
    set_output(node, y_scale, y_zero);
    push(std::move(node), y_scale, y_zero, {1, columns});
  }

  void add_softmax() {
    const Picture x = last();
    Node node;
    node.kind = OpKind::QSoftmax;
    node.inputs = {x.value};
    node.set("x_scale", x.scale);
    node.set("x_zero_point", x.zero);
    node.set("axis", std::int64_t{-1});
    node.set("rounding", rounding_);
    const float y_scale = !words() ? 1.0f / 256.0f : pick(2) == 0 ? 1.0f / 32768.0f : 1.0f / 30000.0f;
    const std::int64_t y_zero = words() ? 0 : -128;
    node.set("y_scale", y_scale);
    node.set("y_zero_point", y_zero);
    node.set("y_dtype", static_cast<std::int64_t>(dtype_));
    node.set("y_min", integer_min(dtype_));
    node.set("y_max", integer_max(dtype_));
    push(std::move(node), y_scale, y_zero, x.shape);
  }

  void finish() {
    if (pick(3) == 0) add_mean();
    if (pick(2) == 0 && num_elements(last().shape) <= 2048) {
      add_gemm();
      if (pick(2) == 0) add_softmax();
    }
    graph_.add_output(last().value);
  }

  Random random_;
  DType dtype_;
  Graph graph_;
  std::string rounding_;
  std::vector<Picture> pictures_;
};

}  // namespace

Graph random_integer_network(std::uint64_t seed, DType dtype) {
  return Builder(seed, dtype).build();
}

}  // namespace adze::testing

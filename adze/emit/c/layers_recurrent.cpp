// LSTM, GRU and RNN on float32, each as one operator.
#include <algorithm>

#include "adze/base/text.h"
#include "adze/emit/c/layer.h"
#include "adze/emit/c/work.h"

namespace adze::emit {

namespace {

struct Family {
  const char* kernel;
  std::int64_t gates;
  std::vector<std::string> activations;
  const char* variant;  ///< the attribute, or null
};

Family family_of(OpKind kind) {
  if (kind == OpKind::LSTM) return {"adze_lstm_f32", 4, {"Sigmoid", "Tanh", "Tanh"}, "input_forget"};
  if (kind == OpKind::GRU) return {"adze_gru_f32", 3, {"Sigmoid", "Tanh"}, "linear_before_reset"};
  return {"adze_rnn_f32", 1, {"Tanh"}, nullptr};
}

/// Refuses what the kernels do not do.
void require_usual(LayerWriter& writer, const Family& family, std::int64_t directions) {
  const Node& node = writer.node();
  const std::vector<std::string> given = node.get_strings("activations");
  std::vector<std::string> usual;
  for (std::int64_t i = 0; i < directions; ++i) {
    usual.insert(usual.end(), family.activations.begin(), family.activations.end());
  }
  const bool equal = std::ranges::equal(given, usual, [](const std::string& a, const std::string& b) {
    return std::ranges::equal(a, b, [](char x, char y) { return (x | 32) == (y | 32); });
  });
  if (!given.empty() && !equal) writer.refuse("activations other than Sigmoid and Tanh");
  if (node.input(4) != ValueId::None) writer.refuse("sequences of different lengths");
}

std::string table_of(LayerWriter& writer, std::size_t input, const char* name) {
  const Tensor& tensor = writer.need_constant(input, name);
  if (tensor.dtype() != DType::F32) writer.refuse("weights of another type than f32");
  const auto data = tensor.data<float>();
  return writer.table(name, "float", std::vector<float>(data.begin(), data.end()));
}

std::string optional_in(LayerWriter& writer, std::size_t input) {
  return writer.node().input(input) == ValueId::None ? "0" : writer.in(input, "float");
}

std::string optional_out(LayerWriter& writer, std::size_t output) {
  return writer.node().output(output) == ValueId::None ? "0" : writer.out(output, "float");
}

void write_recurrent_layer(LayerWriter& writer) {
  const Node& node = writer.node();
  const Family family = family_of(node.kind);
  const Shape x = writer.shape(0), r = writer.shape(2);
  if (writer.dtype(0) != DType::F32) writer.refuse("only f32 can be written as C");
  const bool batch_first = node.get_int("layout") != 0;
  const std::int64_t steps = x[batch_first ? 1 : 0], batch = x[batch_first ? 0 : 1];
  const std::int64_t directions = r[0], hidden = r[2], rows = family.gates * hidden;
  require_usual(writer, family, directions);
  const std::string w = table_of(writer, 1, "weights"), recurrent = table_of(writer, 2, "recurrent");
  const std::string bias =
      node.input(3) != ValueId::None
          ? table_of(writer, 3, "bias")
          : writer.table("bias", "float", std::vector<float>(static_cast<std::size_t>(2 * directions * rows), 0.0f));
  const std::string peepholes = node.input(7) != ValueId::None ? table_of(writer, 7, "peepholes") : "0";
  const std::int64_t variant = family.variant == nullptr ? 0 : node.get_int(family.variant);
  writer.use("adze_recurrent_f32.c");
  writer.use("adze_float.h");
  writer.open("static const adze_recurrent_f32 layer =");
  writer.line(cat(steps, ", ", batch, ", ", x[2], ", ", hidden, ", ", directions, ", ", batch_first ? 1 : 0, ", ",
                  node.get_string("direction") == "reverse" ? 1 : 0, ", ", variant, ", ",
                  constant_text(node.has("clip") ? node.get_float("clip") : -1.0f), ","));
  writer.line(cat(w, ", ", recurrent, ", ", bias, ", ", peepholes));
  writer.close(";");
  writer.takes(element_work(8.0 * static_cast<double>(steps * batch * directions * rows * (x[2] + hidden))));
  const std::string first_c = node.kind == OpKind::LSTM ? optional_in(writer, 6) : "0";
  const std::string last_c = node.kind == OpKind::LSTM ? optional_out(writer, 2) : "0";
  const std::string scratch = writer.scratch(4 * 6 * hidden);
  writer.open("const adze_recurrent_operands at =");
  writer.line(cat(writer.in(0, "float"), ", ", optional_in(writer, 5), ", ", first_c, ","));
  writer.line(cat(optional_out(writer, 0), ", ", optional_out(writer, 1), ", ", last_c, ", (float *)", scratch));
  writer.close(";");
  writer.line(cat(family.kernel, "(&layer, &at);"));
}

}  // namespace

bool write_recurrent(LayerWriter& writer) {
  switch (writer.node().kind) {
    case OpKind::LSTM:
    case OpKind::GRU:
    case OpKind::RNN:
      write_recurrent_layer(writer);
      return true;
    default:
      return false;
  }
}

}  // namespace adze::emit

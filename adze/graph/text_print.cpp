#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "adze/base/text.h"
#include "adze/graph/text.h"

namespace adze {

namespace {

constexpr std::int64_t max_inline_elements = 32;

bool is_bare_name(std::string_view name) {
  return !name.empty() && name.back() != ':' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
           c == ':' || c == '/' || c == '-';
  });
}

bool is_symbol(std::string_view name) {
  return is_bare_name(name) && name != "_" && !(name[0] >= '0' && name[0] <= '9') && name[0] != '-' &&
         name.find_first_of(":/") == std::string_view::npos;
}

std::string hex(std::uint64_t bits) {
  char buffer[20];
  return "0x" + std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, bits, 16).ptr);
}

/// A float that reads back to the same bits and cannot be taken for an integer.
template <typename T>
std::string float_text(T value, std::uint64_t bits) {
  if (std::isnan(value)) return cat("nan(", hex(bits), ")");
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = cat(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string float_text(float value) {
  return float_text(value, std::bit_cast<std::uint32_t>(value));
}

std::string element_text(const Tensor& tensor, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  switch (tensor.dtype()) {
    case DType::String:
      return quoted(tensor.data<std::string>()[i]);
    case DType::Bool:
      return tensor.data<bool>()[i] ? "true" : "false";
    case DType::F64:
      return float_text(tensor.data<double>()[i], std::bit_cast<std::uint64_t>(tensor.data<double>()[i]));
    case DType::F32:
      return float_text(tensor.data<float>()[i]);
    case DType::U64:
      return cat(tensor.data<std::uint64_t>()[i]);
    case DType::S4:
    case DType::U4:
      return cat(tensor.get_int(index));
    default:
      break;
  }
  return visit_dtype(tensor.dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    const T value = tensor.data<T>()[i];
    if constexpr (std::is_integral_v<T>) {
      return cat(static_cast<std::int64_t>(value));
    } else if constexpr (sizeof(T) <= 2) {
      return float_text(static_cast<float>(value), value.bits);
    } else {
      return float_text(static_cast<float>(value));
    }
  });
}

std::string base64(std::span<const std::byte> bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < bytes.size() ? std::to_integer<unsigned>(bytes[k]) : 0u; };
    const unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    text += digits[group >> 18];
    text += digits[group >> 12 & 63];
    text += i + 1 < bytes.size() ? digits[group >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? digits[group & 63] : '=';
  }
  return text;
}

bool is_complex(DType dtype) {
  return dtype == DType::C64 || dtype == DType::C128;
}

/// "f32[2] = [1.0, 0.5]"
std::string tensor_text(const Tensor& tensor, const PrintOptions& options) {
  std::string text = type_text(tensor);
  const bool is_inline =
      tensor.dtype() == DType::String || (tensor.size() <= max_inline_elements && !is_complex(tensor.dtype()));
  if (!is_inline) {
    return options.constant_data ? cat(text, " = base64 \"", base64(tensor.bytes()), '"') : text;
  }
  text += " = [";
  for (std::int64_t i = 0; i < tensor.size(); ++i) text += cat(i > 0 ? ", " : "", element_text(tensor, i));
  return text + "]";
}

std::string dim_text(const Dim& dim) {
  if (dim.is_known()) return cat(dim.value);
  if (dim.symbol.empty()) return "?";
  return is_symbol(dim.symbol) ? dim.symbol : quoted(dim.symbol);
}

std::string value_type_text(const ValueType& type) {
  const auto wrapped = [&](const char* word) {
    return cat(word, '(', type.element ? value_type_text(*type.element) : "?", ')');
  };
  if (type.kind == ValueType::Kind::Sequence) return wrapped("seq");
  if (type.kind == ValueType::Kind::Optional) return wrapped("optional");
  if (type.dtype == DType::Undefined && !type.shape) return "?";
  std::string text = type.dtype == DType::Undefined ? "?" : std::string(dtype_name(type.dtype));
  if (!type.shape) return text + "[*]";
  text += '[';
  for (std::size_t i = 0; i < type.shape->size(); ++i) text += cat(i > 0 ? ", " : "", dim_text((*type.shape)[i]));
  return text + "]";
}

template <typename T, typename F>
std::string list_text(const char* word, const std::vector<T>& values, F&& element) {
  if (values.empty()) return cat(word, "[]");
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += cat(i > 0 ? ", " : "", element(values[i]));
  return text + "]";
}

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  void print(const Graph& graph, const Graph* outer, const Subgraph* subgraph) {
    out_ += cat("graph ", quoted(graph.name), " {\n");
    indent_ += 2;
    if (!graph.doc.empty()) line(cat("doc ", quoted(graph.doc)));
    if (!graph.producer.empty()) line(cat("producer ", quoted(graph.producer)));
    for (const auto& [key, value] : graph.metadata) line(cat("metadata ", quoted(key), " = ", quoted(value)));
    for (const ValueId id : graph.inputs()) line(cat("input ", declared(graph, id)));
    for (std::size_t i = 0; i < graph.captures().size(); ++i) {
      const ValueId id = graph.captures()[i];
      const std::string from = outer != nullptr ? cat(" = ", name(*outer, subgraph->captured.at(i))) : "";
      line(cat("capture ", name(graph, id), from, " : ", value_type_text(graph.value(id).type)));
    }
    print_constants(graph);
    for (const NodeId id : topological_order(graph)) print_node(graph, graph.node(id));
    for (const ValueId id : graph.outputs()) line(cat("output ", name(graph, id)));
    indent_ -= 2;
    out_ += cat(std::string(indent_, ' '), "}");
  }

  std::string take() { return std::move(out_); }

 private:
  void line(const std::string& text) { out_ += cat(std::string(indent_, ' '), text, '\n'); }

  static std::string name(const Graph& graph, ValueId id) {
    if (id == ValueId::None) return "_";
    const std::string& text = graph.value(id).name;
    return cat('%', is_bare_name(text) ? text : quoted(text));
  }

  static std::string declared(const Graph& graph, ValueId id) {
    return cat(name(graph, id), ": ", value_type_text(graph.value(id).type));
  }

  void print_constants(const Graph& graph) {
    std::vector<bool> used(static_cast<std::size_t>(graph.num_values()), false);
    const auto use = [&](ValueId id) {
      if (id != ValueId::None) used[static_cast<std::size_t>(id)] = true;
    };
    for (const NodeId id : graph.node_ids()) {
      for (const ValueId read : values_read(graph.node(id))) use(read);
    }
    for (const ValueId id : graph.outputs()) use(id);
    for (std::int32_t i = 0; i < graph.num_values(); ++i) {
      const auto id = static_cast<ValueId>(i);
      const Tensor* constant = graph.constant(id);
      if (constant == nullptr || !used[static_cast<std::size_t>(i)]) continue;
      line(cat("constant ", name(graph, id), ": ", tensor_text(*constant, options_)));
    }
  }

  void print_node(const Graph& graph, const Node& node) {
    out_ += std::string(indent_, ' ');
    std::string types;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      out_ += cat(i > 0 ? ", " : "", name(graph, node.outputs[i]));
      if (node.outputs[i] == ValueId::None) continue;
      types += cat(types.empty() ? " : " : ", ", value_type_text(graph.value(node.outputs[i]).type));
    }
    const std::string_view domain = domain_name(op_info(node.kind).domain);
    out_ += cat(node.outputs.empty() ? "= " : " = ", domain, domain.empty() ? "" : ".", op_name(node.kind), '(');
    for (std::size_t i = 0; i < node.inputs.size(); ++i) out_ += cat(i > 0 ? ", " : "", name(graph, node.inputs[i]));
    out_ += cat(") ", quoted(node.name));
    print_attributes(graph, node);
    if (!node.metadata.empty()) {
      out_ += " meta { ";
      bool first = true;
      for (const auto& [key, value] : node.metadata) {
        out_ += cat(first ? "" : ", ", quoted(key), " = ", quoted(value));
        first = false;
      }
      out_ += " }";
    }
    out_ += types + "\n";
  }

  void print_attributes(const Graph& graph, const Node& node) {
    if (node.attributes.empty()) return;
    out_ += " { ";
    for (std::size_t i = 0; i < node.attributes.size(); ++i) {
      out_ += cat(i > 0 ? ", " : "", node.attributes[i].first, " = ");
      print_attribute(graph, node.attributes[i].second);
    }
    out_ += " }";
  }

  void print_attribute(const Graph& graph, const Attribute& attribute) {
    if (const auto* subgraph = std::get_if<Subgraph>(&attribute)) {
      print(*subgraph->graph, &graph, subgraph);
    } else if (const auto* tensor = std::get_if<Tensor>(&attribute)) {
      out_ += cat("tensor(", tensor_text(*tensor, options_), ')');
    } else {
      out_ += attribute_text(attribute);
    }
  }

  const PrintOptions& options_;
  std::string out_;
  std::size_t indent_ = 0;
};

struct AttributeText {
  std::string operator()(std::int64_t number) const { return cat(number); }
  std::string operator()(float number) const { return float_text(number); }
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(const std::vector<std::int64_t>& ints) const {
    return list_text("ints", ints, [](std::int64_t value) { return cat(value); });
  }
  std::string operator()(const std::vector<float>& floats) const {
    return list_text("floats", floats, [](float value) { return float_text(value); });
  }
  std::string operator()(const std::vector<std::string>& strings) const {
    return list_text("strings", strings, [](const std::string& value) { return quoted(value); });
  }
  std::string operator()(const Tensor& tensor) const { return cat("tensor(", tensor_text(tensor, {}), ')'); }
  std::string operator()(const ValueType& type) const { return cat("type(", value_type_text(type), ')'); }
  std::string operator()(const Subgraph&) const { return "graph"; }
};

}  // namespace

std::string attribute_text(const Attribute& attribute) {
  return std::visit(AttributeText{}, attribute);
}

std::string print_graph(const Graph& graph, const PrintOptions& options) {
  Printer printer(options);
  printer.print(graph, nullptr, nullptr);
  return printer.take() + "\n";
}

}  // namespace adze

#include <bit>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "adze/base/text.h"
#include "adze/graph/detail/text_lexer.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"

namespace adze {

namespace {

using detail::Lexer;
using detail::Token;

constexpr int max_depth = 64;

std::int64_t to_int(const Token& token) {
  std::int64_t value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto result = std::from_chars(token.text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) Lexer::fail(token, cat("not an integer: ", quoted(token.text)));
  return value;
}

template <typename T>
T to_float(const Token& token) {
  if (token.text == "inf") return std::numeric_limits<T>::infinity();
  if (token.text == "-inf") return -std::numeric_limits<T>::infinity();
  T value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto result = std::from_chars(token.text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) Lexer::fail(token, cat("not a number: ", quoted(token.text)));
  return value;
}

std::uint64_t to_bits(const Token& token, int width) {
  std::uint64_t bits = 0;
  const char* begin = token.text.data();
  const char* end = begin + token.text.size();
  const bool has_prefix = token.text.starts_with("0x");
  const auto result = std::from_chars(begin + (has_prefix ? 2 : 0), end, bits, 16);
  if (!has_prefix || result.ec != std::errc() || result.ptr != end || (width < 64 && bits >> width != 0)) {
    Lexer::fail(token, cat("not the bits of a ", width, "-bit float: ", quoted(token.text)));
  }
  return bits;
}

std::vector<std::byte> from_base64(const Token& token) {
  const auto digit = [&](char c) -> unsigned {
    if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    Lexer::fail(token, "not base64");
  };
  std::string_view text = token.text;
  if (text.size() % 4 != 0) Lexer::fail(token, "base64 comes in groups of four");
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() * 3 / 4);
  unsigned group = 0;
  int bits = 0;
  for (const char c : text) {
    group = group << 6 | digit(c);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::byte>(group >> bits & 0xFF));
    }
  }
  return bytes;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Graph parse() {
    Graph graph = parse_graph_block(nullptr, nullptr, nullptr);
    if (lexer_.peek().kind != Token::Kind::End) lexer_.fail_expected("the end of the text");
    return graph;
  }

 private:
  using Names = std::unordered_map<std::string, ValueId>;

  std::string parse_string() { return lexer_.expect(Token::Kind::String, "a quoted text").text; }

  void define(Names& names, const Token& token, ValueId id) {
    if (!names.emplace(token.text, id).second) Lexer::fail(token, cat("%", token.text, " is defined twice"));
  }

  ValueId lookup(const Names& names) {
    const Token token = lexer_.expect(Token::Kind::Name, "a %name");
    const auto found = names.find(token.text);
    if (found == names.end()) Lexer::fail(token, cat("%", token.text, " is not defined above"));
    return found->second;
  }

  /// Guards recursion: one a level.
  struct Level {
    explicit Level(Parser& parser) : parser(parser) {
      if (++parser.depth_ > max_depth) Lexer::fail(parser.lexer_.peek(), cat("nested more than ", max_depth, " deep"));
    }
    ~Level() { --parser.depth_; }
    Parser& parser;
  };

  Graph parse_graph_block(const Graph* outer, const Names* outer_names, std::vector<ValueId>* captured) {
    const Level level(*this);
    if (!lexer_.peek().is_word("graph")) lexer_.fail_expected("graph");
    lexer_.take();
    Graph graph;
    graph.name = parse_string();
    lexer_.expect('{');
    Names names;
    while (!lexer_.accept('}')) parse_statement(graph, names, outer, outer_names, captured);
    if (outer == nullptr) verify(graph);
    return graph;
  }

  void parse_statement(Graph& graph, Names& names, const Graph* outer, const Names* outer_names,
                       std::vector<ValueId>* captured) {
    const Token& next = lexer_.peek();
    if (next.kind != Token::Kind::Word || next.text == "_") return parse_node(graph, names);
    const Token word = lexer_.take();
    if (word.text == "doc") {
      graph.doc = parse_string();
    } else if (word.text == "producer") {
      graph.producer = parse_string();
    } else if (word.text == "metadata") {
      std::string key = parse_string();
      lexer_.expect('=');
      graph.metadata.insert_or_assign(std::move(key), parse_string());
    } else if (word.text == "input") {
      const Token name = lexer_.expect(Token::Kind::Name, "a %name");
      lexer_.expect(':');
      define(names, name, graph.add_input(name.text, parse_type()));
    } else if (word.text == "constant") {
      const Token name = lexer_.expect(Token::Kind::Name, "a %name");
      lexer_.expect(':');
      define(names, name, graph.add_constant(name.text, parse_tensor()));
    } else if (word.text == "capture") {
      parse_capture(graph, names, outer, outer_names, captured, word);
    } else if (word.text == "output") {
      graph.add_output(lookup(names));
    } else {
      Lexer::fail(word, cat("unknown word ", quoted(word.text)));
    }
  }

  void parse_capture(Graph& graph, Names& names, const Graph* outer, const Names* outer_names,
                     std::vector<ValueId>* captured, const Token& word) {
    if (outer == nullptr) Lexer::fail(word, "only the graph of an attribute can capture");
    const Token inner = lexer_.expect(Token::Kind::Name, "a %name");
    lexer_.expect('=');
    captured->push_back(lookup(*outer_names));
    ValueType type = outer->value(captured->back()).type;
    if (lexer_.accept(':')) type = parse_type();
    define(names, inner, graph.add_capture(inner.text, std::move(type)));
  }

  void parse_node(Graph& graph, Names& names) {
    std::vector<std::optional<Token>> outputs;
    while (!lexer_.peek().is('=')) {
      if (!outputs.empty()) lexer_.expect(',');
      if (lexer_.peek().is_word("_")) {
        lexer_.take();
        outputs.emplace_back();
      } else {
        outputs.emplace_back(lexer_.expect(Token::Kind::Name, "a %name, a statement or '}'"));
      }
    }
    lexer_.expect('=');
    Node node;
    node.kind = parse_operator();
    lexer_.expect('(');
    while (!lexer_.accept(')')) {
      if (!node.inputs.empty()) lexer_.expect(',');
      if (lexer_.peek().is_word("_")) {
        lexer_.take();
        node.inputs.push_back(ValueId::None);
      } else {
        node.inputs.push_back(lookup(names));
      }
    }
    if (lexer_.peek().kind == Token::Kind::String) node.name = lexer_.take().text;
    if (lexer_.accept('{')) parse_attributes(graph, names, node);
    if (lexer_.peek().is_word("meta")) parse_metadata(node);
    add_outputs(graph, names, node, outputs);
    graph.add_node(std::move(node));
  }

  void add_outputs(Graph& graph, Names& names, Node& node, const std::vector<std::optional<Token>>& outputs) {
    bool has_types = lexer_.accept(':');
    bool is_first = true;
    for (const auto& name : outputs) {
      if (!name) {
        node.outputs.push_back(ValueId::None);
        continue;
      }
      if (has_types && !is_first) lexer_.expect(',');
      is_first = false;
      const ValueId id = graph.add_value(name->text, has_types ? parse_type() : ValueType{});
      define(names, *name, id);
      node.outputs.push_back(id);
    }
  }

  OpKind parse_operator() {
    const Token token = lexer_.expect(Token::Kind::Word, "an operator");
    const std::size_t dot = token.text.rfind('.');
    const std::string domain = dot == std::string::npos ? "" : token.text.substr(0, dot);
    const std::string name = dot == std::string::npos ? token.text : token.text.substr(dot + 1);
    if (const auto kind = op_from_name(domain, name)) return *kind;
    const std::string near = nearest(name, op_names());
    Lexer::fail(token, cat("unknown operator ", quoted(token.text), near.empty() ? "" : cat("; is it ", near, "?")));
  }

  void parse_metadata(Node& node) {
    lexer_.take();
    lexer_.expect('{');
    while (!lexer_.accept('}')) {
      if (!node.metadata.empty()) lexer_.expect(',');
      std::string key = parse_string();
      lexer_.expect('=');
      node.metadata.insert_or_assign(std::move(key), parse_string());
    }
  }

  void parse_attributes(const Graph& graph, const Names& names, Node& node) {
    while (!lexer_.accept('}')) {
      if (!node.attributes.empty()) lexer_.expect(',');
      const Token name = lexer_.expect(Token::Kind::Word, "an attribute name");
      if (node.has(name.text)) Lexer::fail(name, cat("attribute ", quoted(name.text), " is given twice"));
      lexer_.expect('=');
      const AttributeSchema* schema = find_attribute_schema(node.kind, name.text);
      if (schema == nullptr) Lexer::fail(name, cat(op_name(node.kind), " has no attribute ", quoted(name.text)));
      node.set(name.text, parse_attribute(graph, names, schema->type));
    }
  }

  Attribute parse_attribute(const Graph& graph, const Names& names, AttributeType type) {
    switch (type) {
      case AttributeType::Int: return to_int(parse_scalar());
      case AttributeType::Float: return parse_float();
      case AttributeType::String: return parse_string();
      case AttributeType::Ints: return parse_list<std::int64_t>("ints", [&] { return to_int(parse_scalar()); });
      case AttributeType::Floats: return parse_list<float>("floats", [&] { return parse_float(); });
      case AttributeType::Strings: return parse_list<std::string>("strings", [&] { return parse_string(); });
      case AttributeType::Tensor: return parse_wrapped("tensor", [&]() -> Attribute { return parse_tensor(); });
      case AttributeType::Type: return parse_wrapped("type", [&]() -> Attribute { return parse_type(); });
      case AttributeType::Graph: break;
    }
    Subgraph subgraph;
    subgraph.graph = std::make_shared<const Graph>(parse_graph_block(&graph, &names, &subgraph.captured));
    return subgraph;
  }

  template <typename F>
  Attribute parse_wrapped(const char* word, F&& parse) {
    if (!lexer_.peek().is_word(word)) lexer_.fail_expected(word);
    lexer_.take();
    lexer_.expect('(');
    Attribute attribute = parse();
    lexer_.expect(')');
    return attribute;
  }

  template <typename T, typename F>
  std::vector<T> parse_list(const char* word, F&& element) {
    if (lexer_.peek().is_word(word)) lexer_.take();
    lexer_.expect('[');
    std::vector<T> values;
    while (!lexer_.accept(']')) {
      if (!values.empty()) lexer_.expect(',');
      values.push_back(element());
    }
    return values;
  }

  /// A number, inf, true or false as written.
  Token parse_scalar() {
    const Token& next = lexer_.peek();
    if (next.kind != Token::Kind::Number && next.kind != Token::Kind::Word) lexer_.fail_expected("a number");
    return lexer_.take();
  }

  /// nan(0x…): the bits. Nothing when something else comes.
  std::optional<std::uint64_t> parse_nan(int width) {
    if (!lexer_.peek().is_word("nan")) return std::nullopt;
    lexer_.take();
    lexer_.expect('(');
    const std::uint64_t bits = to_bits(lexer_.expect(Token::Kind::Number, "hexadecimal bits"), width);
    lexer_.expect(')');
    return bits;
  }

  float parse_float() {
    if (const auto bits = parse_nan(32)) return std::bit_cast<float>(static_cast<std::uint32_t>(*bits));
    return to_float<float>(parse_scalar());
  }

  ValueType parse_type() {
    const Level level(*this);
    if (lexer_.peek().is_word("seq") || lexer_.peek().is_word("optional")) {
      const bool is_sequence = lexer_.take().text == "seq";
      lexer_.expect('(');
      ValueType element = parse_type();
      lexer_.expect(')');
      return is_sequence ? ValueType::sequence(std::move(element)) : ValueType::optional(std::move(element));
    }
    ValueType type;
    if (!lexer_.accept('?')) type.dtype = parse_dtype();
    if (type.dtype == DType::Undefined && !lexer_.peek().is('[')) return type;
    lexer_.expect('[');
    if (lexer_.accept('*')) {
      lexer_.expect(']');
      return type;
    }
    type.shape.emplace();
    while (!lexer_.accept(']')) {
      if (!type.shape->empty()) lexer_.expect(',');
      type.shape->push_back(parse_dim());
    }
    return type;
  }

  DType parse_dtype() {
    const Token token = lexer_.expect(Token::Kind::Word, "a type");
    const auto dtype = dtype_from_name(token.text);
    if (!dtype || *dtype == DType::Undefined) Lexer::fail(token, cat("unknown dtype ", quoted(token.text)));
    return *dtype;
  }

  Dim parse_dim() {
    if (lexer_.accept('?')) return Dim();
    const Token token = lexer_.take();
    if (token.kind == Token::Kind::Word || token.kind == Token::Kind::String) return Dim::named(token.text);
    const std::int64_t value = token.kind == Token::Kind::Number ? to_int(token) : -1;
    if (value < 0) Lexer::fail(token, cat("not a dimension: ", quoted(token.text)));
    return Dim(value);
  }

  Tensor parse_tensor() {
    const Token start = lexer_.peek();
    const ValueType type = parse_type();
    const auto shape = type.shape ? concrete(*type.shape) : std::nullopt;
    if (!type.is_tensor() || type.dtype == DType::Undefined || !shape) {
      Lexer::fail(start, "a constant needs a dtype and a known shape");
    }
    const std::int64_t count = checked_count(start, *shape);
    lexer_.expect('=');
    if (lexer_.peek().is_word("base64")) return parse_base64(type.dtype, *shape);
    return parse_elements(type.dtype, *shape, count);
  }

  static std::int64_t checked_count(const Token& start, const Shape& shape) {
    try {
      return num_elements(shape);
    } catch (const ModelError& error) {
      Lexer::fail(start, error.message());
    }
  }

  Tensor parse_base64(DType dtype, const Shape& shape) {
    lexer_.take();
    const Token token = lexer_.expect(Token::Kind::String, "a quoted text");
    if (dtype == DType::String) Lexer::fail(token, "strings are not stored as base64");
    auto bytes = std::make_shared<std::vector<std::byte>>(from_base64(token));
    try {
      return Tensor::view(dtype, shape, bytes, *bytes);
    } catch (const ModelError& error) {
      Lexer::fail(token, error.message());
    }
  }

  /// Elements first, the tensor after them, so that memory stays bounded by the text.
  Tensor parse_elements(DType dtype, const Shape& shape, std::int64_t count) {
    struct Element {
      Token token;
      std::optional<std::uint64_t> nan_bits;
    };
    std::vector<Element> elements;
    const Token start = lexer_.peek();
    lexer_.expect('[');
    while (!lexer_.accept(']')) {
      if (!elements.empty()) lexer_.expect(',');
      Element element;
      if (is_float(dtype)) element.nan_bits = parse_nan(dtype_bits(dtype));
      if (!element.nan_bits) element.token = dtype == DType::String ? lexer_.expect(Token::Kind::String, "a quoted text") : parse_scalar();
      elements.push_back(std::move(element));
    }
    if (std::ssize(elements) != count) {
      Lexer::fail(start, cat("shape ", shape_text(shape), " needs ", count, " elements, found ", elements.size()));
    }
    Tensor tensor(dtype, shape);
    for (std::int64_t i = 0; i < count; ++i) {
      const Element& element = elements[static_cast<std::size_t>(i)];
      set_element(tensor, i, element.token, element.nan_bits);
    }
    return tensor;
  }

  static void set_element(Tensor& tensor, std::int64_t index, const Token& token, std::optional<std::uint64_t> nan) {
    const auto i = static_cast<std::size_t>(index);
    if (nan) {
      const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype())) / 8;
      const auto bytes = tensor.mutable_bytes();
      for (std::size_t b = 0; b < width; ++b) bytes[i * width + b] = static_cast<std::byte>(*nan >> 8 * b & 0xFF);
      return;
    }
    switch (tensor.dtype()) {
      case DType::String: tensor.mutable_data<std::string>()[i] = token.text; return;
      case DType::Bool:
        if (token.text != "true" && token.text != "false") Lexer::fail(token, "expected true or false");
        tensor.mutable_data<bool>()[i] = token.text == "true";
        return;
      case DType::F64: tensor.mutable_data<double>()[i] = to_float<double>(token); return;
      case DType::U64: {
        std::uint64_t value = 0;
        const auto result = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
        if (result.ec != std::errc() || result.ptr != token.text.data() + token.text.size()) {
          Lexer::fail(token, cat("not an integer: ", quoted(token.text)));
        }
        tensor.mutable_data<std::uint64_t>()[i] = value;
        return;
      }
      case DType::C64:
      case DType::C128: Lexer::fail(token, "complex constants are stored as base64");
      default: break;
    }
    if (is_float(tensor.dtype())) return tensor.set_double(index, to_float<float>(token));
    const std::int64_t value = to_int(token);
    const bool fits = tensor.dtype() == DType::S64 ||
                      (value >= integer_min(tensor.dtype()) && value <= integer_max(tensor.dtype()));
    if (!fits) Lexer::fail(token, cat(value, " does not fit ", dtype_name(tensor.dtype())));
    tensor.set_int(index, value);
  }

  Lexer lexer_;
  int depth_ = 0;
};

}  // namespace

Graph parse_graph(std::string_view text) { return Parser(text).parse(); }

}  // namespace adze

#include <unordered_map>

#include "adze/base/text.h"
#include "adze/graph/detail/text_lexer.h"
#include "adze/graph/detail/text_numbers.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"

namespace adze {

namespace {

using detail::Lexer;
using detail::parse_float;
using detail::parse_int;
using detail::parse_tensor_data;
using detail::to_int;
using detail::Token;

constexpr int max_depth = 64;

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
      case AttributeType::Int:
        return parse_int(lexer_);
      case AttributeType::Float:
        return parse_float(lexer_);
      case AttributeType::String:
        return parse_string();
      case AttributeType::Ints:
        return parse_list<std::int64_t>("ints", [&] { return parse_int(lexer_); });
      case AttributeType::Floats:
        return parse_list<float>("floats", [&] { return parse_float(lexer_); });
      case AttributeType::Strings:
        return parse_list<std::string>("strings", [&] { return parse_string(); });
      case AttributeType::Tensor:
        return parse_wrapped("tensor", [&]() -> Attribute { return parse_tensor(); });
      case AttributeType::Type:
        return parse_wrapped("type", [&]() -> Attribute { return parse_type(); });
      case AttributeType::Graph:
        break;
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
    return parse_tensor_data(lexer_, type.dtype, *shape, count);
  }

  static std::int64_t checked_count(const Token& start, const Shape& shape) {
    try {
      return num_elements(shape);
    } catch (const ModelError& error) {
      Lexer::fail(start, error.message());
    }
  }

  Lexer lexer_;
  int depth_ = 0;
};

}  // namespace

Graph parse_graph(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace adze

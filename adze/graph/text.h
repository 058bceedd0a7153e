#pragma once

#include <string>
#include <string_view>

#include "adze/graph/graph.h"

namespace adze {

/// A graph as text that parse_graph reads back to the same graph (print, parse, print gives the same text):
///
///   graph "kws" {
///     metadata "adze.rounding" = "onnx"
///     input %x: f32[batch, 3, 32, 32]
///     constant %w: f32[2] = [1.0, 0.5]                     # larger ones: = base64 "…", the bytes
///     %y = Conv(%x, %w, _) "conv_1" { group = 1, pads = [1, 1, 1, 1] } : f32[batch, 2, 32, 32]
///     %a, %b = Split(%y) "split" { axis = 1 } : f32[…], f32[…]
///     output %a
///   }
///
/// "_" is an absent input or output; names that are not [A-Za-z0-9_.:/-]+ are quoted: %"a b". Subgraphs are nested
/// graph { } blocks as attribute values, with "capture %inner = %outer : type" lines. Floats print their shortest
/// text that reads back to the same bits, with a point or exponent; NaNs print their bits: nan(0x7fc00000). Values that
/// nothing reads are not printed. Types may be left out; names must be defined above their use.
struct PrintOptions {
  bool constant_data = true;  ///< false: large constants print as their type only; the text then does not parse back
};
std::string print_graph(const Graph& graph, const PrintOptions& options = {});

/// One attribute as print_graph writes it; of a subgraph only its word.
std::string attribute_text(const Attribute& attribute);

/// Throws ModelError with the line and column, or, once all is read, what verify() finds wrong.
Graph parse_graph(std::string_view text);

}  // namespace adze

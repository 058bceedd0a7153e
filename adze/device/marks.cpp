#include "adze/device/marks.h"

#include <algorithm>
#include <sstream>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::device {

namespace {

/// What each layer pays for being marked: bx of the hook that begins it; then number, bl, cmp and bne of the next.
void take_off_hook(InstructionMix& layer) {
  const auto take = [&](InstructionClass kind, std::int64_t count) {
    layer[kind] = std::max<std::int64_t>(0, layer[kind] - count);
  };
  take(InstructionClass::Branch, 3);
  take(InstructionClass::Other, 2);
}

}  // namespace

Marks parse_marks(const std::string& text) {
  Marks marks;
  InstructionMix main_begin, layer_begin;
  bool in_layer = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    char kind = 0;
    InstructionMix now;
    fields >> kind;
    for (std::int64_t& count : now.counts) fields >> count;
    if (!fields) throw ModelError(cat("the counting plug-in wrote ", quoted(line), ", expected a letter and counts"));
    if (kind == 'm') {
      main_begin = now;
    } else if (kind == 'e') {
      marks.main = now;
      marks.main -= main_begin;
    } else if (kind == 'b') {
      ++marks.runs;
      in_layer = false;
    } else if (kind == 'r') {
      layer_begin = now;
      in_layer = true;
    } else if (kind == 'n' && in_layer && marks.runs == 1) {
      InstructionMix layer = now;
      layer -= layer_begin;
      take_off_hook(layer);
      marks.layers.push_back(layer);
    }
  }
  return marks;
}

}  // namespace adze::device

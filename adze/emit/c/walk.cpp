#include "adze/emit/c/walk.h"

#include "adze/base/text.h"

namespace adze::emit {

namespace {

std::vector<std::int64_t> broadcast_strides(const Shape& own, const Shape& result) {
  std::vector<std::int64_t> strides(result.size(), 0);
  std::int64_t step = 1;
  for (std::size_t i = own.size(); i-- > 0;) {
    const std::size_t at = result.size() - own.size() + i;
    if (own[i] != 1) strides[at] = step;
    step *= own[i];
  }
  return strides;
}

std::string list_text(const std::vector<std::int64_t>& values) {
  std::string text = "{";
  for (std::size_t i = 0; i < values.size(); ++i) text += cat(i == 0 ? "" : ", ", values[i]);
  return text + "}";
}

}  // namespace

std::string Walk::text() const {
  return cat(list_text(dims), ", ", list_text(a), ", ", list_text(b));
}

Walk walk_of(const LayerWriter& writer) {
  const Shape result = writer.output_shape();
  const auto as = broadcast_strides(writer.shape(0), result), bs = broadcast_strides(writer.shape(1), result);
  Walk walk;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i] == 1) continue;
    const bool joins = !walk.dims.empty() && walk.a.back() == as[i] * result[i] && walk.b.back() == bs[i] * result[i];
    if (joins) {
      walk.dims.back() *= result[i];
      walk.a.back() = as[i];
      walk.b.back() = bs[i];
    } else {
      walk.dims.push_back(result[i]);
      walk.a.push_back(as[i]);
      walk.b.push_back(bs[i]);
    }
  }
  if (walk.dims.size() > 4) writer.refuse("operands that broadcast over more than four dimensions");
  while (walk.dims.size() < 4) {
    walk.dims.insert(walk.dims.begin(), 1);
    walk.a.insert(walk.a.begin(), 0);
    walk.b.insert(walk.b.begin(), 0);
  }
  return walk;
}

}  // namespace adze::emit

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adze/data/dataset.h"
#include "adze/data/picture.h"

namespace adze {

/// The demo data set: pictures of 32×32 RGB with one of twelve drawn symbols under a random rotation, shear, scale,
/// stroke width and colour, over a textured background with clutter and noise. Sample i of a split depends on
/// (split, i) only, and has the same bytes on every machine: only IEEE additions, multiplications, divisions and
/// square roots in a fixed order.
enum class SyntheticSplit : std::uint8_t { Train, Test };

inline constexpr std::int64_t synthetic_classes = 12;
inline constexpr std::int64_t synthetic_side = 32;

/// Number of samples: train 7,200, test 2,400.
std::int64_t synthetic_size(SyntheticSplit split);
/// "arch", "arrow" … in the order of the class indices (alphabetical).
const std::vector<std::string>& synthetic_class_names();
/// index modulo the number of classes.
std::int64_t synthetic_label(std::int64_t index);
/// Draws one sample; any index ≥ 0 is allowed, so that training may draw more than the split's size.
Picture draw_synthetic(SyntheticSplit split, std::int64_t index);

std::shared_ptr<Dataset> open_synthetic(SyntheticSplit split, const Preprocessing& preprocessing);

}  // namespace adze

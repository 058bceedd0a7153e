#include "adze/data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/random.h"
#include "adze/base/text.h"

namespace adze {

namespace {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

using Stroke = std::vector<Point>;   ///< a chain of line segments
using Symbol = std::vector<Stroke>;  ///< in the square −1 … 1

constexpr double half_side = 16.0;
constexpr std::uint64_t train_seed = 0x61647a65;  // "adze"
constexpr std::uint64_t test_seed = 0x74657374;   // "test"

// Corners of polygons and circles are written as numbers: sine and cosine differ between C libraries.
Symbol symbol_of(std::int64_t label) {
  constexpr double s = 0.7071;
  static const std::array<Symbol, synthetic_classes> symbols = {{
      {{{-0.8, 0.8}, {-0.8, -0.1}, {-0.55, -0.6}, {0.0, -0.8}, {0.55, -0.6}, {0.8, -0.1}, {0.8, 0.8}}},  // arch
      {{{-0.9, 0.0}, {0.9, 0.0}}, {{0.3, -0.6}, {0.9, 0.0}, {0.3, 0.6}}},                                // arrow
      {{{0.8, 0.0},
        {s * 0.8, s * 0.8},
        {0.0, 0.8},
        {-s * 0.8, s * 0.8},
        {-0.8, 0.0},
        {-s * 0.8, -s * 0.8},
        {0.0, -0.8},
        {s * 0.8, -s * 0.8},
        {0.8, 0.0}}},                                          // circle
      {{{-0.8, 0.0}, {0.8, 0.0}}, {{0.0, -0.8}, {0.0, 0.8}}},  // cross
      {{{-0.7, -0.8},
        {-0.7, 0.8},
        {0.0, 0.8},
        {0.6, 0.45},
        {0.75, 0.0},
        {0.6, -0.45},
        {0.0, -0.8},
        {-0.7, -0.8}}},                                                         // dee
      {{{-0.8, -0.8}, {0.8, -0.8}, {-0.8, 0.8}, {0.8, 0.8}, {-0.8, -0.8}}},     // hourglass
      {{{-0.7, -0.9}, {-0.7, 0.8}, {0.8, 0.8}}},                                // hook
      {{{-0.8, -0.8}, {0.8, -0.8}, {0.8, 0.8}, {-0.8, 0.8}, {-0.8, -0.8}}},     // square
      {{{-0.8, -0.75}, {0.8, -0.75}}, {{0.0, -0.75}, {0.0, 0.9}}},              // tee
      {{{0.0, -0.85}, {0.85, 0.7}, {-0.85, 0.7}, {0.0, -0.85}}},                // triangle
      {{{-0.9, 0.35}, {-0.45, -0.4}, {0.0, 0.35}, {0.45, -0.4}, {0.9, 0.35}}},  // wave
      {{{-0.75, -0.8}, {0.75, -0.8}, {-0.75, 0.8}, {0.75, 0.8}}},               // zed
  }};
  return symbols[static_cast<std::size_t>(label)];
}

struct Color {
  std::array<double, 3> rgb{};
};

Color random_color(Random& random) {
  Color color;
  for (double& part : color.rgb) part = random.uniform(0.0, 255.0);
  return color;
}

double luma(const Color& color) {
  return 0.3 * color.rgb[0] + 0.59 * color.rgb[1] + 0.11 * color.rgb[2];
}

/// A colour at least so far from the background in brightness.
Color contrasting(const Color& background, double distance, Random& random) {
  Color color;
  for (int tries = 0; tries < 64; ++tries) {
    color = random_color(random);
    if (std::abs(luma(color) - luma(background)) >= distance) return color;
  }
  for (double& part : color.rgb) part = luma(background) < 128.0 ? 255.0 : 0.0;
  return color;
}

class Canvas {
 public:
  explicit Canvas(Random& random) : random_(random) {}

  /// Two colours mixed by a smooth lattice noise, with a slope of light across.
  Color paint_background() {
    const Color base = random_color(random_);
    Color other = base;
    for (double& part : other.rgb) part += random_.uniform(-70.0, 70.0);
    std::array<double, 36> lattice;
    for (double& value : lattice) value = random_.uniform();
    const double slope_x = random_.uniform(-1.2, 1.2);
    const double slope_y = random_.uniform(-1.2, 1.2);
    for (std::int64_t y = 0; y < synthetic_side; ++y) {
      for (std::int64_t x = 0; x < synthetic_side; ++x) {
        const double mix = noise_at(lattice, static_cast<double>(x) / 7.0, static_cast<double>(y) / 7.0);
        const double light =
            slope_x * (static_cast<double>(x) - half_side) + slope_y * (static_cast<double>(y) - half_side);
        for (std::size_t c = 0; c < 3; ++c) at(x, y)[c] = base.rgb[c] + (other.rgb[c] - base.rgb[c]) * mix + light;
      }
    }
    return base;
  }

  /// Draws chains of segments with soft edges: opacity falls from 1 to 0 over one pixel at the stroke's border.
  void draw(const Symbol& symbol, const Color& color, double width, double opacity) {
    for (std::int64_t y = 0; y < synthetic_side; ++y) {
      for (std::int64_t x = 0; x < synthetic_side; ++x) {
        const double distance = distance_to(symbol, {static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5});
        const double cover = std::clamp(width * 0.5 + 0.5 - distance, 0.0, 1.0) * opacity;
        if (cover <= 0.0) continue;
        for (std::size_t c = 0; c < 3; ++c) at(x, y)[c] += (color.rgb[c] - at(x, y)[c]) * cover;
      }
    }
  }

  Picture finish(double noise) {
    Picture picture{synthetic_side, synthetic_side, 3, {}};
    picture.pixels.reserve(pixels_.size());
    for (const double value : pixels_) {
      // The sum of four uniforms is near enough to a bell curve, and needs no logarithm.
      double sum = -2.0;
      for (int i = 0; i < 4; ++i) sum += random_.uniform();
      picture.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value + sum * noise + 0.5, 0.0, 255.0)));
    }
    return picture;
  }

 private:
  double* at(std::int64_t x, std::int64_t y) { return pixels_.data() + (y * synthetic_side + x) * 3; }

  static double noise_at(const std::array<double, 36>& lattice, double x, double y) {
    const auto column = static_cast<std::size_t>(x), row = static_cast<std::size_t>(y);
    const double fx = x - static_cast<double>(column), fy = y - static_cast<double>(row);
    const double top = lattice[row * 6 + column] * (1.0 - fx) + lattice[row * 6 + column + 1] * fx;
    const double bottom = lattice[row * 6 + 6 + column] * (1.0 - fx) + lattice[row * 6 + 7 + column] * fx;
    return top * (1.0 - fy) + bottom * fy;
  }

  static double distance_to(const Symbol& symbol, Point p) {
    double nearest_square = 1e9;
    for (const Stroke& stroke : symbol) {
      for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
        const Point a = stroke[i], b = stroke[i + 1];
        const double dx = b.x - a.x, dy = b.y - a.y;
        const double length = dx * dx + dy * dy;
        const double along = length > 0.0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0.0;
        const double ex = p.x - (a.x + along * dx), ey = p.y - (a.y + along * dy);
        nearest_square = std::min(nearest_square, ex * ex + ey * ey);
      }
    }
    return std::sqrt(nearest_square);
  }

  Random& random_;
  std::array<double, synthetic_side * synthetic_side * 3> pixels_{};
};

/// Rotation by up to 35°, shear, unequal scale, wobble of the corners, and a shift.
Symbol placed(Symbol symbol, Random& random) {
  const double tangent = random.uniform(-0.32, 0.32);  // of half the angle: rational rotation, no sine needed
  const double cosine = (1.0 - tangent * tangent) / (1.0 + tangent * tangent);
  const double sine = 2.0 * tangent / (1.0 + tangent * tangent);
  const double scale_x = random.uniform(6.0, 12.0);
  const double scale_y = scale_x * random.uniform(0.7, 1.35);
  const double shear = random.uniform(-0.3, 0.3);
  const double shift_x = half_side + random.uniform(-5.0, 5.0);
  const double shift_y = half_side + random.uniform(-5.0, 5.0);
  for (Stroke& stroke : symbol) {
    for (Point& point : stroke) {
      const double x = (point.x + random.uniform(-0.13, 0.13) + shear * point.y) * scale_x;
      const double y = (point.y + random.uniform(-0.13, 0.13)) * scale_y;
      point = {shift_x + cosine * x - sine * y, shift_y + sine * x + cosine * y};
    }
  }
  return symbol;
}

Symbol random_line(Random& random) {
  const Point start{random.uniform(0.0, 32.0), random.uniform(0.0, 32.0)};
  return {{start, {start.x + random.uniform(-12.0, 12.0), start.y + random.uniform(-12.0, 12.0)}}};
}

class SyntheticDataset : public Dataset {
 public:
  SyntheticDataset(SyntheticSplit split, const Preprocessing& preprocessing)
      : split_(split), preprocessing_(preprocessing) {}

  std::int64_t size() const override { return synthetic_size(split_); }
  Sample get(std::int64_t index) const override {
    Sample sample;
    sample.input = preprocess(draw_synthetic(split_, index), preprocessing_);
    sample.label = synthetic_label(index);
    sample.name = name(index);
    return sample;
  }
  std::int64_t label(std::int64_t index) const override { return synthetic_label(index); }
  std::string name(std::int64_t index) const override { return cat(split_name(), "[", index, "]"); }
  const std::vector<std::string>& class_names() const override { return synthetic_class_names(); }
  std::string description() const override {
    return cat(size(), " drawn pictures in ", synthetic_classes, " classes (", split_name(), ")");
  }

 private:
  std::string split_name() const { return split_ == SyntheticSplit::Train ? "demo:train" : "demo:test"; }

  SyntheticSplit split_;
  Preprocessing preprocessing_;
};

}  // namespace

std::int64_t synthetic_size(SyntheticSplit split) {
  return split == SyntheticSplit::Train ? 7200 : 2400;
}

const std::vector<std::string>& synthetic_class_names() {
  static const std::vector<std::string> names = {"arch", "arrow",  "circle", "cross",    "dee",  "glass",
                                                 "hook", "square", "tee",    "triangle", "wave", "zed"};
  return names;
}

std::int64_t synthetic_label(std::int64_t index) {
  return index % synthetic_classes;
}

Picture draw_synthetic(SyntheticSplit split, std::int64_t index) {
  if (index < 0) throw InternalError("draw_synthetic: negative index");
  Random random =
      Random(split == SyntheticSplit::Train ? train_seed : test_seed).split(static_cast<std::uint64_t>(index));
  Canvas canvas(random);
  const Color background = canvas.paint_background();
  const auto clutter = static_cast<std::int64_t>(random.below(4));
  for (std::int64_t i = 0; i < clutter; ++i) {
    const Color color = random_color(random);
    const double width = random.uniform(0.6, 2.0);
    const double opacity = random.uniform(0.3, 0.8);
    canvas.draw(random_line(random), color, width, opacity);
  }
  const Symbol symbol = placed(symbol_of(synthetic_label(index)), random);
  const Color color = contrasting(background, 45.0, random);
  const double width = random.uniform(1.2, 3.4);
  canvas.draw(symbol, color, width, random.uniform(0.7, 1.0));
  return canvas.finish(random.uniform(6.0, 45.0));
}

std::shared_ptr<Dataset> open_synthetic(SyntheticSplit split, const Preprocessing& preprocessing) {
  return std::make_shared<SyntheticDataset>(split, preprocessing);
}

}  // namespace adze

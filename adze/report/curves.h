#pragma once

#include <string>
#include <utility>
#include <vector>

namespace adze {

/// One line of a drawing.
struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;
  bool steps = false;  ///< level from each point to the next
  bool dashed = false;
  bool faint = false;  ///< one of many, grey and not in the legend
};

struct CurveDrawing {
  std::string title, x, y;
  bool x_logarithmic = false;
  bool x_falling = false;  ///< the largest on the left
  bool x_whole = false;    ///< ticks at whole numbers alone
};

/// A self-contained SVG with axes, ticks, points with their numbers under the pointer, and a legend. Numbers that are
/// not finite are left out.
std::string curves_svg(const std::vector<Curve>& curves, const CurveDrawing& drawing);

}  // namespace adze

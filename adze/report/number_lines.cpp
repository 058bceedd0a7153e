#include "adze/report/number_lines.h"

#include <algorithm>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/numerics/formats/figures.h"

namespace adze {

namespace {

constexpr int row_height = 34;
constexpr int left = 110;
constexpr int right = 90;

std::string number_text(double value) {
  const double magnitude = std::abs(value);
  if (magnitude >= 1e5 || (magnitude != 0 && magnitude < 1e-3)) {
    return cat(value < 0 ? "-" : "", "2^", std::ilogb(magnitude));
  }
  return cat(static_cast<float>(value));
}

/// -1 … 1: the value's place on the line.
class Ruler {
 public:
  Ruler(const std::vector<double>& values, bool logarithmic) : logarithmic_(logarithmic) {
    for (const double value : values) {
      largest_ = std::max(largest_, std::abs(value));
      if (value != 0) smallest_ = std::min(smallest_, std::abs(value));
    }
  }

  double place(double value) const {
    if (!logarithmic_ || value == 0) return value / largest_;
    // The smallest magnitude stands at a tenth, so that zero has room.
    const double span = std::log2(largest_ / smallest_);
    const double share = span > 0 ? std::log2(std::abs(value) / smallest_) / span : 1.0;
    return std::copysign(0.1 + 0.9 * share, value);
  }

 private:
  double largest_ = 0;
  double smallest_ = std::numeric_limits<double>::infinity();
  bool logarithmic_;
};

void add_row(std::string& svg, const NumberFormat& format, int row, const NumberLineOptions& options) {
  const std::vector<double> values = format_values(format);
  const Ruler ruler(values, options.logarithmic);
  const int y = row_height * row + row_height / 2 + 4;
  const double middle = (left + options.width - right) / 2.0;
  const double half = (options.width - right - left) / 2.0;
  const auto x = [&](double value) { return fixed(middle + half * ruler.place(value), 1); };
  svg += cat("<text x='8' y='", y + 4, "'>", format.name(), "</text>\n");
  svg += cat("<path class='line' d='M", left, " ", y, "H", options.width - right, "'/>\n<path d='");
  for (const double value : values)
    svg += cat("M", x(value), " ", value == 0 ? y - 12 : y - 8, "v", value == 0 ? 24 : 16);
  svg += "'/>\n";
  svg += cat("<text x='", options.width - right + 10, "' y='", y + 4, "'>", number_text(values.back()), "</text>\n");
}

}  // namespace

std::string number_lines_svg(const std::vector<std::string>& formats, const NumberLineOptions& options) {
  std::vector<std::shared_ptr<const NumberFormat>> drawn;
  for (const std::string& name : formats) {
    drawn.push_back(format(name));
    if (drawn.back()->bits() > 8)
      throw UsageError(cat("a picture shows formats of at most 8 bits; ", name, " has more"));
  }
  const auto height = row_height * static_cast<int>(drawn.size()) + 8;
  std::string svg = cat("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", options.width, " ", height,
                        "' width='", options.width, "' height='", height, "'>\n");
  svg +=
      "<style>rect{fill:#fff}text{font:13px sans-serif;fill:#222}path{stroke:#2457a8;stroke-width:1;stroke-opacity:.75;"
      "fill:none}.line{stroke:#999}</style>\n";
  svg += cat("<rect width='", options.width, "' height='", height, "'/>\n");
  int row = 0;
  for (const auto& one : drawn) add_row(svg, *one, row++, options);
  svg += "</svg>\n";
  return svg;
}

}  // namespace adze

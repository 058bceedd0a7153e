#include "adze/report/curves.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/report/table.h"
#include "adze/report/xml.h"

namespace adze {

namespace {

constexpr double left = 70, top = 40, plot_width = 560, plot_height = 320, legend = 220, bottom = 50, legend_line = 18;

/// As few digits as tell it.
std::string number(double value) {
  if (std::abs(value) < 1e-9) return "0";
  const double size = std::abs(value);
  std::string text = fixed(value, size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4);
  if (text.find('.') != std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

/// 1, 2 or 5 times a power of ten: about five of them between the ends.
double tick_width(double low, double high) {
  const double rough = std::max(1e-12, (high - low) / 5);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

class Drawing {
 public:
  Drawing(const std::vector<Curve>& curves, const CurveDrawing& drawing) : curves_(curves), drawing_(drawing) {
    low_x_ = low_y_ = HUGE_VAL;
    high_x_ = high_y_ = -HUGE_VAL;
    for (const Curve& curve : curves) {
      for (const auto& [x, y] : curve.points) {
        if (!drawable(x, y)) continue;
        low_x_ = std::min(low_x_, along(x));
        high_x_ = std::max(high_x_, along(x));
        low_y_ = std::min(low_y_, y);
        high_y_ = std::max(high_y_, y);
      }
    }
    if (low_x_ > high_x_) low_x_ = low_y_ = 0, high_x_ = high_y_ = 1;
    if (high_x_ == low_x_) high_x_ += 1;
    if (high_y_ == low_y_) high_y_ += 1;
    const double margin = 0.05 * (high_y_ - low_y_);
    low_y_ -= margin;
    high_y_ += margin;
  }

  std::string run() {
    text_ = cat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", fixed(left + plot_width + legend, 0), " ",
                fixed(std::max(top + plot_height + bottom, top + 16 + legend_line * legend_entries()), 0),
                "\" font-family=\"system-ui,sans-serif\" font-size=\"14\">\n",
                "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    label(left, 20, "start", drawing_.title, "font-size=\"16\" font-weight=\"600\"");
    draw_axes();
    for (std::size_t i = 0; i < curves_.size(); ++i) draw_curve(i);
    return text_ + "</svg>\n";
  }

 private:
  double along(double x) const { return drawing_.x_logarithmic ? std::log10(x) : x; }
  bool drawable(double x, double y) const {
    return std::isfinite(x) && std::isfinite(y) && (!drawing_.x_logarithmic || x > 0);
  }
  double place_x(double x) const {
    const double share = (along(x) - low_x_) / (high_x_ - low_x_);
    return left + plot_width * (drawing_.x_falling ? 1 - share : share);
  }
  double place_y(double y) const { return top + plot_height * (1 - (y - low_y_) / (high_y_ - low_y_)); }

  void label(double x, double y, std::string_view anchor, std::string_view text, std::string_view more = {}) {
    text_ += cat("<text x=\"", fixed(x, 1), "\" y=\"", fixed(y, 1), "\" text-anchor=\"", anchor, "\" ", more, ">",
                 xml_text(text), "</text>\n");
  }
  void line(double x1, double y1, double x2, double y2, std::string_view colour) {
    text_ += cat("<line x1=\"", fixed(x1, 1), "\" y1=\"", fixed(y1, 1), "\" x2=\"", fixed(x2, 1), "\" y2=\"",
                 fixed(y2, 1), "\" stroke=\"", colour, "\"/>\n");
  }

  double legend_entries() const {
    return static_cast<double>(
        std::count_if(curves_.begin(), curves_.end(), [](const Curve& one) { return !one.faint; }));
  }

  /// Even steps between two values of x.
  std::vector<double> even_ticks(double low, double high) const {
    std::vector<double> ticks;
    const double width = drawing_.x_whole ? std::max(1.0, tick_width(low, high)) : tick_width(low, high);
    for (double at = std::ceil(low / width - 1e-9) * width; at <= high + 1e-9; at += width) ticks.push_back(at);
    return ticks;
  }

  std::vector<double> ticks_x() const {
    if (!drawing_.x_logarithmic) return even_ticks(low_x_, high_x_);
    std::vector<double> ticks;
    for (double power = std::floor(low_x_); power <= high_x_; ++power) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double at = factor * std::pow(10, power);
        if (std::log10(at) >= low_x_ - 1e-9 && std::log10(at) <= high_x_ + 1e-9) ticks.push_back(at);
      }
    }
    constexpr std::size_t few = 3;
    return ticks.size() < few ? even_ticks(std::pow(10, low_x_), std::pow(10, high_x_)) : ticks;
  }

  void draw_axes() {
    const double width = tick_width(low_y_, high_y_);
    for (double at = std::ceil(low_y_ / width) * width; at <= high_y_; at += width) {
      line(left, place_y(at), left + plot_width, place_y(at), "#e4e4e4");
      label(left - 6, place_y(at) + 4, "end", number(at));
    }
    for (const double at : ticks_x()) {
      line(place_x(at), top, place_x(at), top + plot_height, "#e4e4e4");
      label(place_x(at), top + plot_height + 16, "middle", number(at));
    }
    line(left, top + plot_height, left + plot_width, top + plot_height, "#555");
    line(left, top, left, top + plot_height, "#555");
    label(left + plot_width / 2, top + plot_height + 36, "middle", drawing_.x);
    label(0, 0, "middle", drawing_.y,
          cat("transform=\"translate(16,", fixed(top + plot_height / 2, 0), ") rotate(-90)\""));
  }

  void draw_curve(std::size_t index) {
    const Curve& curve = curves_[index];
    const std::string colour = curve.faint ? "#b8bec4" : cat("hsl(", index * 137 % 360, ",60%,42%)");
    std::string path, marks;
    double last = 0;
    for (const auto& [x, y] : curve.points) {
      if (!drawable(x, y)) continue;
      const std::string at = cat(fixed(place_x(x), 1), " ", fixed(place_y(y), 1));
      if (!path.empty() && curve.steps) path += cat(" L", fixed(place_x(x), 1), " ", fixed(last, 1));
      path += cat(path.empty() ? "M" : " L", at);
      last = place_y(y);
      marks +=
          cat("<circle cx=\"", fixed(place_x(x), 1), "\" cy=\"", fixed(place_y(y), 1), "\" r=\"2.5\" fill=\"", colour,
              "\"><title>", xml_text(cat(curve.name, ": ", number(x), ", ", number(y))), "</title></circle>\n");
    }
    const std::string dash = curve.dashed ? " stroke-dasharray=\"5 4\"" : "";
    text_ +=
        cat("<path d=\"", path, "\" fill=\"none\" stroke=\"", colour, "\" stroke-width=\"1.6\"", dash, "/>\n", marks);
    if (curve.faint) return;
    const double y = top + 8 + legend_line * entries_++, x = left + plot_width + 12;
    text_ += cat("<line x1=\"", fixed(x, 0), "\" y1=\"", fixed(y, 0), "\" x2=\"", fixed(x + 20, 0), "\" y2=\"",
                 fixed(y, 0), "\" stroke=\"", colour, "\" stroke-width=\"2\"", dash, "/>\n");
    label(x + 26, y + 4, "start", shortened(curve.name, 24));
  }

  const std::vector<Curve>& curves_;
  const CurveDrawing& drawing_;
  double entries_ = 0;  ///< of the legend so far
  double low_x_ = 0, high_x_ = 1, low_y_ = 0, high_y_ = 1;
  std::string text_;
};

}  // namespace

std::string curves_svg(const std::vector<Curve>& curves, const CurveDrawing& drawing) {
  return Drawing(curves, drawing).run();
}

}  // namespace adze

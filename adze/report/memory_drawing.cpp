#include "adze/report/memory_drawing.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/report/xml.h"

namespace adze {

std::string memory_bar(const MemoryMap& map, std::size_t step, std::size_t width) {
  std::string bar(width, '.');
  const auto total = std::max({std::int64_t{1}, map.arena_bytes, map.extent});
  const auto columns = static_cast<std::int64_t>(width);
  for (const std::size_t index : map.steps.at(step).blocks) {
    const MemoryBlock& block = map.blocks[index];
    const std::int64_t from = std::min(block.offset * columns / total, columns - 1);
    const std::int64_t to = std::max(from + 1, (block.offset + block.bytes) * columns / total);
    const bool begins = block.first == static_cast<std::int32_t>(step);
    const char mark = block.scratch ? '~' : begins ? '+' : '#';
    for (std::int64_t i = from; i < std::min(to, columns); ++i) bar[static_cast<std::size_t>(i)] = mark;
  }
  return bar;
}

namespace {

constexpr double left = 80, top = 56, plot_width = 960, plot_height = 420, bottom = 40;

/// Colours that differ between neighbours in the list of blocks.
std::string colour(std::size_t index, bool scratch) {
  if (scratch) return "#b0b0b0";
  return cat("hsl(", index * 137 % 360, ",55%,", 52 + index % 3 * 8, "%)");
}

class Drawing {
 public:
  Drawing(const MemoryMap& map, const MemoryDrawing& options) : map_(map), options_(options) {
    steps_ = std::max<std::size_t>(1, map.steps.size());
    height_bytes_ = std::max({std::int64_t{1}, map.arena_bytes, map.extent});
  }

  std::string run() {
    text_ = cat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", fixed(left + plot_width + 20, 0), " ",
                fixed(top + plot_height + bottom, 0), "\" font-family=\"system-ui,sans-serif\" font-size=\"12\">\n",
                "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    label(left, 20,
          cat(options_.title, options_.title.empty() ? "" : ": ", "arena ", map_.arena_bytes, " bytes, lower bound ",
              map_.lower_bound_bytes),
          "start");
    peak();
    for (std::size_t i = 0; i < map_.blocks.size(); ++i) block(i);
    for (const MemoryRange& memory : map_.memories) {
      if (memory.offset > 0 && memory.used > 0) line(memory.offset, cat(memory.name, " from here").c_str(), "#00c");
    }
    if (map_.memories.size() < 2) line(map_.lower_bound_bytes, "lower bound", "#c00");
    if (options_.ram_bytes && *options_.ram_bytes < map_.arena_bytes) line(*options_.ram_bytes, "RAM", "#000");
    axis();
    return text_ + "</svg>\n";
  }

 private:
  double x(double step) const { return left + step / static_cast<double>(steps_) * plot_width; }
  double y(std::int64_t offset) const {
    return top + plot_height * (1 - static_cast<double>(offset) / static_cast<double>(height_bytes_));
  }
  void label(double at_x, double at_y, const std::string& words, const char* anchor) {
    text_ += cat("<text x=\"", fixed(at_x, 1), "\" y=\"", fixed(at_y, 1), "\" text-anchor=\"", anchor, "\">",
                 xml_text(words), "</text>\n");
  }
  void rectangle(double from_x, double from_y, double to_x, double to_y, const std::string& style) {
    text_ += cat("<rect x=\"", fixed(from_x, 2), "\" y=\"", fixed(from_y, 2), "\" width=\"", fixed(to_x - from_x, 2),
                 "\" height=\"", fixed(to_y - from_y, 2), "\" ", style);
  }

  void peak() {
    if (map_.steps.empty()) return;
    const auto step = static_cast<double>(map_.peak_step);
    rectangle(x(step), top - 8, x(step + 1), top + plot_height, "fill=\"#fdd\"/>\n");
    const double middle = std::clamp(x(step + 0.5), left + 100, left + plot_width - 100);
    label(middle, top - 10, cat("peak: ", map_.steps[map_.peak_step].name), "middle");
  }

  void block(std::size_t index) {
    const MemoryBlock& block = map_.blocks[index];
    const double end = std::min<double>(static_cast<double>(block.last) + 1, static_cast<double>(steps_));
    rectangle(
        x(block.first), y(block.offset + block.bytes), x(end), y(block.offset),
        cat("fill=\"", colour(index, block.scratch),
            "\" fill-opacity=\"0.85\" stroke=\"#fff\" stroke-width=\"0.5\"><title>", xml_text(block.name), ", ",
            block.bytes, " bytes at ", block.offset, ", steps ", block.first, " to ", block.last, "</title></rect>\n"));
  }

  void line(std::int64_t bytes, const char* name, const char* stroke) {
    const double at = y(bytes);
    text_ += cat("<path d=\"M", fixed(left, 1), " ", fixed(at, 1), "H", fixed(left + plot_width, 1), "\" stroke=\"",
                 stroke, "\" stroke-dasharray=\"6 4\"/>\n");
    label(left + plot_width, at - 4, name, "end");
  }

  void axis() {
    for (int i = 0; i <= 4; ++i) label(left - 6, y(height_bytes_ * i / 4) + 4, cat(height_bytes_ * i / 4), "end");
    const std::size_t stride = std::max<std::size_t>(1, steps_ / 12);
    for (std::size_t step = 0; step < map_.steps.size(); step += stride) {
      label(x(static_cast<double>(step) + 0.5), top + plot_height + 16, cat(step), "middle");
    }
    label(left + plot_width / 2, top + plot_height + 34, "step", "middle");
  }

  const MemoryMap& map_;
  const MemoryDrawing& options_;
  std::size_t steps_ = 1;
  std::int64_t height_bytes_ = 1;
  std::string text_;
};

}  // namespace

std::string memory_svg(const MemoryMap& map, const MemoryDrawing& drawing) {
  return Drawing(map, drawing).run();
}

}  // namespace adze

#include "cli/quantize_mixed_tables.h"

#include <nlohmann/json.hpp>
#include <set>

#include "adze/base/text.h"
#include "adze/quantize/bits.h"

namespace adze::cli {

using Json = nlohmann::ordered_json;

std::vector<int> widths_of(const std::vector<quantize::LayerCurve>& curves) {
  std::set<int> widths;
  for (const auto& curve : curves) {
    for (const auto& point : curve.points) widths.insert(point.bits);
  }
  return {widths.begin(), widths.end()};
}

std::optional<double> damage_at(const quantize::LayerCurve& curve, int bits) {
  for (const auto& point : curve.points) {
    if (point.bits == bits) return point.damage;
  }
  return std::nullopt;
}

namespace {

std::string width_text(int bits) {
  return bits == quantize::float_bits ? std::string("float") : cat(bits, " bits");
}

}  // namespace

void print_curves(Console& console, const std::vector<quantize::LayerCurve>& curves) {
  if (curves.empty()) return;
  const std::vector<int> widths = widths_of(curves);
  std::vector<std::string> header{"layer", "weights"};
  for (const int bits : widths) header.push_back(width_text(bits));
  Table table(header, "output noise relative to the signal, the layer alone quantized");
  Json json = Json::array();
  for (const auto& curve : curves) {
    std::vector<std::string> row{shortened(curve.node, 40), cat(curve.weights)};
    Json points = Json::array();
    for (const int bits : widths) {
      const auto damage = damage_at(curve, bits);
      row.push_back(damage ? fixed(*damage, 6) : "-");
      if (damage) points.push_back({{"bits", bits}, {"damage", *damage}});
    }
    json.push_back({{"node", curve.node}, {"weights", curve.weights}, {"macs", curve.macs}, {"points", points}});
    table.add_row(std::move(row));
  }
  console.table(table);
  console.results()["sensitivity"] = std::move(json);
}

void print_times(Console& console, const quantize::MixedOutcome& outcome) {
  Table table({"layer", "width", "against 8 bits", "standard error", "measured on", "chosen"},
              "time of one inference, batch 1");
  Json json = Json::array();
  for (std::size_t i = 0; i < outcome.curves.size(); ++i) {
    const int chosen = outcome.layer_bits[i].bits.weights;
    Json widths = Json::array();
    for (std::size_t k = 0; k < outcome.times[i].size(); ++k) {
      const quantize::WidthTime& time = outcome.times[i][k];
      const int bits = outcome.curves[i].points[k].bits;
      const bool is_base = bits == 8;
      table.add_row({shortened(outcome.curves[i].node, 40), width_text(bits),
                     is_base ? "-" : cat(fixed(time.change_us, 2), " us"),
                     is_base || time.of_steps ? "-" : cat(fixed(time.error_us, 2), " us"),
                     is_base         ? "-"
                     : time.of_steps ? "its own steps"
                                     : "the whole network",
                     bits == chosen ? "chosen" : ""});
      widths.push_back(
          {{"bits", bits}, {"change_us", time.change_us}, {"error_us", time.error_us}, {"of_steps", time.of_steps}});
    }
    json.push_back({{"node", outcome.curves[i].node}, {"bits", chosen}, {"widths", widths}});
  }
  console.table(table);
  console.line(cat("8 bits throughout: ", fixed(outcome.int8_us, 1), " us; chosen: ", fixed(outcome.measured_us, 1),
                   " us (standard error ", fixed(outcome.measured_error_us, 1), "), expected ", fixed(outcome.cost, 1),
                   "; the limit of ", fixed(outcome.limit, 1), " us ",
                   outcome.measured_us <= outcome.limit ? "holds" : "does not hold"));
  console.results()["latency"] = {{"int8_us", outcome.int8_us},
                                  {"expected_us", outcome.cost},
                                  {"measured_us", outcome.measured_us},
                                  {"error_us", outcome.measured_error_us},
                                  {"limit_us", outcome.limit},
                                  {"within_limit", outcome.measured_us <= outcome.limit},
                                  {"layers", json}};
}

}  // namespace adze::cli

#include "cli/quantize_mixed_tables.h"

#include <nlohmann/json.hpp>

#include "adze/base/text.h"

namespace adze::cli {

using Json = nlohmann::ordered_json;

void print_curves(Console& console, const std::vector<quantize::LayerCurve>& curves) {
  if (curves.empty()) return;
  std::vector<std::string> header{"layer", "weights"};
  for (const auto& point : curves[0].points) header.push_back(cat(point.bits, " bits"));
  Table table(header, "output noise relative to the signal, the layer alone quantized");
  Json json = Json::array();
  for (const auto& curve : curves) {
    std::vector<std::string> row{shortened(curve.node, 40), cat(curve.weights)};
    Json points = Json::array();
    for (const auto& point : curve.points) {
      row.push_back(fixed(point.damage, 6));
      points.push_back({{"bits", point.bits}, {"damage", point.damage}});
    }
    json.push_back({{"node", curve.node}, {"weights", curve.weights}, {"macs", curve.macs}, {"points", points}});
    table.add_row(std::move(row));
  }
  console.table(table);
  console.results()["sensitivity"] = std::move(json);
}

void print_times(Console& console, const quantize::MixedOutcome& outcome) {
  Table table({"layer", "4 bits against 8", "standard error", "measured on", "bits"}, "time of one inference, batch 1");
  Json json = Json::array();
  for (std::size_t i = 0; i < outcome.curves.size(); ++i) {
    const quantize::WidthTime& time = outcome.times[i].front();
    const int bits = outcome.layer_bits[i].bits.weights;
    table.add_row({shortened(outcome.curves[i].node, 40), cat(fixed(time.change_us, 2), " us"),
                   time.of_steps ? "-" : cat(fixed(time.error_us, 2), " us"),
                   time.of_steps ? "its own steps" : "the whole network", cat(bits)});
    json.push_back({{"node", outcome.curves[i].node},
                    {"change_us", time.change_us},
                    {"error_us", time.error_us},
                    {"of_steps", time.of_steps},
                    {"bits", bits}});
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

#include "adze/quantize/curves.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/quantize/bits.h"

namespace adze::quantize {

namespace {

constexpr const char* schema = "adze.sensitivity/1";

/// The layer's curve of the file, at its end when it is new.
LayerCurve& curve_of(std::vector<LayerCurve>& stored, const LayerCurve& layer) {
  const auto found =
      std::find_if(stored.begin(), stored.end(), [&](const auto& one) { return one.node == layer.node; });
  return found != stored.end() ? *found : stored.emplace_back(layer);
}

/// Where the width's point is or would be.
std::vector<WidthPoint>::iterator place_of(std::vector<WidthPoint>& points, int bits) {
  return std::find_if(points.begin(), points.end(), [&](const WidthPoint& point) { return point.bits >= bits; });
}

}  // namespace

std::string print_curves(const std::vector<LayerCurve>& curves, const std::string& key,
                         const std::vector<WidthTime>& times) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerCurve& curve : curves) {
    nlohmann::ordered_json points = nlohmann::ordered_json::array();
    for (const WidthPoint& point : curve.points) points.push_back({{"bits", point.bits}, {"damage", point.damage}});
    layers.push_back({{"node", curve.node}, {"weights", curve.weights}, {"macs", curve.macs}, {"points", points}});
  }
  nlohmann::ordered_json json{{"schema", schema}, {"key", key}, {"layers", layers}};
  for (const WidthTime& time : times) {
    json["times"].push_back({{"problem", time.problem},
                             {"bits", time.bits},
                             {"change_us", time.change_us},
                             {"error_us", time.error_us},
                             {"of_steps", time.of_steps}});
  }
  return json.dump(1) + "\n";
}

std::vector<LayerCurve> parse_curves(const std::string& text, std::string& key, std::vector<WidthTime>* times) {
  std::vector<LayerCurve> curves;
  try {
    const auto json = nlohmann::json::parse(text);
    if (json.at("schema") != schema) throw ModelError(cat("the file is no ", schema));
    key = json.at("key").get<std::string>();
    for (const auto& layer : json.at("layers")) {
      LayerCurve curve{layer.at("node"), layer.at("weights"), layer.at("macs"), {}};
      for (const auto& point : layer.at("points")) curve.points.push_back({point.at("bits"), point.at("damage")});
      curves.push_back(std::move(curve));
    }
    if (times == nullptr || !json.contains("times")) return curves;
    for (const auto& time : json.at("times")) {
      times->push_back(
          {time.at("problem"), time.at("bits"), time.at("change_us"), time.at("error_us"), time.at("of_steps")});
    }
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(cat("sensitivity file: ", error.what()), {}, "delete it to measure anew");
  }
  return curves;
}

std::vector<LayerCurve> sensitivity_curves(const Trials& trials, const WidthsOf& widths, int activation_bits,
                                           const std::filesystem::path& file, const std::string& key,
                                           ProgressSink& progress) {
  std::vector<LayerCurve> stored, curves;  // all that the file has; what is asked for
  std::vector<WidthTime> times;
  if (!file.empty() && std::filesystem::exists(file)) {
    std::string found;
    stored = parse_curves(read_text_file(file), found, &times);
    if (found != key) {
      throw UsageError(cat(file.string(), " was measured for another network, other options or other samples"),
                       "delete it, or name another file");
    }
  }
  const auto layers = trials.layers();
  ProgressPhase phase(progress, "sensitivity", std::ssize(layers), "layers");
  for (const NodeId id : layers) {
    LayerCurve curve{trials.graph().node(id).name, trials.weights_of(id), trials.macs_of(id), {}};
    std::vector<WidthPoint>& known = curve_of(stored, curve).points;
    for (const int bits : widths(trials.graph().node(id))) {
      check_cancelled();
      if (bits == float_bits) {
        curve.points.push_back({bits, 0});
        continue;
      }
      auto point = place_of(known, bits);
      if (point == known.end() || point->bits != bits) {
        point = known.insert(point, {bits, trials.one_layer(id, {bits, activation_bits})});
        if (!file.empty()) write_file(file, print_curves(stored, key, times));
      }
      curve.points.push_back(*point);
    }
    phase.advance(1, curve.node);
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace adze::quantize

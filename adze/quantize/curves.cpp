#include "adze/quantize/curves.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze::quantize {

namespace {

constexpr const char* schema = "adze.sensitivity/1";

const WidthPoint* known_point(const std::vector<LayerCurve>& known, const std::string& node, int bits) {
  for (const LayerCurve& curve : known) {
    if (curve.node != node) continue;
    for (const WidthPoint& point : curve.points) {
      if (point.bits == bits) return &point;
    }
  }
  return nullptr;
}

}  // namespace

std::string print_curves(const std::vector<LayerCurve>& curves, const std::string& key) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerCurve& curve : curves) {
    nlohmann::ordered_json points = nlohmann::ordered_json::array();
    for (const WidthPoint& point : curve.points) points.push_back({{"bits", point.bits}, {"damage", point.damage}});
    layers.push_back({{"node", curve.node}, {"weights", curve.weights}, {"macs", curve.macs}, {"points", points}});
  }
  return nlohmann::ordered_json{{"schema", schema}, {"key", key}, {"layers", layers}}.dump(1) + "\n";
}

std::vector<LayerCurve> parse_curves(const std::string& text, std::string& key) {
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
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(cat("sensitivity file: ", error.what()), {}, "delete it to measure anew");
  }
  return curves;
}

std::vector<LayerCurve> sensitivity_curves(const Trials& trials, const std::vector<int>& widths, int activation_bits,
                                           const std::filesystem::path& file, const std::string& key,
                                           ProgressSink& progress) {
  std::vector<LayerCurve> known, curves;
  if (!file.empty() && std::filesystem::exists(file)) {
    std::string found;
    known = parse_curves(read_text_file(file), found);
    if (found != key) {
      throw UsageError(cat(file.string(), " was measured for another network, other options or other samples"),
                       "delete it, or name another file");
    }
  }
  const auto layers = trials.layers();
  ProgressPhase phase(progress, "sensitivity", std::ssize(layers) * std::ssize(widths), "points");
  for (const NodeId id : layers) {
    LayerCurve curve{trials.graph().node(id).name, trials.weights_of(id), trials.macs_of(id), {}};
    curves.push_back(curve);
    for (const int bits : widths) {
      check_cancelled();
      const WidthPoint* point = known_point(known, curve.node, bits);
      const double damage = point != nullptr ? point->damage : trials.one_layer(id, {bits, activation_bits});
      curves.back().points.push_back({bits, damage});
      if (point == nullptr && !file.empty()) write_file(file, print_curves(curves, key));
      phase.advance(1, cat(curve.node, " ", bits, " bits"));
    }
  }
  return curves;
}

}  // namespace adze::quantize

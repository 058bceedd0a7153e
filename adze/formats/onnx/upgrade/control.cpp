#include "adze/base/text.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

namespace {

/// The body of the outer Scan: one element of the batch, scanned along its first axis by the old node.
Subgraph element_body(Upgrade& upgrade, const Subgraph& body, std::int64_t num_scans, std::size_t num_outputs,
                      const std::vector<std::int64_t>& directions) {
  auto element = std::make_shared<Graph>();
  element->name = upgrade.node.name + "_element";
  Node scan;
  scan.kind = OpKind::Scan;
  scan.name = upgrade.node.name;
  for (std::size_t i = 1; i < upgrade.node.inputs.size(); ++i) {
    scan.inputs.push_back(element->add_input(cat("element_in_", i), {}));
  }
  for (std::size_t i = 0; i < num_outputs; ++i) {
    scan.outputs.push_back(element->add_value(cat("element_out_", i)));
    element->add_output(scan.outputs.back());
  }
  Subgraph inner{body.graph, {}};
  for (std::size_t i = 0; i < body.captured.size(); ++i) {
    inner.captured.push_back(
        element->add_capture(cat("element_capture_", i), upgrade.graph.value(body.captured[i]).type));
  }
  scan.set("body", inner);
  scan.set("num_scan_inputs", num_scans);
  if (!directions.empty()) scan.set("scan_input_directions", directions);
  element->add_node(std::move(scan));
  return {element, body.captured};
}

/// Scan-8 had a batch axis in front of everything. That is a scan over the batch, whose body is today's Scan:
///
///   Scan-8(_, states, sequences) { body }  →  Scan(states, sequences) { Scan(state, sequence) { body } }
void scan_8(Upgrade& upgrade) {
  if (upgrade.node.input(0) != ValueId::None) {
    throw UnsupportedError("Scan of opset 8 with sequence_lens is not supported");
  }
  const auto num_scans = upgrade.take_int("num_scan_inputs");
  const auto directions = upgrade.take_ints("directions").value_or(std::vector<std::int64_t>{});
  const Attribute* attribute = upgrade.node.find("body");
  const auto* body = attribute == nullptr ? nullptr : std::get_if<Subgraph>(attribute);
  if (body == nullptr || !num_scans) throw ModelError("attributes body and num_scan_inputs are required");
  if (upgrade.node.inputs.empty()) throw ModelError("has no inputs");
  const Subgraph outer = element_body(upgrade, *body, *num_scans, upgrade.node.outputs.size(), directions);
  upgrade.node.inputs.erase(upgrade.node.inputs.begin());
  upgrade.node.set("body", outer);
  upgrade.node.set("num_scan_inputs", static_cast<std::int64_t>(upgrade.node.inputs.size()));
}

constexpr UpgradeRule rules[] = {
    {OpKind::Scan, 8, 8, scan_8},
};

}  // namespace

std::span<const UpgradeRule> control_upgrades() {
  return rules;
}

}  // namespace adze::onnx

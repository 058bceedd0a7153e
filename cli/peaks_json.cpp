#include "cli/peaks_json.h"

namespace adze::cli {

nlohmann::ordered_json peaks_json(const MachinePeaks& peaks) {
  using Json = nlohmann::ordered_json;
  Json json = {{"arithmetic", Json::array()}, {"memory", Json::array()}};
  for (const auto& peak : peaks.arithmetic) {
    json["arithmetic"].push_back(
        {{"dtype", dtype_name(peak.dtype)}, {"isa", peak.isa}, {"macs_per_second", peak.macs_per_second}});
  }
  for (const auto& level : peaks.memory) {
    json["memory"].push_back({{"level", level.level},
                              {"bytes", level.bytes},
                              {"read_bytes_per_second", level.read_per_second},
                              {"write_bytes_per_second", level.write_per_second}});
  }
  return json;
}

}  // namespace adze::cli

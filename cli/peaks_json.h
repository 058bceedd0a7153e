#pragma once

#include <nlohmann/json.hpp>

#include "adze/engine/peaks.h"

namespace adze::cli {

/// {"arithmetic": [{dtype, isa, macs_per_second}], "memory": [{level, bytes, read_…, write_bytes_per_second}]}
nlohmann::ordered_json peaks_json(const MachinePeaks& peaks);

}  // namespace adze::cli

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adze::peers {

/// The networks that have targets.
std::vector<std::string> target_networks();

/// How many times faster than ONNX Runtime a network shall run with one thread in that way; nothing for others.
std::optional<double> target_ratio(std::string_view network, std::string_view way);

/// How many operations (two for a multiply-accumulate) a second a layer of that kind shall reach; nothing for others.
std::optional<double> target_operations(std::string_view kind, std::string_view way);

/// What bounds a network that misses its target, and what was tried: from reasons.txt beside this file. Lines of
/// "network way: text", which the next lines go on with when they begin with a space. Empty when nothing is said.
std::string reason_for(std::string_view network, std::string_view way);

}  // namespace adze::peers

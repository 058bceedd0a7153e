#pragma once

#include <filesystem>
#include <string>

#include "benchmarks/peers/comparison.h"

namespace adze::peers {

/// All tables of a comparison as Markdown, with the machine, the date and the command that measured them.
std::string markdown(const Comparison& comparison, const MachinePeaks& peaks, const std::string& their_version,
                     const std::string& command);

/// Puts the text between the lines "<!-- peers -->" and "<!-- end peers -->" of the file, whose other text stays. A
/// file that is not there yet is begun with them.
void replace_tables(const std::filesystem::path& file, const std::string& text);

}  // namespace adze::peers

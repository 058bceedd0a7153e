#include "benchmarks/peers/tables.h"

#include <chrono>
#include <ctime>

#include "adze/base/files.h"
#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/report/table.h"
#include "benchmarks/peers/targets.h"

namespace adze::peers {

namespace {

std::string milliseconds(double seconds) {
  return fixed(1e3 * seconds, seconds < 1e-3 ? 4 : seconds < 1e-2 ? 3 : 2);
}

std::string megabytes(std::int64_t bytes) {
  return fixed(static_cast<double>(bytes) / (1 << 20), 1);
}

std::string percent(double share, int decimals = 0) {
  return cat(fixed(100 * share, decimals), " %");
}

Isa isa_named(const std::string& name) {
  for (const Isa isa : machine_isas()) {
    if (isa_name(isa) == name) return isa;
  }
  return Isa::Ref;
}

std::string today() {
  const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

std::string target_text(const Line& line) {
  const auto target = target_ratio(line.network, line.precision, isa_named(line.isa));
  if (!target) return "";
  const double ratio = line.ratio();
  return cat(fixed(*target, 2),
             ratio >= *target ? " met" : cat(", ", fixed(100 * (1 - ratio / *target), 0), " % short"));
}

DType factors_of(const std::string& precision) {
  return precision == "int8" ? DType::S8 : precision == "bf16" ? DType::BF16 : DType::F32;
}

Table single_thread_table(const std::vector<Line>& lines, const MachinePeaks& peaks) {
  Table table({"network", "MMAC", "adze ms", "ORT ms", "ratio", "ratio of minima", "target", "adze GMAC/s",
               "of this core's peak"});
  for (const Line& line : lines) {
    const double rate = static_cast<double>(line.macs) / line.ours().median;
    const double peak = peaks.macs_per_second(factors_of(line.precision), isa_named(line.isa));
    table.add_row({line.network, fixed(1e-6 * static_cast<double>(line.macs), 2), milliseconds(line.ours().median),
                   milliseconds(line.theirs().median), fixed(line.ratio(), 2),
                   fixed(line.theirs().minimum / line.ours().minimum, 2), target_text(line), fixed(1e-9 * rate, 1),
                   peak > 0 ? percent(rate / peak) : ""});
  }
  return table;
}

Table threads_table(const std::vector<Line>& lines) {
  Table table({"network", "adze ms", "adze min", "ORT ms", "ORT min", "ratio", "ratio of minima"});
  for (const Line& line : lines) {
    table.add_row({line.network, milliseconds(line.ours().median), milliseconds(line.ours().minimum),
                   milliseconds(line.theirs().median), milliseconds(line.theirs().minimum), fixed(line.ratio(), 2),
                   fixed(line.theirs().minimum / line.ours().minimum, 2)});
  }
  return table;
}

std::string latency_tables(const Comparison& comparison, const MachinePeaks& peaks) {
  std::string text;
  std::vector<std::pair<int, std::string>> groups;
  for (const Line& line : comparison.lines) {
    const std::pair<int, std::string> group{line.threads, line.precision};
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end());
  for (const auto& [threads, precision] : groups) {
    std::vector<Line> lines;
    for (const Line& line : comparison.lines) {
      if (line.threads == threads && line.precision == precision) lines.push_back(line);
    }
    text += cat("\n### ", precision == "bf16" ? "fp32 computed in bf16" : precision, ", ", threads,
                threads == 1 ? " thread" : " threads", "\n\n",
                threads == 1 ? single_thread_table(lines, peaks).markdown() : threads_table(lines).markdown());
  }
  return text;
}

std::string start_table(const Comparison& comparison) {
  if (comparison.starts.empty()) return "";
  Table table({"network", "precision", "adze ms", "from weight file ms", "ORT ms", "adze MB", "from weight file MB",
               "ORT MB", "bound MB", "packed weights MB", "arena MB"});
  for (const Start& start : comparison.starts) {
    const double bound =
        1.3 * static_cast<double>(start.ours.packed_bytes) + static_cast<double>(start.ours.arena_bytes) + (2 << 20);
    table.add_row({start.network, start.precision, fixed(1e3 * start.ours.creation_seconds, 1),
                   fixed(1e3 * start.ours_cached.creation_seconds, 1), fixed(1e3 * start.theirs.creation_seconds, 1),
                   megabytes(start.ours.peak_bytes), megabytes(start.ours_cached.peak_bytes),
                   megabytes(start.theirs.peak_bytes), megabytes(static_cast<std::int64_t>(bound)),
                   megabytes(start.ours.packed_bytes), megabytes(start.ours.arena_bytes)});
  }
  return cat("\n### Start and memory\n\nFrom the model's file to a session (ms), and by how much the peak of resident ",
             "memory grew over that and three runs (MB), each in a process of its own. Bound: 1.3 × packed weights + ",
             "arena + 2 MB.\n\n", table.markdown());
}

std::string agreement_table(const Comparison& comparison) {
  Table table({"network", "precision", "largest output", "largest difference", "unfused", "same code",
               "within one step", "same code, unfused", "within one step, unfused"});
  for (const Agreement& line : comparison.agreements) {
    const auto share = [&](double value) { return line.precision == "int8" ? percent(value, 1) : std::string(); };
    const auto number = [](double value) { return cat(static_cast<float>(value)); };
    table.add_row({line.network, line.precision, fixed(line.largest_output, 4), number(line.fused.largest),
                   number(line.unfused.largest), share(line.fused.equal), share(line.fused.within_a_step),
                   share(line.unfused.equal), share(line.unfused.within_a_step)});
  }
  return cat(
      "\n### Agreement with ONNX Runtime on the same input\n\nUnfused: with its optimizations off, which computes ",
      "what a QDQ model says in float between the codes.\n\n", table.markdown());
}

}  // namespace

std::string markdown(const Comparison& comparison, const MachinePeaks& peaks, const std::string& their_version,
                     const std::string& command) {
  const Machine& machine = this_machine();
  const std::string isa = comparison.lines.empty() ? std::string(isa_name(choose_isa())) : comparison.lines[0].isa;
  std::string text = cat("Measured ", today(), " on ", machine.cpu, ", ", machine.cores, " cores, ", machine.system,
                         "; adze with ", isa, " at most; ONNX Runtime ", their_version,
                         ", which cannot be capped, with all its optimizations.\n\n```\n", command, "\n```\n\n");
  text += cat("This core's measured peaks: fp32 ", fixed(1e-9 * peaks.macs_per_second(DType::F32, isa_named(isa)), 0),
              " GMAC/s, int8 ", fixed(1e-9 * peaks.macs_per_second(DType::S8, isa_named(isa)), 0), " GMAC/s.\n");
  return text + latency_tables(comparison, peaks) + start_table(comparison) + agreement_table(comparison);
}

void replace_tables(const std::filesystem::path& file, const std::string& text) {
  constexpr std::string_view begin = "<!-- peers -->\n", end = "<!-- end peers -->\n";
  std::string before = "# Performance\n\n", after;
  if (std::filesystem::exists(file)) {
    const std::string old = read_text_file(file);
    const std::size_t from = old.find(begin), to = old.find(end);
    if (from == old.npos || to == old.npos || to < from) {
      throw UsageError(cat(file.string(), " has no lines ", trim(begin), " and ", trim(end)), "another file");
    }
    before = old.substr(0, from);
    after = old.substr(to + end.size());
  }
  write_file(file, cat(before, begin, text, end, after));
}

}  // namespace adze::peers

#include "benchmarks/peers/tables.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include "adze/base/files.h"
#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/report/table.h"
#include "benchmarks/peers/targets.h"
#include "benchmarks/peers/way.h"

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

std::string short_by(double reached, double target) {
  return cat(fixed(100 * (1 - reached / target), 0), " %");
}

std::string target_text(const Line& line) {
  const auto target = target_ratio(line.network, line.precision);
  if (!target) return "";
  return cat(fixed(*target, 2),
             line.ratio() >= *target ? " met" : cat(", ", short_by(line.ratio(), *target), " short"));
}

/// Of the operands that the way multiplies.
DType multiplied(const Line& line) {
  const Way& way = way_named(line.precision);
  return way.quantized ? DType::S8 : way.compute == Compute::Bf16 ? DType::BF16 : DType::F32;
}

Table single_thread_table(const std::vector<Line>& lines, const MachinePeaks& peaks) {
  Table table({"network", "MMAC", "adze ms", "ORT ms", "ratio", "ratio of minima", "target", "adze GMAC/s",
               "of this core's peak"});
  for (const Line& line : lines) {
    const double rate = static_cast<double>(line.macs) / line.ours().median;
    const double peak = peaks.macs_per_second(multiplied(line), isa_named(line.isa));
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
  for (const int threads : {1, 2}) {
    for (const std::string& name : all_ways()) {
      std::vector<Line> lines;
      for (const Line& line : comparison.lines) {
        if ((line.threads > 1) == (threads > 1) && line.precision == name) lines.push_back(line);
      }
      if (lines.empty()) {
        if (threads == 1 && name == "int8-amx" && machine_isa() != Isa::Amx) {
          text +=
              "\n### int8, with AMX\n\nAMX: not on this machine. Nothing is measured for the targets that need it.\n";
        }
        continue;
      }
      text +=
          cat("\n### ", way_named(name).title, ", ", lines[0].threads, threads == 1 ? " thread" : " threads", "\n\n",
              threads == 1 ? single_thread_table(lines, peaks).markdown() : threads_table(lines).markdown());
    }
  }
  return text;
}

/// Networks that miss their target, by how much, and why.
std::string missed_table(const Comparison& comparison) {
  Table table({"network", "precision", "ratio", "target", "short by", "what bounds it, what was tried"});
  int with_target = 0, missed = 0;
  for (const Line& line : comparison.lines) {
    const auto target = target_ratio(line.network, line.precision);
    if (!target || line.threads != 1) continue;
    ++with_target;
    if (line.ratio() >= *target) continue;
    ++missed;
    const std::string reason = reason_for(line.network, line.precision);
    table.add_row({line.network, line.precision, fixed(line.ratio(), 2), fixed(*target, 2),
                   short_by(line.ratio(), *target), reason.empty() ? "not looked into" : reason});
  }
  if (with_target == 0) return "";
  return cat("\n### Targets missed\n\n", with_target - missed, " of ", with_target, " reach their target.\n\n",
             missed > 0 ? table.markdown() : std::string());
}

std::string layer_table(const Comparison& comparison, const MachinePeaks& peaks, Isa isa) {
  if (comparison.layers.empty()) return "";
  std::map<std::pair<std::string, std::string>, std::vector<double>> groups;
  for (const Layer& layer : comparison.layers) {
    groups[{layer.precision, layer.kind}].push_back(layer.operations_per_second());
  }
  Table table({"precision", "layer", "layers", "slowest Gop/s", "median Gop/s", "fastest Gop/s",
               "of this core's peak (median)", "target"});
  for (auto& [group, rates] : groups) {
    std::sort(rates.begin(), rates.end());
    const auto& [precision, kind] = group;
    const double median = rates[rates.size() / 2];
    const double peak = 2 * peaks.macs_per_second(way_named(precision).quantized ? DType::S8 : DType::F32, isa);
    const auto target = target_operations(kind, precision);
    std::string aim;
    if (target)
      aim = cat(fixed(1e-9 * *target, 0), median >= *target ? " met" : cat(", ", short_by(median, *target), " short"));
    table.add_row({precision, kind, cat(rates.size()), fixed(1e-9 * rates.front(), 0), fixed(1e-9 * median, 0),
                   fixed(1e-9 * rates.back(), 0), peak > 0 ? percent(median / peak) : "", aim});
  }
  std::string text =
      cat("\n### Single layers, 1 thread\n\nThe layers of these networks by kind, each timed while its ",
          "whole network runs (fastest call). Two operations for a multiply-accumulate.\n\n", table.markdown());
  if (machine_isa() != Isa::Amx)
    text += "\nThe target of 2.5 Top/s for 3x3 and 1x1 layers is for AMX: not on this machine.\n";
  return text;
}

std::string start_table(const Comparison& comparison) {
  if (comparison.starts.empty()) return "";
  Table table({"network", "precision", "adze ms", "from weight file ms", "ORT ms", "adze MB", "from weight file MB",
               "ORT MB", "bound MB", "packed weights MB", "arena MB"});
  std::string missed;
  for (const Start& start : comparison.starts) {
    const double bound =
        1.3 * static_cast<double>(start.ours.packed_bytes) + static_cast<double>(start.ours.arena_bytes) + (2 << 20);
    table.add_row({start.network, start.precision, fixed(1e3 * start.ours.creation_seconds, 1),
                   fixed(1e3 * start.ours_cached.creation_seconds, 1), fixed(1e3 * start.theirs.creation_seconds, 1),
                   megabytes(start.ours.peak_bytes), megabytes(start.ours_cached.peak_bytes),
                   megabytes(start.theirs.peak_bytes), megabytes(static_cast<std::int64_t>(bound)),
                   megabytes(start.ours.packed_bytes), megabytes(start.ours.arena_bytes)});
    const double largest = static_cast<double>(std::max(start.ours.peak_bytes, start.ours_cached.peak_bytes));
    const double limit = start.network == "resnet50" ? 0.1 : start.ours.packed_bytes < (2 << 20) ? 0.02 : 0;
    const auto miss = [&](const std::string& what) {
      missed += cat("\n- ", start.network, " ", start.precision, ": ", what);
    };
    if (largest > bound)
      miss(cat("memory, ", megabytes(static_cast<std::int64_t>(largest - bound)), " MB above its bound"));
    if (limit > 0 && start.ours.creation_seconds > limit) {
      miss(cat("creation, ", fixed(1e3 * start.ours.creation_seconds, 1), " ms of ", fixed(1e3 * limit, 0)));
    }
    if (start.ours_cached.creation_seconds > 0.005) {
      miss(cat("from the weight file, ", fixed(1e3 * start.ours_cached.creation_seconds, 1), " ms of 5"));
    }
  }
  return cat("\n### Start and memory\n\nFrom the model's file to a session (ms), and by how much the peak of resident ",
             "memory grew over that and three runs (MB), each in a process of its own. Bound: 1.3 × packed weights + ",
             "arena + 2 MB. Targets for creation: 20 ms for tiny networks (less than 2 MB of weights), 100 ms for ",
             "resnet50, 5 ms from the weight file.\n\n", table.markdown(),
             missed.empty() ? std::string("\nAll within their bounds.\n") : cat("\nMissed:\n", missed, "\n"));
}

std::string agreement_table(const Comparison& comparison) {
  Table table({"network", "precision", "largest output", "largest difference", "unfused", "same code",
               "within one step", "same code, unfused", "within one step, unfused"});
  for (const Agreement& line : comparison.agreements) {
    const auto share = [&](double value) {
      return way_named(line.precision).quantized ? percent(value, 1) : std::string();
    };
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
  return text + latency_tables(comparison, peaks) + missed_table(comparison) +
         layer_table(comparison, peaks, isa_named(isa)) + start_table(comparison) + agreement_table(comparison);
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

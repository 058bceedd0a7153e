#include "adze/report/report.h"

#include "adze/base/text.h"
#include "adze/report/assets.h"

namespace adze {

namespace {

/// "-74.9 %"; "same" when nothing changed.
std::string change_text(double before, double after) {
  if (before == after) return "same";
  if (before == 0) return "-";
  const double percent = 100 * (after - before) / before;
  return cat(percent > 0 ? "+" : "", fixed(percent, 1), " %");
}

std::string replaced(std::string text, std::string_view key, std::string_view value) {
  const std::size_t place = text.find(key);
  if (place != std::string::npos) text.replace(place, key.size(), value);
  return text;
}

/// JSON inside a script element: "</" must not end the element.
std::string safe_in_script(std::string json) {
  for (std::size_t place = json.find("</"); place != std::string::npos; place = json.find("</", place + 3)) {
    json.replace(place, 2, "<\\/");
  }
  return json;
}

}  // namespace

std::string accuracy_text(const AccuracyFigure& accuracy) {
  return cat(fixed(100 * accuracy.value, 2), " % (", fixed(100 * accuracy.low, 2), "–", fixed(100 * accuracy.high, 2),
             ")");
}

std::string latency_text(double microseconds) {
  if (microseconds < 1000) return cat(fixed(microseconds, microseconds < 10 ? 2 : 1), " µs");
  return cat(fixed(microseconds / 1000, 2), " ms");
}

Table before_after_table(const ModelFigures& before, const ModelFigures& after) {
  Table table({"", before.name, after.name, "change"});
  const auto add = [&](const char* label, double a, double b, std::string a_text, std::string b_text) {
    table.add_row({label, std::move(a_text), std::move(b_text), change_text(a, b)});
  };
  const auto add_bytes = [&](const char* label, std::int64_t a, std::int64_t b) {
    add(label, static_cast<double>(a), static_cast<double>(b), bytes_text(a), bytes_text(b));
  };
  const auto add_count = [&](const char* label, std::int64_t a, std::int64_t b) {
    add(label, static_cast<double>(a), static_cast<double>(b), count_text(a), count_text(b));
  };
  if (before.file_bytes > 0) add_bytes("file", before.file_bytes, after.file_bytes);
  add_bytes("weights", before.weight_bytes, after.weight_bytes);
  if (before.sparse_bytes > 0 && after.sparse_bytes > 0) {
    add_bytes("weights, zeros as bits or runs", before.sparse_bytes, after.sparse_bytes);
  }
  add_count("parameters", before.parameters, after.parameters);
  add_count("MACs", before.macs, after.macs);
  add_bytes("peak activations", before.peak_activation_bytes, after.peak_activation_bytes);
  add_bytes("arena", before.arena_bytes, after.arena_bytes);
  if (before.accuracy && after.accuracy) {
    const double points = 100 * (after.accuracy->value - before.accuracy->value);
    table.add_row({cat(before.accuracy->metric, " (95 % interval)"), accuracy_text(*before.accuracy),
                   accuracy_text(*after.accuracy), cat(points > 0 ? "+" : "", fixed(points, 2), " points")});
  }
  if (before.latency && after.latency) {
    const auto add_latency = [&](const char* label, double a, double b) {
      add(label, a, b, latency_text(a), latency_text(b));
    };
    add_latency("latency p50", before.latency->p50_us, after.latency->p50_us);
    add_latency("latency p90", before.latency->p90_us, after.latency->p90_us);
    add_latency("latency p99", before.latency->p99_us, after.latency->p99_us);
  }
  return table;
}

Table trials_table(const std::vector<TrialFigures>& trials) {
  Table table({"recipe", "file", "accuracy", "drop (95 %)", "p50", "verdict"});
  for (const TrialFigures& trial : trials) {
    const auto& figures = trial.figures;
    table.add_row({trial.name, bytes_text(figures.file_bytes),
                   figures.accuracy ? cat(fixed(100 * figures.accuracy->value, 2), " %") : "-",
                   cat(fixed(100 * trial.drop, 2), " (", fixed(100 * trial.drop_low, 2), " … ",
                       fixed(100 * trial.drop_high, 2), ")"),
                   figures.latency ? latency_text(figures.latency->p50_us) : "-", trial.verdict});
  }
  return table;
}

std::string report_html(const Report& report) {
  std::string page(assets::report_html);
  page = replaced(std::move(page), "/*@uplot.css@*/", assets::uplot_css);
  page = replaced(std::move(page), "/*@report.css@*/", assets::report_css);
  page = replaced(std::move(page), "/*@uplot.js@*/", assets::uplot_js);
  page = replaced(std::move(page), "/*@report.js@*/", assets::report_js);
  return replaced(std::move(page), "/*@data@*/", safe_in_script(report_json(report)));
}

}  // namespace adze

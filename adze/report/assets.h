#pragma once

#include <string_view>

/// The files of report/web and the bundled plotting library, embedded by cmake/report_assets.cmake.
namespace adze::assets {

extern const std::string_view report_html;
extern const std::string_view report_css;
extern const std::string_view report_js;
extern const std::string_view uplot_js;
extern const std::string_view uplot_css;

}  // namespace adze::assets

#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace adze::device {

/// A file of adze/device/boards ("cortex-m4/memory.ld") or devices/ ("devices/nrf52840.toml"), embedded at build time.
struct Asset {
  std::string_view path;
  std::string_view text;
};
std::span<const Asset> assets();

/// The counting plug-in for QEMU (plugin/count.c), a shared object for this host.
std::span<const std::byte> counting_plugin();

}  // namespace adze::device

#pragma once

namespace adze::kernels {

/// Runs the loop once. The result keeps the compiler from leaving it out.
using PeakLoop = int (*)();

/// Reads bytes (a multiple of 256, aligned to 64) and combines them.
using ReadLoop = int (*)(const void* from, long bytes);

inline constexpr int peak_rounds = 4096;      ///< of vector loops
inline constexpr int peak_tile_rounds = 512;  ///< of tile loops

}  // namespace adze::kernels

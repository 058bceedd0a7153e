#pragma once

#include <cstdint>
#include <vector>

namespace adze::quantize {

/// The upper triangle U with Uᵀ·U = H⁻¹ of a symmetric positive definite H, both [n, n] by rows. Returns false where H
/// is not positive definite.
bool inverse_upper_factor(std::vector<double>& matrix, std::int64_t n);

}  // namespace adze::quantize

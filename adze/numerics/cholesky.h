#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace adze {

/// Lower triangular L with L Lᵀ = a, in place; the strict upper part of a stays as it is. a is size × size, row-major,
/// symmetric. Returns false when a is not positive definite; its content is then of no use.
bool cholesky(std::span<double> a, std::int64_t size);

/// Solves L Lᵀ x = b in place, L from cholesky().
void cholesky_solve(std::span<const double> factor, std::int64_t size, std::span<double> b);

/// The inverse of L Lᵀ, L from cholesky(); size × size, symmetric.
std::vector<double> cholesky_inverse(std::span<const double> factor, std::int64_t size);

/// cholesky() of a + damping × mean(diagonal) × I, damping growing tenfold from the one given until it succeeds.
/// Throws ModelError when a holds NaN or infinity.
std::vector<double> damped_cholesky(std::vector<double> a, std::int64_t size, double damping);

}  // namespace adze

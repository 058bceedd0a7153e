#pragma once

#include "adze/numerics/affine.h"
#include "adze/numerics/histogram.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

struct Range {
  double low = 0;
  double high = 0;
};

/// The real range that the codes should cover, from everything that was seen. It lies inside [min, max] widened to
/// hold 0. Percentile is in percent and used by that calibrator only.
Range choose_range(const Histogram& histogram, Calibrator calibrator, const IntegerGrid& grid, double percentile);

/// Cuts off (100 - percentile) % of the values at each end that is not zero.
Range percentile_range(const Histogram& histogram, double percentile);

/// The threshold T of least KL divergence between what was seen, clipped to [-T, T], and what 128 codes (255 when all
/// values have one sign and the grid is asymmetric) make of it, over 2,048 bins of |x|. Exact zeros take no part. What
/// lies beyond 64 times the 0.1 % and 99.9 % quantiles is counted as clipped from the start.
/// Fewer than 8,192 values say too little about so many bins: then it is everything seen.
/// Source  Migacz, 8-bit Inference with TensorRT, GTC 2017
Range entropy_range(const Histogram& histogram, const IntegerGrid& grid);

/// The range of least expected squared error: both ends shrunk together in 100 steps, then each end alone, bins
/// standing for their centres.
Range mse_range(const Histogram& histogram, const IntegerGrid& grid);

/// mean ± the threshold of least expected squared error for Laplace's or the normal distribution, whichever the mean
/// distance from the centre fits; rectified values are one half of a symmetric distribution, exact zeros apart.
/// Source  Banner et al., Post training 4-bit quantization (ACIQ), arXiv:1810.05723
Range aciq_range(const Histogram& histogram, const IntegerGrid& grid);
/// The threshold alone, of a distribution around 0 cut into so many equal steps from -threshold to threshold.
double aciq_threshold(double mean_distance, double deviation, double levels);

/// Mean squared error of quantizing what was seen with this scale, bins standing for their centres.
double expected_squared_error(const Histogram& histogram, const AffineScale& affine, const IntegerGrid& grid);

}  // namespace adze::quantize

#pragma once

#include <cstdint>
#include <vector>

#include "adze/numerics/formats/format.h"

namespace adze {

/// The finite values of a format of at most 16 bits in ascending order, with their codes and the bounds between them.
class CodeTable {
 public:
  struct Entry {
    double value;
    std::uint32_t code;
  };

  CodeTable() = default;
  /// Of entries in any order; those of infinities and NaN are left out, of equal values the lower code is kept.
  /// Bounds lie in the middle of neighbours.
  explicit CodeTable(std::vector<Entry> entries);
  /// With bounds[i] between entries i and i + 1 after sorting.
  CodeTable(std::vector<Entry> entries, std::vector<double> bounds);

  const std::vector<Entry>& entries() const { return entries_; }
  double lowest() const { return entries_.front().value; }
  double highest() const { return entries_.back().value; }

  /// The position of the entry that a value rounds to. Values outside saturate. Not for NaN.
  std::size_t round(double value, Rounding rounding) const;

 private:
  void sort();
  std::size_t round_stochastic(double value, Random& random) const;

  std::vector<Entry> entries_;
  std::vector<double> bounds_;
};

/// A format with a fixed table of values, times one scale per block: parameters {scale}.
class TableFormat : public NumberFormat {
 public:
  /// Of the value of every code; bounds as in CodeTable, empty for the middles.
  TableFormat(Facts facts, const std::vector<CodeTable::Entry>& entries, const std::vector<double>& bounds = {});

  const CodeTable& table() const { return table_; }
  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override;
  FormatParameters unit() const override { return {1.0}; }
  std::uint64_t encode(double value, const FormatParameters& parameters, Rounding rounding) const override;
  double decode(std::uint64_t code, const FormatParameters& parameters) const override;

 protected:
  /// The scale that brings the largest magnitude to the end of the table; overridden where the format says otherwise.
  virtual double scale_of(std::span<const float> values) const;

 private:
  CodeTable table_;
  std::vector<double> values_;  ///< by code
};

}  // namespace adze

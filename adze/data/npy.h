#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze {

/// A NumPy .npy file, versions 1 to 3. Native and little-endian data stay mapped; big-endian is swapped and Fortran
/// order is turned to row-major. bf16 and the f8 types are read under their ml_dtypes names; text (U, S) as strings.
/// Throws ModelError naming the file when damaged, UnsupportedError for object and record types.
Tensor read_npy(const std::filesystem::path& path);
/// The same from bytes that owner keeps alive; name is for messages.
Tensor read_npy_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const std::string& name);

/// Writes version 1.0, little-endian, C order. bf16 and f8 are written as raw bytes with their ml_dtypes names.
/// Throws UnsupportedError for 4-bit and string tensors.
void write_npy(const std::filesystem::path& path, const Tensor& tensor);
std::string write_npy_bytes(const Tensor& tensor);

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// The arrays of a .npz (zip of .npy, stored or deflated) by name, in the file's order. At most max_bytes unpacked.
NamedTensors read_npz(const std::filesystem::path& path, std::int64_t max_bytes = std::int64_t{4} << 30);
NamedTensors read_npz_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                            const std::string& name, std::int64_t max_bytes = std::int64_t{4} << 30);
/// Writes an uncompressed .npz.
void write_npz(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace adze

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/numerics/dtype.h"
#include "adze/numerics/elements.h"
#include "adze/numerics/shape.h"

namespace adze {

/// Bytes that count elements of dtype take: packed types round up to whole bytes. Checked.
std::int64_t storage_bytes(DType dtype, std::int64_t count);

/// The most bytes that one new tensor may take; more throws LimitError. Default 8 GiB.
std::int64_t max_tensor_bytes();
void set_max_tensor_bytes(std::int64_t bytes);

/// A dense row-major array of one dtype. Copies share their storage until one of them is written to.
/// 4-bit types hold two elements a byte, the even index in the low nibble. Strings are held as std::string.
class Tensor {
 public:
  /// An empty f32 tensor of shape [0].
  Tensor();
  /// Filled with zeros (or empty strings). Throws ModelError on a bad shape, LimitError when too large.
  Tensor(DType dtype, Shape shape);

  /// A tensor over bytes that owner keeps alive, without copying. Throws ModelError unless bytes is exactly the
  /// storage of shape. The bytes may be unaligned: they are copied to aligned memory at the first data<T>().
  static Tensor view(DType dtype, Shape shape, std::shared_ptr<const void> owner, std::span<const std::byte> bytes);

  template <typename T>
  static Tensor from(Shape shape, const std::vector<T>& values) {
    Tensor tensor(dtype_of<T>, std::move(shape));
    auto out = tensor.mutable_data<T>();
    if (out.size() != values.size()) throw InternalError("Tensor::from: values do not fill the shape");
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
    return tensor;
  }
  template <typename T>
  static Tensor scalar(T value) {
    return from<T>({}, {value});
  }
  /// A rank-1 s64 tensor, as axes and shapes are given.
  static Tensor ints(const std::vector<std::int64_t>& values);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t rank() const { return static_cast<std::int64_t>(shape_.size()); }
  std::int64_t dim(std::int64_t axis) const { return shape_[static_cast<std::size_t>(axis)]; }
  std::int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Elements as T, which must be the C++ type of dtype() (InternalError otherwise).
  template <typename T>
  std::span<const T> data() const {
    require(dtype_of<T>);
    return {static_cast<const T*>(aligned_data(alignof(T))), static_cast<std::size_t>(size_)};
  }
  /// The same for reading one by one; never copies.
  template <typename T>
  Elements<T> elements() const {
    require(dtype_of<T>);
    return Elements<T>(bytes().data());
  }
  /// Like data(), for writing; copies shared storage first.
  template <typename T>
  std::span<T> mutable_data() {
    require(dtype_of<T>);
    return {static_cast<T*>(writable_data()), static_cast<std::size_t>(size_)};
  }

  /// The stored bytes, little-endian; never copies. Not for strings.
  std::span<const std::byte> bytes() const;
  std::span<std::byte> mutable_bytes();
  std::int64_t num_bytes() const { return storage_bytes(dtype_, size_); }

  /// One element of any real dtype, packed ones included. Slow: for small constants and tests.
  double get_double(std::int64_t index) const;
  std::int64_t get_int(std::int64_t index) const;
  void set_double(std::int64_t index, double value);
  void set_int(std::int64_t index, std::int64_t value);

  /// The same elements in another shape of equal size, sharing storage. Throws ModelError on a different size.
  Tensor reshaped(Shape shape) const;

 private:
  struct Storage;

  void require(DType wanted) const;
  const void* aligned_data(std::size_t alignment) const;
  void* writable_data();

  DType dtype_ = DType::F32;
  Shape shape_;
  std::int64_t size_ = 0;
  std::shared_ptr<Storage> storage_;
};

/// All elements converted to dtype as C++ static_cast does (floats to integers truncate; any non-zero to true).
/// Strings are not converted here.
Tensor converted(const Tensor& tensor, DType dtype);

/// All integer elements, for axes, shapes and other small integer tensors.
std::vector<std::int64_t> to_ints(const Tensor& tensor);
/// All elements as float.
std::vector<float> to_floats(const Tensor& tensor);

/// Equal dtype, shape and bits.
bool identical(const Tensor& a, const Tensor& b);

/// "f32[1, 3, 32, 32]"
std::string type_text(const Tensor& tensor);

}  // namespace adze

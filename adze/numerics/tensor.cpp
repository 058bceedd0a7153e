#include "adze/numerics/tensor.h"

#include <atomic>
#include <cstring>
#include <limits>
#include <mutex>

#include "adze/base/checked.h"
#include "adze/base/text.h"

namespace adze {

namespace {

constexpr std::size_t buffer_alignment = 64;
std::atomic<std::int64_t> tensor_byte_limit{std::int64_t{8} << 30};

struct FreeDeleter {
  void operator()(void* data) const { ::operator delete (data, std::align_val_t{buffer_alignment}); }
};
using AlignedBytes = std::unique_ptr<void, FreeDeleter>;

AlignedBytes allocate_bytes(std::size_t size) {
  return AlignedBytes(::operator new (std::max<std::size_t>(size, 1), std::align_val_t{buffer_alignment}));
}

}  // namespace

std::int64_t storage_bytes(DType dtype, std::int64_t count) {
  if (dtype == DType::String) return checked_mul(count, sizeof(std::string), "tensor size");
  const std::int64_t bits = checked_mul(count, dtype_bits(dtype), "tensor size");
  return bits / 8 + (bits % 8 != 0 ? 1 : 0);
}

std::int64_t max_tensor_bytes() {
  return tensor_byte_limit;
}
void set_max_tensor_bytes(std::int64_t bytes) {
  tensor_byte_limit = bytes;
}

/// Either owned bytes, bytes that somebody else keeps alive, or strings.
struct Tensor::Storage {
  AlignedBytes owned;
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
  std::size_t size = 0;
  std::vector<std::string> strings;
  std::once_flag align_once;
  AlignedBytes aligned_copy;
};

Tensor::Tensor() : Tensor(DType::F32, {0}) {}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), size_(num_elements(shape_)) {
  const std::int64_t bytes = storage_bytes(dtype, size_);
  if (bytes > tensor_byte_limit) {
    throw LimitError(cat("a tensor of shape ", shape_text(shape_), " needs ", bytes_text(bytes),
                         ", more than the limit of ", bytes_text(tensor_byte_limit)));
  }
  storage_ = std::make_shared<Storage>();
  if (dtype == DType::String) {
    storage_->strings.resize(static_cast<std::size_t>(size_));
    return;
  }
  storage_->size = static_cast<std::size_t>(bytes);
  storage_->owned = allocate_bytes(storage_->size);
  std::memset(storage_->owned.get(), 0, storage_->size);
  storage_->data = static_cast<const std::byte*>(storage_->owned.get());
}

Tensor Tensor::view(DType dtype, Shape shape, std::shared_ptr<const void> owner, std::span<const std::byte> bytes) {
  if (dtype == DType::String || dtype == DType::Undefined) throw InternalError("Tensor::view: dtype has no bytes");
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_ = num_elements(tensor.shape_);
  const std::int64_t wanted = storage_bytes(dtype, tensor.size_);
  if (!std::in_range<std::int64_t>(bytes.size()) || static_cast<std::int64_t>(bytes.size()) != wanted) {
    throw ModelError(cat("tensor ", type_text(tensor), " needs ", wanted, " bytes, found ", bytes.size()));
  }
  tensor.storage_ = std::make_shared<Storage>();
  tensor.storage_->owner = std::move(owner);
  tensor.storage_->data = bytes.data();
  tensor.storage_->size = bytes.size();
  return tensor;
}

Tensor Tensor::ints(const std::vector<std::int64_t>& values) {
  return from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

void Tensor::require(DType wanted) const {
  if (dtype_ == wanted) return;
  throw InternalError(cat("tensor has elements of type ", dtype_name(dtype_), ", not ", dtype_name(wanted)));
}

const void* Tensor::aligned_data(std::size_t alignment) const {
  if (dtype_ == DType::String) return storage_->strings.data();
  if (reinterpret_cast<std::uintptr_t>(storage_->data) % alignment == 0) return storage_->data;
  std::call_once(storage_->align_once, [this] {
    storage_->aligned_copy = allocate_bytes(storage_->size);
    std::memcpy(storage_->aligned_copy.get(), storage_->data, storage_->size);
  });
  return storage_->aligned_copy.get();
}

void* Tensor::writable_data() {
  const bool shared = storage_.use_count() > 1 || (dtype_ != DType::String && !storage_->owned);
  if (shared) {
    auto copy = std::make_shared<Storage>();
    copy->strings = storage_->strings;
    if (dtype_ != DType::String) {
      copy->size = storage_->size;
      copy->owned = allocate_bytes(copy->size);
      if (copy->size > 0) std::memcpy(copy->owned.get(), storage_->data, copy->size);
      copy->data = static_cast<const std::byte*>(copy->owned.get());
    }
    storage_ = std::move(copy);
  }
  if (dtype_ == DType::String) return storage_->strings.data();
  return storage_->owned.get();
}

std::span<const std::byte> Tensor::bytes() const {
  if (dtype_ == DType::String) throw InternalError("strings have no byte view");
  return {storage_->data, storage_->size};
}

std::span<std::byte> Tensor::mutable_bytes() {
  if (dtype_ == DType::String) throw InternalError("strings have no byte view");
  return {static_cast<std::byte*>(writable_data()), storage_->size};
}

namespace {

std::int64_t nibble(std::span<const std::byte> bytes, std::int64_t index, DType dtype) {
  const auto byte = std::to_integer<unsigned>(bytes[static_cast<std::size_t>(index / 2)]);
  const auto code = static_cast<std::int64_t>(index % 2 == 0 ? byte & 15 : byte >> 4);
  return dtype == DType::S4 && code >= 8 ? code - 16 : code;
}

bool is_packed(DType dtype) {
  return dtype == DType::S4 || dtype == DType::U4;
}

}  // namespace

double Tensor::get_double(std::int64_t index) const {
  if (is_packed(dtype_)) return static_cast<double>(nibble(bytes(), index, dtype_));
  return visit_dtype(dtype_, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return static_cast<double>(data<T>()[static_cast<std::size_t>(index)]);
  });
}

std::int64_t Tensor::get_int(std::int64_t index) const {
  if (is_packed(dtype_)) return nibble(bytes(), index, dtype_);
  return visit_dtype(dtype_, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return static_cast<std::int64_t>(data<T>()[static_cast<std::size_t>(index)]);
  });
}

void Tensor::set_double(std::int64_t index, double value) {
  if (is_packed(dtype_)) return set_int(index, static_cast<std::int64_t>(value));
  visit_dtype(dtype_, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool> || std::is_arithmetic_v<T>) {
      mutable_data<T>()[static_cast<std::size_t>(index)] = static_cast<T>(value);
    } else {
      mutable_data<T>()[static_cast<std::size_t>(index)] = T(static_cast<float>(value));
    }
  });
}

void Tensor::set_int(std::int64_t index, std::int64_t value) {
  if (!is_packed(dtype_)) {
    visit_dtype(dtype_, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_arithmetic_v<T>) {
        mutable_data<T>()[static_cast<std::size_t>(index)] = static_cast<T>(value);
      } else {
        mutable_data<T>()[static_cast<std::size_t>(index)] = T(static_cast<float>(value));
      }
    });
    return;
  }
  std::byte& byte = mutable_bytes()[static_cast<std::size_t>(index / 2)];
  const auto code = static_cast<unsigned>(value & 15);
  const auto old = std::to_integer<unsigned>(byte);
  byte = static_cast<std::byte>(index % 2 == 0 ? (old & 0xF0u) | code : (old & 0x0Fu) | (code << 4));
}

Tensor Tensor::reshaped(Shape shape) const {
  if (num_elements(shape) != size_) {
    throw ModelError(cat("cannot reshape ", shape_text(shape_), " to ", shape_text(shape)));
  }
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor converted(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  Tensor result(dtype, tensor.shape());
  if (is_packed(dtype) || is_packed(tensor.dtype())) {
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      if (is_float(dtype)) {
        result.set_double(i, tensor.get_double(i));
      } else {
        result.set_int(i, tensor.get_int(i));
      }
    }
    return result;
  }
  visit_dtype(tensor.dtype(), [&](auto from_tag) {
    using From = typename decltype(from_tag)::type;
    const auto from = tensor.data<From>();
    visit_dtype(dtype, [&](auto to_tag) {
      using To = typename decltype(to_tag)::type;
      const auto to = result.mutable_data<To>();
      for (std::size_t i = 0; i < from.size(); ++i) {
        if constexpr (!std::is_arithmetic_v<To>) {
          to[i] = To(static_cast<float>(from[i]));
        } else if constexpr (std::is_same_v<To, bool>) {
          to[i] = static_cast<double>(from[i]) != 0;
        } else if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
          // Out-of-range float to integer is undefined in C++; wrap through s64 like x86 does, NaN to 0.
          const double value = static_cast<double>(from[i]);
          const bool in_s64 = value >= -0x1p63 && value < 0x1p63;
          if (in_s64) {
            to[i] = static_cast<To>(static_cast<std::int64_t>(value));
          } else if (value >= 0x1p63 && value < 0x1p64) {
            to[i] = static_cast<To>(static_cast<std::uint64_t>(value));
          } else {
            to[i] = static_cast<To>(value != value ? 0 : std::numeric_limits<std::int64_t>::min());
          }
        } else {
          to[i] = static_cast<To>(from[i]);
        }
      }
    });
  });
  return result;
}

std::vector<std::int64_t> to_ints(const Tensor& tensor) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(tensor.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = tensor.get_int(static_cast<std::int64_t>(i));
  return values;
}

std::vector<float> to_floats(const Tensor& tensor) {
  const Tensor floats = converted(tensor, DType::F32);
  const auto data = floats.data<float>();
  return {data.begin(), data.end()};
}

bool identical(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::String) {
    const auto x = a.data<std::string>(), y = b.data<std::string>();
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  }
  return a.bytes().empty() || std::memcmp(a.bytes().data(), b.bytes().data(), a.bytes().size()) == 0;
}

std::string type_text(const Tensor& tensor) {
  return cat(dtype_name(tensor.dtype()), shape_text(tensor.shape()));
}

}  // namespace adze

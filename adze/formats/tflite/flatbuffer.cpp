#include "adze/formats/tflite/flatbuffer.h"

namespace adze::tflite {

Table::Table(WireData data, std::uint64_t offset) : data_(data), offset_(offset) {
  const auto back = data_.read<std::int32_t>(offset);
  const std::int64_t vtable = static_cast<std::int64_t>(offset) - back;
  if (vtable < 0) throw ModelError(cat("damaged file: the vtable of the table at ", offset, " lies before the file"));
  vtable_ = static_cast<std::uint64_t>(vtable);
  vtable_size_ = data_.read<std::uint16_t>(vtable_);
  inline_size_ = data_.read<std::uint16_t>(vtable_ + 2);
  if (vtable_size_ < 4 || vtable_size_ % 2 != 0 || inline_size_ < 4) {
    throw ModelError(cat("damaged file: the table at ", offset, " has a vtable of ", vtable_size_, " bytes for ",
                         inline_size_, " bytes of fields"));
  }
  data_.slice(vtable_, vtable_size_);
  data_.slice(offset_, inline_size_);
}

Table Table::root(WireData data, std::string_view identifier) {
  const auto found = data.slice(4, 4);
  if (std::memcmp(found.data(), identifier.data(), 4) != 0) {
    throw ModelError(cat("not a TFLite file: bytes 4 to 8 are not \"", identifier, "\""));
  }
  return Table(data, data.read<std::uint32_t>(0));
}

std::uint64_t Table::place_of(int field, std::size_t size) const {
  const std::uint64_t entry = 4 + 2 * static_cast<std::uint64_t>(field);
  if (entry + 2 > vtable_size_) return 0;
  const auto relative = data_.read<std::uint16_t>(vtable_ + entry);
  if (relative == 0) return 0;
  if (relative < 4 || relative + size > inline_size_) {
    throw ModelError(cat("damaged file: field ", field, " of the table at ", offset_, " lies outside the table"));
  }
  return offset_ + relative;
}

std::uint64_t Table::target_of(int field) const {
  const std::uint64_t place = place_of(field, 4);
  if (place == 0) return 0;
  const auto relative = data_.read<std::uint32_t>(place);
  if (relative == 0)
    throw ModelError(cat("damaged file: field ", field, " of the table at ", offset_, " points at itself"));
  return place + relative;
}

std::optional<Table> Table::table(int field) const {
  const std::uint64_t target = target_of(field);
  if (target == 0) return std::nullopt;
  return Table(data_, target);
}

std::string_view Table::string(int field) const {
  const auto bytes = vector_bytes(field, 1);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> Table::vector_bytes(int field, std::size_t element_size) const {
  const std::uint64_t target = target_of(field);
  if (target == 0) return {};
  const std::uint64_t count = data_.read<std::uint32_t>(target);
  return data_.slice(target + 4, count * element_size);
}

TableVector Table::tables(int field) const {
  const std::uint64_t target = target_of(field);
  if (target == 0) return {};
  const std::uint64_t count = data_.read<std::uint32_t>(target);
  data_.slice(target + 4, count * 4);
  return {data_, target + 4, static_cast<std::size_t>(count)};
}

}  // namespace adze::tflite

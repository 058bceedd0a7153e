#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace adze::test {

/// A strict check of a TFLite file as FlatBuffers wire data: every offset lands inside, every vtable and table is
/// whole, scalars are aligned to their size, strings end in a zero byte, weights are aligned to 16 bytes. Knows the
/// tables of the schema only by their fields' kinds; throws std::runtime_error with what is wrong.
class TfliteVerifier {
 public:
  static void check(std::string_view file) { TfliteVerifier(file).run(); }

 private:
  enum class Table { Model, OperatorCode, Subgraph, Tensor, Quantization, Operator, Buffer, Metadata, Options };
  enum class Field { One, Four, String, Ints, Longs, Content, Tables, Child };
  struct Entry {
    Field field;
    Table table = Table::Options;
  };

  explicit TfliteVerifier(std::string_view file) : file_(file) {}

  static const std::map<int, Entry>& schema(Table table) {
    static const std::map<Table, std::map<int, Entry>> all = {
        {Table::Model,
         {{0, {Field::Four}},
          {1, {Field::Tables, Table::OperatorCode}},
          {2, {Field::Tables, Table::Subgraph}},
          {3, {Field::String}},
          {4, {Field::Tables, Table::Buffer}},
          {6, {Field::Tables, Table::Metadata}}}},
        {Table::Metadata, {{0, {Field::String}}, {1, {Field::Four}}}},
        {Table::OperatorCode, {{0, {Field::One}}, {2, {Field::Four}}, {3, {Field::Four}}}},
        {Table::Subgraph,
         {{0, {Field::Tables, Table::Tensor}},
          {1, {Field::Ints}},
          {2, {Field::Ints}},
          {3, {Field::Tables, Table::Operator}},
          {4, {Field::String}}}},
        {Table::Tensor,
         {{0, {Field::Ints}},
          {1, {Field::One}},
          {2, {Field::Four}},
          {3, {Field::String}},
          {4, {Field::Child, Table::Quantization}},
          {7, {Field::Ints}}}},
        {Table::Quantization, {{2, {Field::Ints}}, {3, {Field::Longs}}, {6, {Field::Four}}}},
        {Table::Operator,
         {{0, {Field::Four}}, {1, {Field::Ints}}, {2, {Field::Ints}}, {3, {Field::One}}, {4, {Field::Child}}}},
        {Table::Buffer, {{0, {Field::Content}}}},
    };
    static const std::map<int, Entry> none;
    const auto found = all.find(table);
    return found == all.end() ? none : found->second;
  }

  template <typename T>
  T read(std::uint64_t at) const {
    require(at + sizeof(T) <= file_.size(), "an offset leaves the file");
    require(at % sizeof(T) == 0, "a scalar is not aligned");
    T value;
    std::memcpy(&value, file_.data() + at, sizeof(T));
    return value;
  }
  static void require(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(what);
  }

  void run() {
    require(file_.size() >= 8 && file_.substr(4, 4) == "TFL3", "the file identifier is missing");
    table(read<std::uint32_t>(0), Table::Model);
  }

  void vector(std::uint64_t at, std::uint64_t width, std::uint64_t alignment) const {
    const std::uint64_t count = read<std::uint32_t>(at);
    require(at + 4 + count * width <= file_.size(), "a vector leaves the file");
    require(count == 0 || (at + 4) % alignment == 0, "a vector is not aligned");
  }

  void field(std::uint64_t place, const Entry& entry) {
    if (entry.field == Field::One) return;
    const std::uint64_t target = place + read<std::uint32_t>(place);
    switch (entry.field) {
      case Field::String: {
        vector(target, 1, 1);
        const std::uint64_t end = target + 4 + read<std::uint32_t>(target);
        require(end < file_.size() && file_[end] == '\0', "a string does not end in a zero byte");
        break;
      }
      case Field::Ints:
        vector(target, 4, 4);
        break;
      case Field::Longs:
        vector(target, 8, 8);
        break;
      case Field::Content:
        vector(target, 1, 16);
        break;
      case Field::Child:
        table(target, entry.table);
        break;
      case Field::Tables: {
        vector(target, 4, 4);
        for (std::uint32_t i = 0; i < read<std::uint32_t>(target); ++i) {
          const std::uint64_t slot = target + 4 + 4 * i;
          table(slot + read<std::uint32_t>(slot), entry.table);
        }
        break;
      }
      default:
        break;
    }
  }

  void table(std::uint64_t at, Table kind) {
    const std::int64_t vtable = static_cast<std::int64_t>(at) - read<std::int32_t>(at);
    require(vtable >= 0, "a vtable lies before the file");
    const auto start = static_cast<std::uint64_t>(vtable);
    const std::uint64_t size = read<std::uint16_t>(start), inside = read<std::uint16_t>(start + 2);
    require(size >= 4 && size % 2 == 0 && start + size <= file_.size(), "a vtable is not whole");
    require(inside >= 4 && at + inside <= file_.size(), "a table is not whole");
    std::set<std::uint64_t> places;
    for (std::uint64_t entry = 4; entry < size; entry += 2) {
      const std::uint64_t offset = read<std::uint16_t>(start + entry);
      if (offset == 0) continue;
      require(offset >= 4 && offset < inside && places.insert(offset).second, "a field lies outside its table");
      if (kind == Table::Options) continue;
      const auto& fields = schema(kind);
      const auto found = fields.find(static_cast<int>((entry - 4) / 2));
      require(found != fields.end(), "a field that this check does not know");
      require(found->second.field == Field::One || offset + 4 <= inside, "a field reaches beyond its table");
      field(at + offset, found->second);
    }
  }

  std::string_view file_;
};

}  // namespace adze::test

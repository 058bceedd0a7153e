#include "adze/formats/tflite/flatbuffer_builder.h"

#include <algorithm>
#include <deque>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::tflite {

FlatPointer flat_table() {
  return std::make_shared<FlatObject>();
}

FlatPointer flat_text(std::string_view text) {
  auto object = std::make_shared<FlatObject>();
  object->kind = FlatObject::Kind::Text;
  object->own = text;
  return object;
}

FlatPointer flat_tables(std::vector<FlatPointer> items) {
  auto object = std::make_shared<FlatObject>();
  object->kind = FlatObject::Kind::Tables;
  object->items = std::move(items);
  return object;
}

FlatPointer flat_bytes(std::span<const std::byte> bytes, std::size_t alignment) {
  auto object = std::make_shared<FlatObject>();
  object->kind = FlatObject::Kind::Scalars;
  object->borrowed = bytes;
  object->alignment = alignment;
  return object;
}

namespace {

/// Objects are laid out breadth first: whatever an offset points at lies behind it, as unsigned offsets require.
class Builder {
 public:
  std::string build(const FlatObject& root, std::string_view identifier) {
    put<std::uint32_t>(0);
    bytes_ += identifier;
    pending_.push_back({0, &root});
    while (!pending_.empty()) {
      const Pending next = pending_.front();
      pending_.pop_front();
      place(next);
    }
    return std::move(bytes_);
  }

 private:
  struct Pending {
    std::size_t slot;  ///< where the offset to the object is stored
    const FlatObject* object;
  };

  template <typename T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <typename T>
  void patch(std::size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  /// Pads so that ahead bytes further on is a multiple of alignment.
  void align(std::size_t alignment, std::size_t ahead = 0) {
    while ((bytes_.size() + ahead) % alignment != 0) bytes_ += '\0';
  }

  void place(const Pending& next) {
    const std::size_t start = next.object->kind == FlatObject::Kind::Table ? table(*next.object) : list(*next.object);
    if (bytes_.size() > std::size_t{0x7fffffff}) {
      throw LimitError("a TFLite file cannot be larger than 2 GiB", {}, "write the model as .onnx");
    }
    patch(next.slot, static_cast<std::uint32_t>(start - next.slot));
  }

  /// Fields lie behind the table's vtable offset, the widest first, so that little is lost to alignment.
  std::size_t table(const FlatObject& object) {
    using Field = std::pair<int, const std::variant<FlatScalar, FlatPointer>*>;
    std::vector<Field> fields;
    for (const auto& [number, field] : object.fields) fields.emplace_back(number, &field);
    const auto width = [](const Field& field) {
      const auto* scalar = std::get_if<FlatScalar>(field.second);
      return scalar != nullptr ? scalar->size() : std::size_t{4};
    };
    std::ranges::stable_sort(fields, [&](const Field& a, const Field& b) { return width(a) > width(b); });
    const std::size_t widest = fields.empty() ? 4 : std::max<std::size_t>(4, width(fields.front()));
    const std::size_t entries = object.fields.empty() ? 0 : static_cast<std::size_t>(object.fields.rbegin()->first) + 1;
    align(2);
    const std::size_t vtable = bytes_.size();
    bytes_.append(4 + 2 * entries, '\0');
    align(widest, widest == 8 ? 4 : 0);  // eight-byte fields follow the four bytes of the vtable offset
    const std::size_t start = bytes_.size();
    put(static_cast<std::int32_t>(start - vtable));
    for (const auto& [number, field] : fields) {
      const std::size_t at = bytes_.size();
      patch(vtable + 4 + 2 * static_cast<std::size_t>(number), static_cast<std::uint16_t>(at - start));
      if (const auto* scalar = std::get_if<FlatScalar>(field)) {
        bytes_ += *scalar;
      } else {
        pending_.push_back({at, std::get<FlatPointer>(*field).get()});
        put<std::uint32_t>(0);
      }
    }
    patch(vtable, static_cast<std::uint16_t>(4 + 2 * entries));
    patch(vtable + 2, static_cast<std::uint16_t>(bytes_.size() - start));
    return start;
  }

  std::size_t list(const FlatObject& object) {
    const bool tables = object.kind == FlatObject::Kind::Tables;
    align(4);
    align(object.alignment, 4);
    const std::size_t start = bytes_.size();
    if (tables) {
      put(static_cast<std::uint32_t>(object.items.size()));
      for (const FlatPointer& item : object.items) {
        pending_.push_back({bytes_.size(), item.get()});
        put<std::uint32_t>(0);
      }
      return start;
    }
    const bool borrowed = !object.borrowed.empty();
    const std::size_t size = borrowed ? object.borrowed.size() : object.own.size();
    put(static_cast<std::uint32_t>(size / object.width));
    if (borrowed)
      bytes_.append(reinterpret_cast<const char*>(object.borrowed.data()), size);
    else
      bytes_ += object.own;
    if (object.kind == FlatObject::Kind::Text) bytes_ += '\0';
    return start;
  }

  std::string bytes_;
  std::deque<Pending> pending_;
};

}  // namespace

std::string build_flatbuffer(const FlatObject& root, std::string_view identifier) {
  return Builder().build(root, identifier);
}

}  // namespace adze::tflite

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adze::test {

/// FlatBuffers wire data for tests, written front to back, without alignment: what a reader must be able to take.
struct Flat;
using FlatPtr = std::shared_ptr<Flat>;
struct Flat {
  std::map<int, std::variant<std::string, FlatPtr>> fields;  ///< a table: scalars as their bytes
  bool is_table = false;
  std::uint32_t count = 0;  ///< a vector
  std::string bytes;
  std::vector<FlatPtr> children;
};

template <typename T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
inline FlatPtr table(std::map<int, std::variant<std::string, FlatPtr>> fields) {
  auto flat = std::make_shared<Flat>();
  flat->is_table = true;
  flat->fields = std::move(fields);
  return flat;
}
template <typename T>
FlatPtr vector_of(const std::vector<T>& values) {
  auto flat = std::make_shared<Flat>();
  flat->count = static_cast<std::uint32_t>(values.size());
  for (const T value : values) flat->bytes += raw(value);
  return flat;
}
inline FlatPtr text(const std::string& value) {
  auto flat = std::make_shared<Flat>();
  flat->count = static_cast<std::uint32_t>(value.size());
  flat->bytes = value;
  return flat;
}
inline FlatPtr tables(std::vector<FlatPtr> children) {
  auto flat = std::make_shared<Flat>();
  flat->count = static_cast<std::uint32_t>(children.size());
  flat->children = std::move(children);
  return flat;
}

inline void put(std::string& out, std::size_t at, std::uint32_t value) {
  std::memcpy(out.data() + at, &value, 4);
}

inline std::size_t write_flat(std::string& out, const Flat& flat) {
  std::vector<std::pair<std::size_t, FlatPtr>> pending;
  std::size_t start = 0;
  if (flat.is_table) {
    const int fields = flat.fields.empty() ? 0 : flat.fields.rbegin()->first + 1;
    std::vector<std::uint16_t> offsets(static_cast<std::size_t>(fields), 0);
    std::string body(4, '\0');
    for (const auto& [number, field] : flat.fields) {
      offsets[static_cast<std::size_t>(number)] = static_cast<std::uint16_t>(body.size());
      if (const auto* bytes = std::get_if<std::string>(&field))
        body += *bytes;
      else {
        pending.emplace_back(body.size(), std::get<FlatPtr>(field));
        body += std::string(4, '\0');
      }
    }
    const std::size_t vtable = out.size();
    out += raw(static_cast<std::uint16_t>(4 + 2 * offsets.size())) + raw(static_cast<std::uint16_t>(body.size()));
    for (const std::uint16_t offset : offsets) out += raw(offset);
    start = out.size();
    out += body;
    put(out, start, static_cast<std::uint32_t>(start - vtable));
  } else {
    start = out.size();
    out += raw(flat.count) + flat.bytes;
    for (const FlatPtr& child : flat.children) {
      pending.emplace_back(out.size() - start, child);
      out += std::string(4, '\0');
    }
  }
  for (const auto& [place, child] : pending) {
    const std::size_t target = write_flat(out, *child);
    put(out, start + place, static_cast<std::uint32_t>(target - (start + place)));
  }
  return start;
}

inline std::string file_of(const Flat& root) {
  std::string out = std::string(4, '\0') + "TFL3";
  put(out, 0, static_cast<std::uint32_t>(write_flat(out, root)));
  return out;
}

struct TestTensor {
  std::string name;
  std::vector<std::int32_t> shape;
  std::int8_t type = 0;   ///< TensorType: 0 f32, 2 s32, 3 u8, 7 s16, 9 s8
  std::string data = {};  ///< content of a constant
  std::vector<float> scales = {};
  std::vector<std::int64_t> zero_points = {};
  std::int32_t axis = 0;
  std::vector<std::int32_t> signature = {};
};

struct TestOperator {
  std::int32_t code = 0;
  std::vector<std::int32_t> inputs, outputs;
  FlatPtr options = nullptr;
};

struct TestModel {
  std::vector<TestTensor> tensors;
  std::vector<TestOperator> operators;
  std::vector<std::int32_t> inputs, outputs;
  std::uint32_t version = 3;

  std::string serialize() const {
    std::vector<FlatPtr> tensor_tables, operator_tables, code_tables, buffers = {table({})};
    for (const TestTensor& tensor : tensors) {
      std::map<int, std::variant<std::string, FlatPtr>> fields = {
          {0, vector_of(tensor.shape)}, {1, raw(tensor.type)}, {3, text(tensor.name)}};
      if (!tensor.data.empty()) {
        fields[2] = raw(static_cast<std::uint32_t>(buffers.size()));
        buffers.push_back(table({{0, text(tensor.data)}}));
      }
      if (!tensor.scales.empty()) {
        fields[4] = table({{2, vector_of(tensor.scales)}, {3, vector_of(tensor.zero_points)}, {6, raw(tensor.axis)}});
      }
      if (!tensor.signature.empty()) fields[7] = vector_of(tensor.signature);
      tensor_tables.push_back(table(std::move(fields)));
    }
    for (const TestOperator& op : operators) {
      std::map<int, std::variant<std::string, FlatPtr>> fields = {
          {0, raw(static_cast<std::uint32_t>(code_tables.size()))},
          {1, vector_of(op.inputs)},
          {2, vector_of(op.outputs)}};
      if (op.options) fields[4] = op.options;
      operator_tables.push_back(table(std::move(fields)));
      code_tables.push_back(table({{0, raw(static_cast<std::int8_t>(std::min(op.code, 127)))}, {3, raw(op.code)}}));
    }
    const FlatPtr graph = table({{0, tables(tensor_tables)},
                                 {1, vector_of(inputs)},
                                 {2, vector_of(outputs)},
                                 {3, tables(operator_tables)},
                                 {4, text("main")}});
    return file_of(*table({{0, raw(version)}, {1, tables(code_tables)}, {2, tables({graph})}, {4, tables(buffers)}}));
  }
};

template <typename T>
std::string content(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

/// Conv2DOptions: SAME (0) or VALID (1), strides, fused activation.
inline FlatPtr conv_options(std::int8_t padding, std::int32_t stride, std::int8_t activation = 0) {
  return table({{0, raw(padding)}, {1, raw(stride)}, {2, raw(stride)}, {3, raw(activation)}});
}

}  // namespace adze::test

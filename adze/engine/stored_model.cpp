#include "adze/engine/stored_model.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/engine/graph_codec.h"

namespace adze::engine {

namespace {

constexpr const char* model_key = "model";
constexpr const char* constants_key = "constants";
constexpr std::size_t alignment = 64;

/// Where the codec finds a tensor's elements. Files are numbered: 0 is the model's own.
enum class Source : std::uint8_t { Strings, Constants, File };

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Collects what tensors refer to.
class TensorPlaces {
 public:
  explicit TensorPlaces(const std::filesystem::path& model) : files_{model.string()} {}

  void add(ByteWriter& to, const Tensor& tensor) {
    if (tensor.dtype() == DType::String) {
      to.add(Source::Strings);
      for (const std::string& text : tensor.data<std::string>()) to.add_text(text);
      return;
    }
    const auto bytes = tensor.bytes();
    constexpr std::size_t worth_a_place = 256;
    const auto place = bytes.size() < worth_a_place ? std::nullopt : MappedFile::locate(bytes);
    if (place) {
      to.add(Source::File);
      to.add(number_of(place->path.string()));
      to.add(place->offset);
      return;
    }
    if (!bytes.empty()) constants_.resize((constants_.size() + alignment - 1) / alignment * alignment);
    to.add(Source::Constants);
    to.add(static_cast<std::int64_t>(constants_.size()));
    constants_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  const std::vector<std::string>& files() const { return files_; }
  std::string take_constants() { return std::move(constants_); }

 private:
  std::uint32_t number_of(const std::string& path) {
    const auto found = std::ranges::find(files_, path);
    if (found == files_.end()) files_.push_back(path);
    return static_cast<std::uint32_t>(std::ranges::find(files_, path) - files_.begin());
  }

  std::vector<std::string> files_;
  std::string constants_;
};

void encode_ports(ByteWriter& to, const std::vector<Port>& ports) {
  to.add(static_cast<std::uint32_t>(ports.size()));
  for (const Port& port : ports) {
    to.add_text(port.name);
    encode_type(to, port.type);
  }
}

std::vector<Port> decode_ports(ByteReader& from) {
  std::vector<Port> ports(from.get_count());
  for (Port& port : ports) {
    port.name = from.get_text();
    port.type = decode_type(from);
  }
  return ports;
}

void encode_plan(ByteWriter& to, const Blueprint& blueprint) {
  const Plan& plan = blueprint.plan;
  to.add_list(blueprint.arranged.node_origins);
  to.add(static_cast<std::uint32_t>(blueprint.arranged.value_origins.size()));
  for (const Arranged::Origin& origin : blueprint.arranged.value_origins) {
    to.add(origin.value);
    to.add(origin.channels_last);
  }
  to.add_list(plan.order);
  to.add(static_cast<std::uint32_t>(plan.values.size()));
  for (const ValuePlan& value : plan.values) {
    to.add(value.bytes);
    to.add(value.offset);
    to.add(value.first);
    to.add(value.last);
    to.add(value.storage);
  }
  to.add(plan.arena_bytes);
  to.add(plan.peak_activation_bytes);
  to.add(plan.unplanned_values);
}

void decode_plan(ByteReader& from, Blueprint& blueprint) {
  Plan& plan = blueprint.plan;
  blueprint.arranged.node_origins = from.get_list<NodeId>();
  blueprint.arranged.value_origins.resize(from.get_count());
  for (Arranged::Origin& origin : blueprint.arranged.value_origins) {
    origin.value = from.get<ValueId>();
    origin.channels_last = from.get_flag();
  }
  plan.order = from.get_list<NodeId>();
  plan.values.resize(from.get_count());
  for (ValuePlan& value : plan.values) {
    value.bytes = from.get<std::int64_t>();
    value.offset = from.get<std::int64_t>();
    value.first = from.get<std::int32_t>();
    value.last = from.get<std::int32_t>();
    value.storage = from.get<ValueId>();
  }
  plan.arena_bytes = from.get<std::int64_t>();
  plan.peak_activation_bytes = from.get<std::int64_t>();
  plan.unplanned_values = from.get<int>();
  blueprint.choices.resize(plan.order.size());
  for (std::string& choice : blueprint.choices) choice = from.get_text();
}

/// Files that constants lie in, mapped when the first of them is asked for.
class SourceFiles {
 public:
  SourceFiles(ByteReader& from, const std::filesystem::path& model) {
    paths_.resize(from.get_count());
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      const std::string path = from.get_text(), identity = from.get_text();
      paths_[i] = i == 0 ? model : std::filesystem::path(path);
      if (file_identity(paths_[i]) != identity) throw ModelError("a file of weights has changed");
    }
    mapped_.resize(paths_.size());
  }

  Tensor view(std::size_t number, std::int64_t offset, DType dtype, const Shape& shape) {
    if (number >= paths_.size()) throw ModelError("the file names a file that does not exist");
    if (!mapped_[number]) mapped_[number] = MappedFile::open(paths_[number]);
    return view_in(mapped_[number]->bytes(), mapped_[number], offset, dtype, shape);
  }

  static Tensor view_in(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::int64_t offset,
                        DType dtype, const Shape& shape) {
    const auto size = static_cast<std::size_t>(storage_bytes(dtype, num_elements(shape)));
    if (offset < 0 || size > bytes.size() || static_cast<std::size_t>(offset) > bytes.size() - size) {
      throw ModelError("a constant lies beyond the end of its file");
    }
    return Tensor::view(dtype, shape, std::move(owner), bytes.subspan(static_cast<std::size_t>(offset), size));
  }

 private:
  std::vector<std::filesystem::path> paths_;
  std::vector<std::shared_ptr<const MappedFile>> mapped_;
};

StoredModel decode(ByteReader from, const std::shared_ptr<const WeightFile>& file, const std::filesystem::path& model) {
  SourceFiles files(from, model);
  StoredModel stored;
  stored.inputs = decode_ports(from);
  stored.outputs = decode_ports(from);
  stored.shapes.resize(from.get_count());
  for (Shape& shape : stored.shapes) shape = from.get_list<std::int64_t>();
  const auto constants = file->find(constants_key);
  auto blueprint = std::make_shared<Blueprint>();
  blueprint->arranged.graph = decode_graph(from, [&](ByteReader& reader, DType dtype, const Shape& shape) {
    const auto source = reader.get<Source>();
    if (source == Source::Strings) {
      Tensor tensor(dtype, shape);
      for (std::string& text : tensor.mutable_data<std::string>()) text = reader.get_text();
      return tensor;
    }
    const std::uint32_t number = source == Source::File ? reader.get<std::uint32_t>() : 0;
    const auto offset = reader.get<std::int64_t>();
    return source == Source::File ? files.view(number, offset, dtype, shape)
                                  : SourceFiles::view_in(constants, file, offset, dtype, shape);
  });
  blueprint->arranged.graph.source_file = model.string();
  decode_plan(from, *blueprint);
  stored.blueprint = std::move(blueprint);
  return stored;
}

}  // namespace

std::string file_identity(const std::filesystem::path& path) {
  struct Closer {
    int descriptor;
    ~Closer() {
      if (descriptor >= 0) ::close(descriptor);
    }
  } const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info {};
  if (file.descriptor < 0 || ::fstat(file.descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return {};
  constexpr std::int64_t samples = 64, sample_bytes = 64;
  std::string content(static_cast<std::size_t>(samples * sample_bytes), '\0');
  const std::int64_t room = std::max<std::int64_t>(info.st_size - sample_bytes, 0);
  for (std::int64_t i = 0; i < samples; ++i) {  // not through a mapping, whose pages come in by sixteen
    const auto read = ::pread(file.descriptor, content.data() + i * sample_bytes,
                              static_cast<std::size_t>(sample_bytes), room / (samples - 1) * i);
    if (read < 0) return {};
  }
  return cat(info.st_size, " ", info.st_mtim.tv_sec, " ", info.st_mtim.tv_nsec, " ", crc32(bytes_of(content)));
}

std::string file_fingerprint(const std::string& identity, const std::string& settings) {
  return sha256_hex(bytes_of(cat("adze stored model 1\n", version(), "\n", identity, "\n", settings)));
}

std::map<std::string, std::string> encode_stored(const StoredModel& stored, const std::vector<std::string>& choices,
                                                 const std::filesystem::path& model) {
  TensorPlaces places(model);
  ByteWriter body;
  encode_ports(body, stored.inputs);
  encode_ports(body, stored.outputs);
  body.add(static_cast<std::uint32_t>(stored.shapes.size()));
  for (const Shape& shape : stored.shapes) body.add_list(shape);
  encode_graph(body, stored.blueprint->arranged.graph,
               [&](ByteWriter& to, const Tensor& tensor) { places.add(to, tensor); });
  encode_plan(body, *stored.blueprint);
  for (const std::string& choice : choices) body.add_text(choice);
  ByteWriter head;
  head.add(static_cast<std::uint32_t>(places.files().size()));
  for (const std::string& file : places.files()) {
    head.add_text(file);
    head.add_text(file_identity(file));
  }
  const std::string text = head.bytes() + body.bytes();
  ByteWriter whole;
  whole.add(crc32(bytes_of(text)));
  return {{model_key, whole.bytes() + text}, {constants_key, places.take_constants()}};
}

std::optional<StoredModel> decode_stored(const std::shared_ptr<const WeightFile>& file,
                                         const std::filesystem::path& model) {
  if (file == nullptr) return std::nullopt;
  const auto bytes = file->find(model_key);
  std::uint32_t crc = 0;
  if (bytes.size() < sizeof crc) return std::nullopt;
  std::memcpy(&crc, bytes.data(), sizeof crc);
  const auto content = bytes.subspan(sizeof crc);
  if (crc32(content) != crc) return std::nullopt;
  try {
    return decode(ByteReader(content), file, model);
  } catch (const Error&) {
    return std::nullopt;  // made anew
  }
}

}  // namespace adze::engine

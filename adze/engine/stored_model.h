#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adze/engine/compiled.h"
#include "adze/engine/weight_cache.h"

namespace adze::engine {

/// What a session needs to start without reading the model: kept beside the packed weights, in the same file.
struct StoredModel {
  std::vector<Port> inputs, outputs;  ///< the model's
  std::vector<Shape> shapes;          ///< of the inputs, that the blueprint is for
  std::shared_ptr<const Blueprint> blueprint;
};

/// Size, time of change and samples of the content of a file, as text; empty when it cannot be read. Reads a few
/// kilobytes however large the file is.
std::string file_identity(const std::filesystem::path& path);

/// What weight files of Session::open are known by: the model's identity, the session's settings, adze's version.
std::string file_fingerprint(const std::string& identity, const std::string& settings);

/// Pieces for WeightCache::save; choices: what each step was bound to. Constants that lie in the model's file, or in
/// files of external data beside it, are kept as their places there.
std::map<std::string, std::string> encode_stored(const StoredModel& stored, const std::vector<std::string>& choices,
                                                 const std::filesystem::path& model);

/// Null when the file has no such pieces, they are damaged, or a file that they refer to is not what it was. The
/// result's constants keep the file mapped.
std::optional<StoredModel> decode_stored(const std::shared_ptr<const WeightFile>& file,
                                         const std::filesystem::path& model);

}  // namespace adze::engine

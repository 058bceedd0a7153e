#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adze/data/augment.h"
#include "adze/data/preprocessing.h"
#include "adze/numerics/tensor.h"

namespace adze {

/// One sample, ready to be stacked: the input has a batch dimension of 1.
struct Sample {
  Tensor input;
  std::int64_t label = -1;       ///< class index; -1: no class label
  std::optional<Tensor> target;  ///< regression target, where the data has one: [1, …]
  std::string name;              ///< the file, or the row, for messages
};

/// A sample that could not be read, and why.
struct BadSample {
  std::int64_t index = -1;
  std::string name;
  std::string reason;
};

/// Labelled samples with random access. All methods may be called from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;
  /// Reads, decodes and preprocesses one sample. Throws ModelError naming the file when it cannot be decoded.
  virtual Sample get(std::int64_t index) const = 0;
  /// The same, randomly changed as training wants it; sound is changed before features are taken from it.
  virtual Sample get_augmented(std::int64_t index, const AugmentOptions& options, const Random& random) const;
  /// Does get_augmented start from something before the sample, such as sound? Then changing what get() gave is not the
  /// same, and keeping it saves nothing.
  virtual bool augments_source() const { return false; }
  /// The class of a sample without decoding it; -1 when it has none.
  virtual std::int64_t label(std::int64_t index) const = 0;
  /// The name of a sample without decoding it.
  virtual std::string name(std::int64_t index) const = 0;
  /// Class names by label; empty when the data names none.
  virtual const std::vector<std::string>& class_names() const = 0;
  /// One line: what was found and where.
  virtual std::string description() const = 0;
  /// What a model trained on the data has to know of it, as entries of graph metadata: "adze.preprocessing" with the
  /// features taken from sound, "adze.vocabulary" of text. Empty for pictures and arrays.
  virtual std::map<std::string, std::string> metadata() const { return {}; }

  /// The number of classes: that of the names, else the largest label plus one; 0 without labels.
  std::int64_t num_classes() const;
  /// get(), but a sample that cannot be decoded is recorded and nothing returned; with strict it throws.
  std::optional<Sample> try_get(std::int64_t index) const;
  std::optional<Sample> try_get_augmented(std::int64_t index, const AugmentOptions& options,
                                          const Random& random) const;
  /// What try_get could not read so far, by index, each sample once.
  std::vector<BadSample> bad_samples() const;
  void set_strict(bool strict) { strict_ = strict; }

 private:
  std::optional<Sample> attempt(std::int64_t index, const std::function<Sample()>& read) const;

  bool strict_ = false;
  mutable std::mutex mutex_;
  mutable std::vector<BadSample> bad_;
};

struct DatasetOptions {
  /// Which part to take when the path holds several: "train", "test", or "" (then several are an error listing them).
  std::string split = {};
  bool strict = false;            ///< a sample that cannot be decoded ends the work
  std::string label_column = {};  ///< CSV: name of the label's column; "": "label", "class", "target", else the last
  std::filesystem::path labels = {};  ///< IDX, NPY: the file of labels; empty: found beside the inputs
  std::int64_t max_memory_bytes = std::int64_t{4} << 30;  ///< for archives and tables that are held in memory
  std::int64_t max_pixels = default_max_pixels;           ///< for one picture
};

/// Opens a data set, recognised by its content:
///   folder with a sub-folder per class (sorted names = class indices) of JPEG, PNG or WAV, or split/class/file below
///   it; folder of WAV files named class_speaker_number.wav, as in the Free Spoken Digit Dataset: its official split,
///   where the recordings 0 … 4 of each class and speaker are the part "test" and all others "train"; "all" takes both;
///   the same in a .tar or .tar.zst: "a.tar.zst" or "a.tar.zst:path/inside";
///   CIFAR-10/100 binary batches (folder or one file); IDX (MNIST; labels paired by name);
///   .txt: consecutive windows of characters (Unicode, or bytes when it is not UTF-8) as numbers in the vocabulary,
///   each with the same one character later as its target; the first 80 % of the text is the part "train", then 10 %
///   "validation" and 10 % "test"; "all" takes everything;
///   .npy with labels beside it, .npz with inputs and labels; .csv of numbers;
///   "demo:train" and "demo:test", the drawn data set of synthetic.h.
/// Throws ModelError that names the path and says what was looked for.
std::shared_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Preprocessing& preprocessing = {},
                                      const DatasetOptions& options = {});

}  // namespace adze

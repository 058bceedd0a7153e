#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/file_labels.h"
#include "adze/data/detail/openers.h"
#include "adze/data/wav.h"

namespace adze::detail {

namespace {

/// In the Free Spoken Digit Dataset the first recordings of each speaker and digit are for testing.
constexpr std::int64_t num_test_recordings = 5;

class SoundDataset : public Dataset {
 public:
  SoundDataset(FileListing listing, LabelledFiles files, std::string description, const OpenRequest& request)
      : listing_(std::move(listing)),
        files_(std::move(files)),
        description_(std::move(description)),
        preprocessing_(request.preprocessing) {
    SoundFeatures features = preprocessing_.sound.value_or(SoundFeatures());
    // The first file that can be read says which rate the data have.
    for (std::int64_t i = 0; features.rate == 0 && i < size(); ++i) {
      try {
        features.rate = sound(i).rate;
      } catch (const ModelError&) {
        if (i + 1 == size()) throw;
      }
    }
    preprocessing_.sound = features;
    extractor_.emplace(features, features.rate);
    check_shape();
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.files.size()); }

  Sample get(std::int64_t index) const override { return sample(index, extractor_->extract(sound(index).samples)); }

  Sample get_augmented(std::int64_t index, const AugmentOptions& options, const Random& random) const override {
    Sound heard = sound(index);
    // First the length that the network hears, so that a shift moves the word within it.
    heard.samples = extractor_->fitted(heard.samples);
    augment_sound(heard, options, random);
    Tensor features = extractor_->extract(heard.samples);
    if (preprocessing_.sound->kind != SoundFeature::Waveform) features = augment(features, options, random);
    return sample(index, features);
  }

  std::int64_t label(std::int64_t index) const override {
    return files_.files.at(static_cast<std::size_t>(index)).label;
  }
  std::string name(std::int64_t index) const override {
    const auto& path = listing_.files[files_.files.at(static_cast<std::size_t>(index)).file];
    return cat(listing_.where, listing_.where.ends_with('/') ? "" : "/", path);
  }
  const std::vector<std::string>& class_names() const override { return files_.classes; }
  std::string description() const override { return description_; }
  bool augments_source() const override { return true; }
  std::map<std::string, std::string> metadata() const override {
    Preprocessing features;
    features.sound = preprocessing_.sound;
    features.scale = preprocessing_.scale;
    features.mean = preprocessing_.mean;
    features.stddev = preprocessing_.stddev;
    return {{"adze.preprocessing", preprocessing_json(features)}};
  }

 private:
  Sound sound(std::int64_t index) const {
    const SharedBytes content = listing_.load(files_.files.at(static_cast<std::size_t>(index)).file);
    Sound result = read_wav(content.bytes, name(index));
    const std::int64_t rate = preprocessing_.sound ? preprocessing_.sound->rate : 0;
    if (rate > 0 && result.rate != rate) {
      throw ModelError(cat("sound of ", result.rate, " Hz where the features are for ", rate, " Hz"),
                       {name(index), {}, {}}, "convert the files to one rate");
    }
    return result;
  }

  Sample sample(std::int64_t index, const Tensor& features) const {
    Sample result;
    const Shape without_batch(features.shape().begin() + 1, features.shape().end());
    const Tensor numbers = normalized_features(features, preprocessing_).reshaped(without_batch);
    result.input = preprocess_numbers(numbers, preprocessing_);
    result.label = label(index);
    result.name = name(index);
    return result;
  }

  /// The network's input holds what the features give.
  void check_shape() const {
    const Shape& wanted = preprocessing_.sample_shape;
    if (wanted.empty()) return;
    const SoundFeatures& features = *preprocessing_.sound;
    const std::int64_t columns = features.kind == SoundFeature::Mfcc ? features.coefficients : features.mels;
    const Shape given =
        features.kind == SoundFeature::Waveform ? Shape{extractor_->samples()} : Shape{extractor_->frames(), columns};
    if (num_elements(wanted) == num_elements(given)) return;
    throw ModelError(
        cat("the features of the sound are ", shape_text(given), " (time, coefficients), the network wants ",
            shape_text(wanted)),
        {listing_.where, {}, {}},
        "--preprocess \"features=mfcc duration=1000 window=40 hop=20 mels=40 coefficients=10\" gives 49x10");
  }

  FileListing listing_;
  LabelledFiles files_;
  std::string description_;
  Preprocessing preprocessing_;
  std::optional<SoundFeatureExtractor> extractor_;
};

struct SpokenName {
  std::string word;
  std::int64_t number;
};

/// "7_jackson_32.wav"
std::optional<SpokenName> parse_spoken(std::string_view path) {
  path.remove_prefix(std::min(path.size(), path.rfind('/') + 1));
  path.remove_suffix(std::string_view(".wav").size());
  const std::vector<std::string> parts = split(path, '_');
  if (parts.size() != 3 || parts[0].empty()) return std::nullopt;
  SpokenName name{parts[0], 0};
  const char* end = parts[2].data() + parts[2].size();
  const auto [stop, error] = std::from_chars(parts[2].data(), end, name.number);
  if (error != std::errc() || stop != end || name.number < 0) return std::nullopt;
  return name;
}

/// The spoken names of all files, when they lie in one folder and all have such names.
std::optional<std::vector<SpokenName>> spoken_names(const FileListing& listing) {
  std::vector<SpokenName> names;
  const std::string folder = listing.files.at(0).substr(0, listing.files[0].rfind('/') + 1);
  for (const std::string& path : listing.files) {
    auto name = parse_spoken(path);
    if (!name || path.substr(0, path.rfind('/') + 1) != folder) return std::nullopt;
    names.push_back(std::move(*name));
  }
  return names;
}

LabelledFiles label_by_name(const std::vector<SpokenName>& names, const FileListing& listing,
                            const OpenRequest& request) {
  const std::string& part = request.options.split;
  if (part != "train" && part != "test" && part != "all") {
    throw ModelError(part.empty() ? "holds the parts train and test (recordings 0 to 4 of each word and speaker)"
                                  : cat("has no part ", adze::quoted(part), "; there are train and test"),
                     {listing.where, {}, {}}, "--split train, --split test or --split all");
  }
  LabelledFiles result;
  for (const SpokenName& name : names) result.classes.push_back(name.word);
  std::sort(result.classes.begin(), result.classes.end());
  result.classes.erase(std::unique(result.classes.begin(), result.classes.end()), result.classes.end());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_test = names[i].number < num_test_recordings;
    if (part != "all" && is_test != (part == "test")) continue;
    const auto place = std::lower_bound(result.classes.begin(), result.classes.end(), names[i].word);
    result.files.push_back({i, place - result.classes.begin()});
  }
  if (result.files.empty()) throw ModelError(cat("the part ", part, " is empty"), {listing.where, {}, {}});
  std::stable_sort(result.files.begin(), result.files.end(),
                   [](const LabelledFile& a, const LabelledFile& b) { return a.label < b.label; });
  return result;
}

}  // namespace

std::shared_ptr<Dataset> open_sounds(FileListing listing, const OpenRequest& request) {
  const auto names = spoken_names(listing);
  LabelledFiles files = names ? label_by_name(*names, listing, request) : label_by_folder(listing, request, "sounds");
  std::string description = labelled_description(files, listing.where, names ? "spoken words" : "sounds");
  return std::make_shared<SoundDataset>(std::move(listing), std::move(files), std::move(description), request);
}

std::shared_ptr<Dataset> open_listing(FileListing listing, const OpenRequest& request) {
  const bool sounds = !listing.files.empty() && has_sound_name(listing.files[0]);
  return sounds ? open_sounds(std::move(listing), request) : open_pictures(std::move(listing), request);
}

}  // namespace adze::detail

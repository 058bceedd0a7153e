#include <algorithm>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/sound_text.h"

namespace adze::detail {

namespace {

struct FeatureName {
  const char* name;
  SoundFeature value;
};
constexpr FeatureName feature_names[] = {
    {"mfcc", SoundFeature::Mfcc}, {"log-mel", SoundFeature::LogMel}, {"waveform", SoundFeature::Waveform}};

struct ScaleName {
  const char* name;
  MelScale value;
};
constexpr ScaleName scale_names[] = {{"htk", MelScale::Htk}, {"slaney", MelScale::Slaney}};

/// A whole number, or one with a fraction; and where it is stored.
struct NumberKey {
  const char* name;
  double lowest, highest;
  std::int64_t SoundFeatures::*whole = nullptr;
  double SoundFeatures::*real = nullptr;
};
constexpr NumberKey number_keys[] = {
    {"rate", 0, 1e6, &SoundFeatures::rate, nullptr},
    {"duration", 1, 600'000, nullptr, &SoundFeatures::duration_ms},
    {"window", 0.1, 10'000, nullptr, &SoundFeatures::window_ms},
    {"hop", 0.1, 10'000, nullptr, &SoundFeatures::hop_ms},
    {"fft", 0, 65536, &SoundFeatures::fft, nullptr},
    {"mels", 1, 1024, &SoundFeatures::mels, nullptr},
    {"coefficients", 1, 1024, &SoundFeatures::coefficients, nullptr},
    {"low", 0, 1e6, nullptr, &SoundFeatures::low_hz},
    {"high", 1, 1e6, nullptr, &SoundFeatures::high_hz},
};

const NumberKey* find_number(const std::string& key) {
  for (const NumberKey& one : number_keys) {
    if (key == one.name) return &one;
  }
  return nullptr;
}

SoundFeatures& sound_of(Preprocessing& how) {
  if (!how.sound) how.sound.emplace();
  return *how.sound;
}

template <typename Names>
auto chosen(const Names& names, const std::string& key, const std::string& text) {
  std::vector<std::string> known;
  for (const auto& one : names) {
    if (text == one.name) return one.value;
    known.emplace_back(one.name);
  }
  throw UsageError(cat("preprocessing: '", key, "' is ", adze::quoted(text), ", expected one of ", join(known, ", ")));
}

template <typename Names, typename Value>
std::string name_of(const Names& names, Value value) {
  for (const auto& one : names) {
    if (one.value == value) return one.name;
  }
  return {};
}

}  // namespace

const std::vector<std::string>& sound_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {"features", "mel"};
    for (const NumberKey& one : number_keys) all.emplace_back(one.name);
    return all;
  }();
  return keys;
}

bool is_sound_word(const std::string& key) {
  return key == "features" || key == "mel";
}

bool is_sound_number(const std::string& key) {
  return find_number(key) != nullptr;
}

void set_sound_word(Preprocessing& how, const std::string& key, const std::string& text) {
  if (key == "features") {
    sound_of(how).kind = chosen(feature_names, key, text);
  } else {
    sound_of(how).mel = chosen(scale_names, key, text);
  }
}

void set_sound_number(Preprocessing& how, const std::string& key, double value) {
  const NumberKey* known = find_number(key);
  if (known == nullptr) throw InternalError(cat("no key of sound: ", key));
  const bool whole = known->whole != nullptr;
  if (!(value >= known->lowest && value <= known->highest) || (whole && value != std::floor(value))) {
    throw UsageError(cat("preprocessing: '", key, "' is ", value, ", expected a ", whole ? "whole " : "",
                         "number from ", known->lowest, " to ", known->highest));
  }
  if (whole) {
    sound_of(how).*known->whole = static_cast<std::int64_t>(value);
  } else {
    sound_of(how).*known->real = value;
  }
}

std::vector<std::pair<std::string, std::string>> sound_words(const Preprocessing& how) {
  if (!how.sound) return {};
  return {{"features", name_of(feature_names, how.sound->kind)}, {"mel", name_of(scale_names, how.sound->mel)}};
}

std::vector<std::pair<std::string, double>> sound_numbers(const Preprocessing& how) {
  std::vector<std::pair<std::string, double>> numbers;
  for (const NumberKey& one : number_keys) {
    if (!how.sound) break;
    const SoundFeatures& sound = *how.sound;
    numbers.emplace_back(one.name, one.whole != nullptr ? static_cast<double>(sound.*one.whole) : sound.*one.real);
  }
  return numbers;
}

}  // namespace adze::detail

#include <charconv>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/augment.h"

namespace adze {

namespace {

const std::vector<std::string> keys = {"crop",      "flip",        "cutout",     "mixup",        "noise",
                                       "noise-snr", "noise-share", "time-shift", "spec-augment", "jitter"};

template <typename T>
T number(std::string_view text, const std::string& key, T lowest, T highest) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= lowest && value <= highest)) {
    throw UsageError(
        cat("augmentation: '", key, "' is ", adze::quoted(text), ", expected a number from ", lowest, " to ", highest));
  }
  return value;
}

std::pair<std::string, std::string> two(std::string_view text, char separator, const std::string& key,
                                        const char* example) {
  const auto place = text.find(separator);
  if (place == text.npos) throw UsageError(cat("augmentation: '", key, "' is ", adze::quoted(text)), example);
  return {std::string(text.substr(0, place)), std::string(text.substr(place + 1))};
}

void set_masks(const std::string& text, std::int64_t& count, std::int64_t& width) {
  const auto [how_many, how_wide] = two(text, 'x', "spec-augment", "spec-augment=2x20,2x5");
  count = number<std::int64_t>(how_many, "spec-augment", 0, 1000);
  width = number<std::int64_t>(how_wide, "spec-augment", 0, 65536);
}

void set_item(AugmentOptions& options, const std::string& key, const std::string& value) {
  if (key == "crop") {
    options.crop = number<std::int64_t>(value, key, 0, 4096);
  } else if (key == "cutout") {
    options.cutout = number<std::int64_t>(value, key, 0, 4096);
  } else if (key == "mixup") {
    options.mixup = number(value, key, 0.0, 100.0);
  } else if (key == "noise") {
    options.noise = NoiseBank::open(value);
  } else if (key == "noise-snr") {
    const auto [low, high] = two(value, ',', key, "noise-snr=5,20 (decibels)");
    options.noise_snr_low = number(low, key, -100.0, 200.0);
    options.noise_snr_high = number(high, key, options.noise_snr_low, 200.0);
  } else if (key == "noise-share") {
    options.noise_share = number(value, key, 0.0, 1.0);
  } else if (key == "time-shift") {
    options.time_shift_ms = number(value, key, 0.0, 60000.0);
  } else if (key == "spec-augment") {
    const auto [times, frequencies] = two(value, ',', key, "spec-augment=2x20,2x5");
    set_masks(times, options.time_masks, options.time_mask_width);
    set_masks(frequencies, options.frequency_masks, options.frequency_mask_width);
  } else {
    const std::string near = nearest(key, keys);
    throw UsageError(cat("augmentation: unknown item ", adze::quoted(key)),
                     near.empty() ? cat("known: ", join(keys, ", ")) : cat("did you mean '", near, "'?"));
  }
}

}  // namespace

AugmentOptions parse_augment(std::string_view text) {
  AugmentOptions options;
  std::string items(text);
  for (char& c : items) {
    if (c == ';' || c == '\t' || c == '\n') c = ' ';
  }
  for (const std::string& item : split(items, ' ')) {
    if (item.empty()) continue;
    if (item == "flip" || item == "jitter") {
      (item == "flip" ? options.flip : options.jitter) = true;
      continue;
    }
    const auto equals = item.find('=');
    set_item(options, item.substr(0, equals), equals == item.npos ? std::string() : item.substr(equals + 1));
  }
  return options;
}

}  // namespace adze

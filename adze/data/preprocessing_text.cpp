#include <charconv>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/data/detail/sound_text.h"
#include "adze/data/preprocessing.h"

namespace adze {

namespace {

using nlohmann::json;

template <typename E>
struct Choice {
  const char* name;
  E value;
};
constexpr Choice<PixelLayout> layouts[] = {{"nchw", PixelLayout::Nchw}, {"nhwc", PixelLayout::Nhwc}};
constexpr Choice<ChannelOrder> orders[] = {
    {"rgb", ChannelOrder::Rgb}, {"bgr", ChannelOrder::Bgr}, {"gray", ChannelOrder::Gray}};
constexpr Choice<ResizeMethod> methods[] = {
    {"bilinear", ResizeMethod::Bilinear}, {"area", ResizeMethod::Area}, {"nearest", ResizeMethod::Nearest}};
constexpr Choice<FitMethod> fits[] = {{"stretch", FitMethod::Stretch}, {"center-crop", FitMethod::CenterCrop}};

const std::vector<std::string> picture_keys = {
    "size", "channels",           "layout",    "order", "resize", "fit", "resize_side", "scale", "mean",
    "std",  "quantization_scale", "zero_point"};

std::vector<std::string> all_keys() {
  std::vector<std::string> keys = picture_keys;
  for (const std::string& key : detail::sound_keys()) keys.push_back(key);
  return keys;
}

constexpr double largest_side = 65536;

template <typename E, std::size_t N>
E chosen(const Choice<E> (&choices)[N], const std::string& text, const std::string& key) {
  std::vector<std::string> names;
  for (const auto& choice : choices) {
    if (text == choice.name) return choice.value;
    names.emplace_back(choice.name);
  }
  throw UsageError(cat("preprocessing: '", key, "' is ", adze::quoted(text), ", expected one of ", join(names, ", ")));
}

template <typename E, std::size_t N>
const char* name_of(const Choice<E> (&choices)[N], E value) {
  for (const auto& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

std::int64_t whole(double value, double low, double high, const std::string& key) {
  if (!(value >= low && value <= high) || value != std::floor(value)) {
    throw UsageError(
        cat("preprocessing: '", key, "' is ", value, ", expected a whole number from ", low, " to ", high));
  }
  return static_cast<std::int64_t>(value);
}

double single(const std::vector<double>& values, const std::string& key) {
  if (values.size() != 1) throw UsageError(cat("preprocessing: '", key, "' wants one number"));
  return values[0];
}

void set_word(Preprocessing& how, const std::string& key, const std::string& text) {
  if (detail::is_sound_word(key)) return detail::set_sound_word(how, key, text);
  if (key == "layout") {
    how.layout = chosen(layouts, text, key);
  } else if (key == "order") {
    how.order = chosen(orders, text, key);
    if (how.order == ChannelOrder::Gray) how.channels = 1;
  } else if (key == "resize") {
    how.resize = chosen(methods, text, key);
  } else {
    how.fit = chosen(fits, text, key);
  }
}

void set_numbers(Preprocessing& how, const std::string& key, const std::vector<double>& values) {
  for (const double value : values) {
    if (!std::isfinite(value)) throw UsageError(cat("preprocessing: '", key, "' is not a finite number"));
  }
  if (detail::is_sound_number(key)) return detail::set_sound_number(how, key, single(values, key));
  if (key == "size") {
    if (values.empty() || values.size() > 2) throw UsageError("preprocessing: 'size' wants a height and a width");
    how.height = whole(values.front(), 1, largest_side, key);
    how.width = whole(values.back(), 1, largest_side, key);
  } else if (key == "channels") {
    how.channels = whole(single(values, key), 1, 3, key);
  } else if (key == "resize_side") {
    how.resize_side = whole(single(values, key), 0, largest_side, key);
  } else if (key == "scale") {
    how.scale = single(values, key);
  } else if (key == "mean") {
    how.mean = values;
  } else if (key == "std") {
    for (const double value : values) {
      if (value == 0.0) throw UsageError("preprocessing: 'std' must not be 0");
    }
    how.stddev = values;
  } else if (key == "quantization_scale") {
    how.quantization_scale = single(values, key);
    if (how.quantization_scale <= 0.0) throw UsageError("preprocessing: 'quantization_scale' must be above 0");
  } else {
    how.zero_point = whole(single(values, key), -32768, 65535, key);
  }
}

bool is_word_key(const std::string& key) {
  return key == "layout" || key == "order" || key == "resize" || key == "fit" || detail::is_sound_word(key);
}

void check_key(const std::string& key) {
  const std::vector<std::string> keys = all_keys();
  for (const auto& known : keys) {
    if (key == known) return;
  }
  const std::string near = nearest(key, keys);
  throw UsageError(cat("preprocessing: unknown key ", adze::quoted(key)),
                   near.empty() ? cat("known keys: ", join(keys, ", ")) : cat("did you mean '", near, "'?"));
}

/// "0.5" or "1/255".
double parse_number(std::string_view text, const std::string& key) {
  const auto part = [&](std::string_view piece) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), value);
    if (error != std::errc() || end != piece.data() + piece.size()) {
      throw UsageError(cat("preprocessing: '", key, "' is ", adze::quoted(text), ", expected a number"));
    }
    return value;
  };
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return part(text);
  const double divisor = part(text.substr(slash + 1));
  if (divisor == 0.0) throw UsageError(cat("preprocessing: '", key, "' divides by 0"));
  return part(text.substr(0, slash)) / divisor;
}

void set_from_json(Preprocessing& how, const std::string& key, const json& value) {
  if (is_word_key(key)) {
    if (!value.is_string()) throw UsageError(cat("preprocessing: '", key, "' must be a text"));
    return set_word(how, key, value.get<std::string>());
  }
  std::vector<double> numbers;
  if (value.is_array() && value.size() <= 4096) {
    for (const auto& item : value) {
      if (!item.is_number()) throw UsageError(cat("preprocessing: '", key, "' must hold numbers"));
      numbers.push_back(item.get<double>());
    }
  } else if (value.is_number()) {
    numbers.push_back(value.get<double>());
  } else {
    throw UsageError(cat("preprocessing: '", key, "' must be a number or a list of numbers"));
  }
  set_numbers(how, key, numbers);
}

}  // namespace

Preprocessing parse_preprocessing_json(std::string_view text, Preprocessing base) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) throw ModelError("metadata 'adze.preprocessing' is not a JSON object");
  try {
    for (const auto& [key, value] : object.items()) {
      check_key(key);
      set_from_json(base, key, value);
    }
  } catch (const UsageError& error) {
    throw ModelError(cat("metadata 'adze.preprocessing': ", error.message()), {}, error.hint());
  }
  return base;
}

Preprocessing parse_preprocessing_flags(std::string_view text, Preprocessing base) {
  std::string items(text);
  for (char& c : items) {
    if (c == ';' || c == '\t' || c == '\n') c = ' ';
  }
  for (const std::string& item : split(items, ' ')) {
    if (item.empty()) continue;
    const auto equals = item.find('=');
    if (equals == std::string::npos) {
      throw UsageError(cat("preprocessing: ", adze::quoted(item), " is not of the form key=value"),
                       "example: size=96x96 scale=1/255 layout=nhwc");
    }
    const std::string key = item.substr(0, equals);
    const std::string value = item.substr(equals + 1);
    check_key(key);
    if (is_word_key(key)) {
      set_word(base, key, value);
      continue;
    }
    std::vector<double> numbers;
    for (const auto& piece : split(value, key == "size" ? 'x' : ',')) numbers.push_back(parse_number(piece, key));
    set_numbers(base, key, numbers);
  }
  return base;
}

std::string preprocessing_json(const Preprocessing& how) {
  json object = json::object();
  const Preprocessing plain;
  if (how.width > 0 && how.height > 0) object["size"] = {how.height, how.width};
  if (how.channels > 0) object["channels"] = how.channels;
  if (how.layout != plain.layout) object["layout"] = name_of(layouts, how.layout);
  if (how.order != plain.order) object["order"] = name_of(orders, how.order);
  if (how.resize != plain.resize) object["resize"] = name_of(methods, how.resize);
  if (how.fit != plain.fit) object["fit"] = name_of(fits, how.fit);
  if (how.resize_side > 0) object["resize_side"] = how.resize_side;
  if (how.scale != plain.scale) object["scale"] = how.scale;
  if (!how.mean.empty()) object["mean"] = how.mean;
  if (!how.stddev.empty()) object["std"] = how.stddev;
  if (how.quantization_scale != plain.quantization_scale) object["quantization_scale"] = how.quantization_scale;
  if (how.zero_point != plain.zero_point) object["zero_point"] = how.zero_point;
  for (const auto& [key, value] : detail::sound_words(how)) object[key] = value;
  for (const auto& [key, value] : detail::sound_numbers(how)) {
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value) {
      object[key] = whole;
    } else {
      object[key] = value;
    }
  }
  return object.dump();
}

}  // namespace adze

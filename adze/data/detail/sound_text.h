#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adze/data/preprocessing.h"

namespace adze::detail {

// The keys of preprocessing that concern sound. Setting one makes `sound` present. Throw UsageError on bad values.
const std::vector<std::string>& sound_keys();
bool is_sound_word(const std::string& key);
bool is_sound_number(const std::string& key);
void set_sound_word(Preprocessing& how, const std::string& key, const std::string& text);
void set_sound_number(Preprocessing& how, const std::string& key, double value);
/// All of them, so that a stored model does not lean on defaults; nothing without `sound`.
std::vector<std::pair<std::string, std::string>> sound_words(const Preprocessing& how);
std::vector<std::pair<std::string, double>> sound_numbers(const Preprocessing& how);

}  // namespace adze::detail

#pragma once

#include "adze/recipe/toml_reader.h"
#include "adze/recipe/train_step.h"

namespace adze {

/// A [[step]] with run = "train". Words that cannot be are refused here, before earlier steps have run.
TrainStep read_train_step(TomlReader& reader);
/// What differs from the defaults.
void print_step(toml::table& table, const TrainStep& step);

}  // namespace adze

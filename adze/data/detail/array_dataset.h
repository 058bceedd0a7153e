#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adze/data/dataset.h"
#include "adze/data/picture.h"

namespace adze::detail {

/// What a data set of rows in memory (or mapped) is made of.
struct ArrayContent {
  Tensor inputs;                     ///< [N, …]
  std::vector<std::int64_t> labels;  ///< N, or empty
  std::optional<Tensor> targets;     ///< [N, …] instead of labels
  std::vector<std::string> class_names;
  std::string where;
  /// u8 rows that are pictures: [N, H, W], [N, H, W, C], or [N, C, H, W].
  bool pictures = false;
  bool channels_first = false;
};

/// Do these u8 rows look like pictures? Sets pictures and channels_first by the shape.
void recognise_pictures(ArrayContent& content);

/// Throws ModelError when the numbers of inputs and labels differ or there is no row.
std::shared_ptr<Dataset> make_array_dataset(ArrayContent content, const Preprocessing& preprocessing);

/// Class indices from a tensor: whole numbers [N] or [N, 1], or one-hot [N, classes]. Nothing when these are no labels.
std::optional<std::vector<std::int64_t>> labels_of(const Tensor& tensor);

/// Class indices from texts: whole numbers as they are, else sorted names. Fills class_names for names.
std::vector<std::int64_t> labels_of_texts(const std::vector<std::string>& texts, std::vector<std::string>& class_names);

}  // namespace adze::detail

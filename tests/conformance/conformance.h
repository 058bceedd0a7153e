#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace adze::conformance {

/// Where Debian's package libonnx-testdata puts the ONNX conformance set.
inline constexpr const char* default_folder = "/usr/share/libonnx-testdata/data";

/// A folder with model.onnx and test_data_set_*, or (group "real") without a model.
struct Case {
  std::string group;  ///< node, simple, pytorch-converted, pytorch-operator, real
  std::string name;
  std::filesystem::path folder;
};

enum class Verdict { Passed, Failed, Unsupported };

struct Outcome {
  Verdict verdict = Verdict::Failed;
  std::string reason;                  ///< why it did not pass
  std::vector<std::string> operators;  ///< of the model, each once; empty when it could not be read
};

/// In which form the model is run.
struct Form {
  bool rewritten = false;  ///< after rewrite::simplify
  bool reloaded = false;   ///< after being written and read again
  bool engine = false;     ///< by a Session instead of the reference, where inputs and outputs are tensors
};

/// The cases of a folder in order of name; empty when the folder does not exist.
std::vector<Case> find_cases(const std::filesystem::path& folder);

/// Runs the model of a case on all of its data sets and compares with the tolerance of ONNX's own runner: relative
/// 1e-3, absolute 1e-7 (or as the case's data.json says); dtypes, shapes, strings and booleans exactly.
Outcome run_case(const Case& test, const Form& form);

/// Why a case cannot be judged by its stored outputs, or nothing.
std::optional<std::string> excuse(const Case& test);

}  // namespace adze::conformance

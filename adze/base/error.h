#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace adze {

/// Exit codes of the command; every Error carries the one that main returns.
enum class ExitCode {
  Done = 0,
  InternalFault = 1,
  Usage = 2,
  BadInput = 3,
  Unsupported = 4,
  GoalMissed = 5,
  ResourceLimit = 6,
  Interrupted = 130,
};

/// Where a fault was found. Empty fields are unknown and not printed.
struct ErrorPlace {
  std::string file;  ///< path as the user gave it
  std::string node;  ///< node name in the graph
  std::string op;    ///< operator, with opset where known
};

/// Base of everything adze throws. what() is the full text: message, place and what to try.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::string message, ErrorPlace place = {}, std::string hint = {});

  ExitCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const ErrorPlace& place() const noexcept { return place_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ExitCode code_;
  std::string message_;
  ErrorPlace place_;
  std::string hint_;
};

/// A wrong option, argument or recipe. Exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(std::string message, std::string hint = {})
      : Error(ExitCode::Usage, std::move(message), {}, std::move(hint)) {}
};

/// A file, data set or graph that cannot be accepted. Exit code 3 unless told otherwise.
class ModelError : public Error {
 public:
  explicit ModelError(std::string message, ErrorPlace place = {}, std::string hint = {},
                      ExitCode code = ExitCode::BadInput)
      : Error(code, std::move(message), std::move(place), std::move(hint)) {}
};

/// Valid input that adze cannot handle: an operator, dtype or feature, named. Exit code 4.
class UnsupportedError : public ModelError {
 public:
  explicit UnsupportedError(std::string message, ErrorPlace place = {}, std::string hint = {})
      : ModelError(std::move(message), std::move(place), std::move(hint), ExitCode::Unsupported) {}
};

/// A budget of memory, nodes, steps or disk was used up. Exit code 6.
class LimitError : public ModelError {
 public:
  explicit LimitError(std::string message, ErrorPlace place = {}, std::string hint = {})
      : ModelError(std::move(message), std::move(place), std::move(hint), ExitCode::ResourceLimit) {}
};

/// The user pressed Ctrl-C or a caller cancelled. Exit code 130.
class Interrupted : public Error {
 public:
  Interrupted() : Interrupted("interrupted; nothing was written") {}
  /// With what was kept and how to go on.
  explicit Interrupted(std::string message) : Error(ExitCode::Interrupted, std::move(message)) {}
};

/// A broken invariant: our bug. Exit code 1.
class InternalError : public Error {
 public:
  explicit InternalError(std::string message)
      : Error(ExitCode::InternalFault, std::move(message), {}, "this is a bug in adze: please report it") {}
};

/// The same kind of error with the empty fields of its place filled from place.
[[noreturn]] void rethrow_with_place(const Error& error, const ErrorPlace& place);

}  // namespace adze

#include "adze/base/error.h"

#include "adze/base/text.h"

namespace adze {

namespace {

std::string full_text(const std::string& message, const ErrorPlace& place, const std::string& hint) {
  std::string text = message;
  if (!place.node.empty() || !place.op.empty()) {
    text += "\n  at";
    if (!place.node.empty()) text += cat(" node ", quoted(place.node));
    if (!place.op.empty()) text += cat(" (", place.op, ")");
  }
  if (!place.file.empty()) text += cat("\n  in ", place.file);
  if (!hint.empty()) text += cat("\n  try: ", hint);
  return text;
}

}  // namespace

Error::Error(ExitCode code, std::string message, ErrorPlace place, std::string hint)
    : std::runtime_error(full_text(message, place, hint)),
      code_(code),
      message_(std::move(message)),
      place_(std::move(place)),
      hint_(std::move(hint)) {}

void rethrow_with_place(const Error& error, const ErrorPlace& place) {
  ErrorPlace merged = error.place();
  if (merged.file.empty()) merged.file = place.file;
  if (merged.node.empty() && merged.op.empty()) {
    merged.node = place.node;
    merged.op = place.op;
  }
  if (error.code() == ExitCode::Unsupported) throw UnsupportedError(error.message(), merged, error.hint());
  if (error.code() == ExitCode::ResourceLimit) throw LimitError(error.message(), merged, error.hint());
  if (error.code() == ExitCode::BadInput) throw ModelError(error.message(), merged, error.hint());
  throw Error(error.code(), error.message(), merged, error.hint());
}

}  // namespace adze

#include "adze/base/version.h"

namespace adze {

std::string_view version() {
  return ADZE_VERSION;
}

}  // namespace adze

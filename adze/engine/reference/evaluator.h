#pragma once

#include "adze/rewrite/rule.h"

namespace adze::reference {

/// Computes single nodes with the reference interpreter, for constant folding. Answers nothing for nodes with
/// subgraphs or results that are not tensors.
rewrite::Evaluator evaluator();

}  // namespace adze::reference

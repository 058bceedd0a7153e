#pragma once

#include "adze/rewrite/simplify.h"

namespace adze {

/// Computes constant nodes with the reference interpreter: the evaluator that constant folding asks for.
rewrite::Evaluator reference_evaluator();

}  // namespace adze

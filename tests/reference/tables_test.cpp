#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"

namespace adze {
namespace {

constexpr OpKind kinds[] = {
#define ADZE_OP(kind, ...) OpKind::kind,
#include "adze/graph/ops/control.def"
#include "adze/graph/ops/neural.def"
#include "adze/graph/ops/random.def"
#include "adze/graph/ops/recurrent.def"
#include "adze/graph/ops/signal.def"
#include "adze/graph/ops/text.def"
#include "adze/graph/ops/training.def"
#undef ADZE_OP
};

TEST(OperatorTables, EveryOperatorHasAnInferenceRule) {
  for (const OpKind kind : kinds) EXPECT_NE(infer_function(kind), nullptr) << op_name(kind);
}

TEST(OperatorTables, EveryOperatorHasAReferenceKernel) {
  for (const OpKind kind : kinds) EXPECT_NE(reference::kernel_function(kind), nullptr) << op_name(kind);
}

}  // namespace
}  // namespace adze

#include "adze/engine/reference/control.h"

namespace adze::reference {

std::span<const KernelEntry> control_kernels() {
  using namespace control;
  static constexpr KernelEntry entries[] = {
      {OpKind::ConcatFromSequence, concat_from_sequence},
      {OpKind::If, run_if},
      {OpKind::Loop, run_loop},
      {OpKind::Optional, control::optional},
      {OpKind::OptionalGetElement, optional_get_element},
      {OpKind::OptionalHasElement, optional_has_element},
      {OpKind::Scan, run_scan},
      {OpKind::SequenceAt, sequence_at},
      {OpKind::SequenceConstruct, sequence_construct},
      {OpKind::SequenceEmpty, sequence_empty},
      {OpKind::SequenceErase, sequence_erase},
      {OpKind::SequenceInsert, sequence_insert},
      {OpKind::SequenceLength, sequence_length},
      {OpKind::SequenceMap, sequence_map},
      {OpKind::SplitToSequence, split_to_sequence},
  };
  return entries;
}

}  // namespace adze::reference

#pragma once

#include "adze/engine/reference/reference.h"

namespace adze::reference::control {

// Subgraphs: control_flow.cpp.
void run_if(Context& context);
void run_loop(Context& context);
void run_scan(Context& context);
void sequence_map(Context& context);

// Sequences and optionals: control_sequence.cpp.
void concat_from_sequence(Context& context);
void optional(Context& context);
void optional_get_element(Context& context);
void optional_has_element(Context& context);
void sequence_at(Context& context);
void sequence_construct(Context& context);
void sequence_empty(Context& context);
void sequence_erase(Context& context);
void sequence_insert(Context& context);
void sequence_length(Context& context);
void split_to_sequence(Context& context);

}  // namespace adze::reference::control

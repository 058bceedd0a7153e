#pragma once

namespace adze {

/// Products with weights of few bits: their time, weights read per second, and the share of what the machine can do.
void register_lowbit();

}  // namespace adze

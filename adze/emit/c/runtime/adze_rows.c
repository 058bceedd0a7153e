/* The scheduler of layers that run by rows. */
#include "adze_rows.h"

#include <string.h>

/* Of a tensor: the first row that its memory holds, how many rows have been made, and the stage that waits for its
   maker. */
typedef struct {
  int16_t first, made, waiting;
} adze_row_state;

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

/* The first row of a tensor that a stage still reads, at most `made`. */
static int32_t lowest_needed(const adze_row_group *group, const adze_row_state *states, int32_t tensor) {
  int32_t lowest = states[tensor].made;
  for (int32_t i = 0; i < group->stage_count; ++i) {
    const adze_row_stage *stage = &group->stages[i];
    const int32_t row = states[stage->out].made;
    if ((stage->in[0] != tensor && stage->in[1] != tensor) || row == group->tensors[stage->out].rows) continue;
    const int32_t top = row * stage->stride - stage->pad;
    lowest = smaller(lowest, top < 0 ? 0 : top);
  }
  return lowest;
}

/* Rows that nobody needs any more make room for `count` new ones. */
static void make_room(const adze_row_group *group, adze_row_state *states, int32_t tensor, int32_t count) {
  const adze_row_tensor *to = &group->tensors[tensor];
  adze_row_state *state = &states[tensor];
  if (state->made - state->first + count <= to->held) return;
  const int32_t lowest = lowest_needed(group, states, tensor);
  unsigned char *rows = to->rows_at;
  memmove(rows, rows + (lowest - state->first) * to->row_bytes, (size_t)((state->made - lowest) * to->row_bytes));
  state->first = (int16_t)lowest;
}

/* The stage whose rows this one misses for output rows up to end; -1: none. */
static int32_t missing(const adze_row_group *group, const adze_row_state *states, const adze_row_stage *stage,
                       int32_t end) {
  for (int32_t i = 0; i < 2 && stage->in[i] >= 0; ++i) {
    const adze_row_tensor *from = &group->tensors[stage->in[i]];
    const int32_t needed = (end - 1) * stage->stride - stage->pad + stage->extent;
    if (states[stage->in[i]].made < smaller(needed, from->rows)) return from->maker;
  }
  return -1;
}

static void run_stage(const adze_row_group *group, adze_row_state *states, const adze_row_stage *stage, int32_t count) {
  const adze_row_tensor *to = &group->tensors[stage->out];
  adze_row_state *state = &states[stage->out];
  const int32_t row = state->made, top = row * stage->stride - stage->pad;
  const int32_t from = top < 0 ? 0 : top, all = group->tensors[stage->in[0]].rows;
  const int32_t end = (row + count - 1) * stage->stride - stage->pad + stage->extent;
  adze_band band;
  band.pad_top = from - top;
  band.in_rows = smaller(end, all) - from;
  band.row = row;
  band.rows = count;
  band.out = (int8_t *)to->rows_at + (row - state->first) * to->row_bytes;
  for (int32_t i = 0; i < 2; ++i) {
    if (stage->in[i] < 0) {
      band.in[i] = 0;
      continue;
    }
    const adze_row_tensor *in = &group->tensors[stage->in[i]];
    band.in[i] = (const int8_t *)in->rows_at + (from - states[stage->in[i]].first) * in->row_bytes;
  }
  stage->run(&band);
  state->made = (int16_t)(row + count);
}

/* Demand from the back, without recursion: a stage that misses rows waits for their maker. */
static void complete(const adze_row_group *group, adze_row_state *states, int32_t goal) {
  const adze_row_stage *stages = group->stages;
  const int32_t rows = group->tensors[stages[goal].out].rows;
  int32_t at = goal;
  while (states[stages[goal].out].made < rows) {
    const adze_row_stage *stage = &stages[at];
    const int32_t row = states[stage->out].made;
    const int32_t count = smaller(group->band, group->tensors[stage->out].rows - row);
    const int32_t maker = missing(group, states, stage, row + count);
    if (maker >= 0) {
      states[stages[maker].out].waiting = (int16_t)at;
      at = maker;
      continue;
    }
    make_room(group, states, stage->out, count);
    run_stage(group, states, stage, count);
    if (at != goal) at = states[stage->out].waiting;
  }
}

void adze_run_rows(const adze_row_group *group, int16_t *state) {
  adze_row_state *states = (adze_row_state *)(void *)state;
  for (int32_t i = 0; i < group->tensor_count; ++i) {
    states[i].first = states[i].waiting = 0;
    states[i].made = group->tensors[i].maker < 0 ? group->tensors[i].rows : 0;
  }
  for (int32_t i = group->stage_count - 1; i >= 0; --i) {
    if (group->stages[i].is_goal) complete(group, states, i);
  }
}

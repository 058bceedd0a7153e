/* The scheduler of layers that run by rows and keep none of them: each band is computed with all that it needs. */
#include "adze_rows.h"

/* Rows of a tensor. */
typedef struct {
  int16_t first, end;
} adze_row_interval;

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

/* The rows of the inputs that a stage reads for those of its output. */
static void widen(const adze_row_group *group, adze_row_interval *needed, const adze_row_stage *stage) {
  const adze_row_interval made = needed[stage->out];
  const int32_t top = made.first * stage->stride - stage->pad;
  const int32_t end = (made.end - 1) * stage->stride - stage->pad + stage->extent;
  for (int32_t i = 0; i < 2 && stage->in[i] >= 0; ++i) {
    adze_row_interval *read = &needed[stage->in[i]];
    const int32_t last = smaller(end, group->tensors[stage->in[i]].rows);
    if (top < read->first) read->first = (int16_t)(top < 0 ? 0 : top);
    if (last > read->end) read->end = (int16_t)last;
  }
}

/* Where a row of a tensor lies: what comes in or goes out is whole. */
static unsigned char *row_at(const adze_row_group *group, const adze_row_interval *needed, int32_t tensor, int32_t row) {
  const adze_row_tensor *rows = &group->tensors[tensor];
  const int whole = rows->maker < 0 || group->stages[rows->maker].is_goal;
  return rows->rows_at + (whole ? row : row - needed[tensor].first) * rows->row_bytes;
}

static void run_stage(const adze_row_group *group, const adze_row_interval *needed, const adze_row_stage *stage) {
  const adze_row_interval made = needed[stage->out];
  const int32_t top = made.first * stage->stride - stage->pad, from = top < 0 ? 0 : top;
  const int32_t end = (made.end - 1) * stage->stride - stage->pad + stage->extent;
  adze_band band;
  band.pad_top = from - top;
  band.in_rows = smaller(end, group->tensors[stage->in[0]].rows) - from;
  band.row = made.first;
  band.rows = made.end - made.first;
  band.out = (int8_t *)row_at(group, needed, stage->out, made.first);
  for (int32_t i = 0; i < 2; ++i) {
    band.in[i] = stage->in[i] < 0 ? 0 : (const int8_t *)row_at(group, needed, stage->in[i], from);
  }
  stage->run(&band);
}

void adze_run_rows_anew(const adze_row_group *group, int16_t *state) {
  adze_row_interval *needed = (adze_row_interval *)(void *)state;
  const int32_t last = group->stage_count - 1, goal = group->stages[last].out, rows = group->tensors[goal].rows;
  for (int32_t row = 0; row < rows; row += group->band) {
    for (int32_t i = 0; i < group->tensor_count; ++i) {
      needed[i].first = INT16_MAX;
      needed[i].end = 0;
    }
    needed[goal].first = (int16_t)row;
    needed[goal].end = (int16_t)smaller(row + group->band, rows);
    for (int32_t i = last; i >= 0; --i) widen(group, needed, &group->stages[i]);
    for (int32_t i = 0; i <= last; ++i) run_stage(group, needed, &group->stages[i]);
  }
}

/* Layers that run a few rows at a time, each when a later one misses rows. */
#ifndef ADZE_ROWS_H
#define ADZE_ROWS_H

#include "adze_intrinsics.h"
#include "adze_runtime.h"

/* What a layer computes in one call: rows of its output, the first of them `row`, from in_rows rows that lie at in;
   pad_top rows of padding come before them. */
typedef struct {
  const int8_t* in[2];
  int8_t* out;
  int32_t in_rows, pad_top, row, rows;
} adze_band;

/* A picture in rows: all of it, or memory for `held` of them. */
typedef struct {
  unsigned char* rows_at;
  int32_t row_bytes;
  int16_t rows, held, maker; /* maker: the stage; -1: it comes in */
} adze_row_tensor;

/* Row y of the output needs rows y * stride - pad and the extent - 1 behind it. in: tensors; -1: none. */
typedef struct {
  void (*run)(const adze_band* band);
  int16_t in[2], out, extent, stride, pad, is_goal;
} adze_row_stage;

typedef struct {
  const adze_row_tensor* tensors;
  const adze_row_stage* stages;
  int16_t tensor_count, stage_count, band;
} adze_row_group;

/* state: six bytes a tensor. */
void adze_run_rows(const adze_row_group* group, int16_t* state);
/* Each band of the last stage's output with all that it needs, computed anew: no rows are kept. */
void adze_run_rows_anew(const adze_row_group* group, int16_t* state);

ADZE_INLINE adze_conv adze_conv_band(const adze_conv* layer, const adze_band* band) {
  adze_conv part = *layer;
  part.in_h = band->in_rows;
  part.out_h = band->rows;
  part.pad_top = band->pad_top;
  return part;
}

ADZE_INLINE adze_pool adze_pool_band(const adze_pool* layer, const adze_band* band) {
  adze_pool part = *layer;
  part.in_h = band->in_rows;
  part.out_h = band->rows;
  part.pad_top = band->pad_top;
  return part;
}

/* Element by element. */
ADZE_INLINE adze_add adze_add_band(const adze_add* layer, const adze_band* band, int32_t row_bytes) {
  adze_add part = *layer;
  part.count = band->rows * row_bytes;
  return part;
}

ADZE_INLINE adze_binary adze_binary_band(const adze_binary* layer, const adze_band* band, int32_t row_bytes) {
  adze_binary part = *layer;
  part.dims[3] = band->rows * row_bytes;
  return part;
}

ADZE_INLINE adze_rescale adze_rescale_band(const adze_rescale* layer, const adze_band* band, int32_t row_bytes) {
  adze_rescale part = *layer;
  part.count = band->rows * row_bytes;
  return part;
}

ADZE_INLINE adze_copy adze_copy_band(const adze_copy* layer, const adze_band* band) {
  adze_copy part = *layer;
  part.dims[3] = band->rows; /* of [1, rows, columns, channels] */
  return part;
}

#endif

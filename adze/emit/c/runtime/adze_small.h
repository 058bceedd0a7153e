/* Convolutions and products with small tables, for networks that must take little flash. */
#ifndef ADZE_SMALL_H
#define ADZE_SMALL_H

#include "adze_runtime.h"

/* One output channel: the multiplier, and bias * 64 + shift + 32. Multiplier 0: always the number in the bias's place.
 */
typedef struct {
  int32_t multiplier;
  int32_t bias_and_shift;
} adze_small_channel;

typedef struct {
  const void* weights;
  const adze_small_channel* channels;
  uint16_t batch, in_h, in_w, in_c, out_h, out_w, out_c, groups;
  uint8_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int8_t in_zero_point, zero_point, min, max;
  uint8_t kind;   /* ADZE_TWICE, ADZE_ONCE or ADZE_FLOAT */
  uint8_t bits;   /* of a code; 8: the weight itself */
  uint8_t sparse; /* a bit before each weight says that it is not zero; zeros have no code */
} adze_small;

/* Weights [out_c][kernel_h][kernel_w][in_c / groups], unpadded. A fully connected layer is a picture of one column.
   patch: kernel_h * kernel_w * in_c bytes; null where every output pixel reads one input pixel. */
void adze_small_s8(const adze_small* layer, const int8_t* in, int8_t* out, int8_t* patch);
/* The filters from first on, count of them, whose weights lie at weights. */
void adze_small_filters(const adze_small* layer, int32_t first, int32_t count, const int8_t* weights, const int8_t* in,
                        int8_t* out, int8_t* patch);
/* Weights as a stream of codes, the lowest bit first, filter after filter; values gives what each code stands for.
   rows: the weights of four filters, decoded. in and out must not overlap. */
void adze_codes_s8(const adze_small* layer, const int8_t* values, const int8_t* in, int8_t* out, int8_t* patch,
                   int8_t* rows);

#endif

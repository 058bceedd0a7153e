/* What layers written by adze call. Activations are int8_t with channels last; every number of a layer is fixed when
   the network is written. No heap, no file, no state. */
#ifndef ADZE_RUNTIME_H
#define ADZE_RUNTIME_H

#include <stdint.h>

/* How sums become bytes again. */
enum {
  ADZE_FAST = 0,  /* rounded twice; no sum can reach 2^30, offset holds zero point and rounding */
  ADZE_TWICE = 1, /* fixed-point multiplier, rounded twice (TFLite-Micro, CMSIS-NN) */
  ADZE_ONCE = 2,  /* the same multiplier, rounded once */
  ADZE_FLOAT = 3  /* float32 multiplier, round half to even */
};

/* One output channel. multiplier holds the bits of a float for ADZE_FLOAT. */
typedef struct {
  int32_t bias;
  int32_t multiplier;
  int32_t offset;
  int32_t shift;
} adze_channel;

/* Where results go: zero point and clamp. */
typedef struct {
  int32_t kind;
  int32_t zero_point;
  int32_t min;
  int32_t max;
} adze_output;

typedef struct {
  int32_t batch, in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t groups;
  int32_t depth;         /* products of one sum, rounded up as the weights are stored */
  int32_t in_zero_point; /* what padding holds */
  const void* weights;
  const adze_channel* channels;
  adze_output out;
} adze_conv;

/* Weights [out_c][kernel_h][kernel_w][in_c / groups], each row padded with zeros to depth. scratch: 4 * depth + 16
 * bytes. */
void adze_conv_s8(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);
/* Weights in words of two output channels and two products: see emit/c/pack. scratch: 10 * depth bytes. */
void adze_conv_s8_dsp(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);
/* Weights in blocks of sixteen products, four channels each; depth a multiple of 16. May read 15 bytes behind in. */
void adze_conv_s8_mve(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);
/* groups = in_c = out_c. Weights [kernel_h][kernel_w][channels]. scratch: none. */
void adze_depthwise_s8(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);
/* Weights [channels / 4][kernel_h][kernel_w][4]. scratch: the rows that one kernel spans, padded as four output columns
 * at a time read them. */
void adze_depthwise_s8_mve(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);
/* Weights as 16-bit pairs of channels (0, 2) and (1, 3) of four, tap by tap. */
void adze_depthwise_s8_dsp(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);

/* kernel 3 x 3, dilation 1, stride_w 1 or 2. Weights [channels][9]. scratch: 12 * words + 48 words of 4 bytes,
   words = ceil(out_w / 4) * 2 * stride_w + 2. */
void adze_depthwise_3x3_s8_dsp(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);

/* kernel 3 x 3, dilation 1, strides (1, 1), (2, 1) or (2, 2), out.kind ADZE_FAST. Weights [channels][16]: three columns
   of three rows, each filled up to four, and four zeros. scratch: channels * 4 * ((out_w - 1) * stride_w + 3) + 32
   bytes. */
void adze_depthwise_3x3_s8_mve(const adze_conv* layer, const int8_t* in, int8_t* out, void* scratch);

typedef struct {
  int32_t rows, columns, depth, stored_depth;
  const void* weights;
  const adze_channel* channels;
  adze_output out;
} adze_gemm;

/* Weights [columns][stored_depth]. */
void adze_gemm_s8(const adze_gemm* layer, const int8_t* in, int8_t* out);
/* Weights as for adze_conv_s8_mve. */
void adze_gemm_s8_mve(const adze_gemm* layer, const int8_t* in, int8_t* out);
/* Weights as for adze_conv_s8_dsp. scratch: 2 * stored_depth bytes. */
void adze_gemm_s8_dsp(const adze_gemm* layer, const int8_t* in, int8_t* out, void* scratch);

typedef struct {
  int32_t batch, in_h, in_w, channels, out_h, out_w;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pad_bottom, pad_right;
  int32_t count_padding; /* the divisor counts padding */
  int32_t in_zero_point;
  int32_t integer_mean; /* mean of raw numbers, ties away from zero */
  int32_t raw_offset;   /* 128 where the numbers stand for unsigned ones */
  adze_channel by;      /* x_scale / y_scale */
  float in_scale, out_scale;
  adze_output out;
} adze_pool;

void adze_average_pool_s8(const adze_pool* layer, const int8_t* in, int8_t* out);
void adze_max_pool_s8(const adze_pool* layer, const int8_t* in, int8_t* out);

/* One mean of inner numbers that lie stride apart, for every outer and every column of the input [outer, count,
 * columns]. */
typedef struct {
  int32_t outer, count, columns;
  int32_t in_zero_point;
  adze_channel by;
  float in_scale, out_scale;
  adze_output out;
} adze_mean;
void adze_mean_s8(const adze_mean* layer, const int8_t* in, int8_t* out);

/* a and b with strides over up to 4 dimensions of the result; 0 where one number serves all. */
typedef struct {
  int32_t dims[4], a_strides[4], b_strides[4];
  int32_t subtract;
  int32_t a_zero_point, b_zero_point;
  adze_channel a_by, b_by, y_by;
  float a_scale, b_scale, y_scale;
  adze_output out;
} adze_binary;
void adze_add_s8(const adze_binary* layer, const int8_t* a, const int8_t* b, int8_t* out);
void adze_mul_s8(const adze_binary* layer, const int8_t* a, const int8_t* b, int8_t* out);

/* Equal shapes, rounded twice, the scale of a at least that of b: y = y_by((a << 19) + a_offset + b_by(b << 20)).
   b_shift 0: equal scales, y = y_by(((a + b) << 19) + a_offset). */
typedef struct {
  int32_t count, a_offset, b_offset;
  int32_t b_multiplier, b_rounding, b_shift;
  int32_t y_multiplier, y_offset, y_shift;
  int32_t min, max;
} adze_add;
void adze_add_fast_s8(const adze_add* layer, const int8_t* a, const int8_t* b, int8_t* out);

typedef struct {
  int32_t outer, count, inner; /* over the middle dimension */
  int32_t multiplier, shift, least_difference;
  const uint32_t* exponentials; /* by difference from the largest, for shares */
  float out_scale;
  adze_output out;
} adze_softmax;
/* TFLite-Micro's fixed-point exp and reciprocal; else shares of exponentials. */
void adze_softmax_s8(const adze_softmax* layer, const int8_t* in, int8_t* out);

void adze_softmax_shares_s8(const adze_softmax* layer, const int8_t* in, int8_t* out);

void adze_table_s8(const int8_t* table, int32_t count, const int8_t* in, int8_t* out);

typedef struct {
  int32_t count, in_zero_point;
  adze_channel by;
  adze_output out;
} adze_rescale;
void adze_rescale_s8(const adze_rescale* layer, const int8_t* in, int8_t* out);

/* a [batch, rows, depth] times b [batch, depth, columns]; 0 for a batch stride where one matrix serves all. */
typedef struct {
  int32_t batch, rows, depth, columns, a_batch_stride, b_batch_stride;
  int32_t a_zero_point, b_zero_point;
  adze_channel by;
  adze_output out;
} adze_matmul;
void adze_matmul_s8(const adze_matmul* layer, const int8_t* a, const int8_t* b, int8_t* out);

/* Elements of 1, 2, 4 or 8 bytes from strided places to strided places, row-major over dims. */
typedef struct {
  int32_t bytes;
  int32_t dims[6], in_strides[6], out_strides[6]; /* strides in elements */
} adze_copy;
void adze_copy_strided(const adze_copy* layer, const void* in, void* out);
/* memset, where compilers would take it for a slip. */
void adze_fill(void* out, int value, int32_t bytes);
/* Pictures [batch, in_h, in_w, channel bytes]; rows and columns say which one each of the output takes. */
typedef struct {
  int32_t batch, in_h, in_w, pixel_bytes, out_h, out_w;
  const int16_t *rows, *columns;
} adze_resize;
void adze_resize_nearest(const adze_resize* layer, const void* in, void* out);

void adze_quantize_s8(int32_t count, float scale, int32_t zero_point, const float* in, int8_t* out);
void adze_dequantize_s8(int32_t count, float scale, int32_t zero_point, const int8_t* in, float* out);

#endif

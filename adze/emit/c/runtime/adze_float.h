/* Layers on float32, channels last. */
#ifndef ADZE_FLOAT_H
#define ADZE_FLOAT_H

#include <stdint.h>

typedef struct {
  int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t groups;        /* convolutions */
  int32_t count_padding; /* pools: the divisor counts padding */
  const float* weights;  /* [out_c][kernel_h][kernel_w][in_c / groups] */
  const float* biases;   /* or null */
} adze_window_f32;
void adze_conv_f32(const adze_window_f32* layer, const float* in, float* out);
void adze_average_pool_f32(const adze_window_f32* layer, const float* in, float* out);
void adze_max_pool_f32(const adze_window_f32* layer, const float* in, float* out);

/* in [rows, depth] times weights [columns, depth]; biases or null. */
void adze_gemm_f32(int32_t rows, int32_t columns, int32_t depth, const float* weights, const float* biases,
                   const float* in, float* out);

void adze_clamp_f32(int32_t count, float low, float high, const float* in, float* out);
void adze_sigmoid_f32(int32_t count, const float* in, float* out);
void adze_tanh_f32(int32_t count, const float* in, float* out);
/* Over the middle of three dimensions. */
void adze_softmax_f32(int32_t outer, int32_t count, int32_t inner, const float* in, float* out);
void adze_mean_f32(int32_t outer, int32_t count, int32_t inner, const float* in, float* out);

/* a and b with strides over four dimensions of the result; 0 where one number serves all. */
typedef struct {
  int32_t dims[4], a_strides[4], b_strides[4];
} adze_binary_f32;
void adze_add_f32(const adze_binary_f32* layer, const float* a, const float* b, float* out);
void adze_sub_f32(const adze_binary_f32* layer, const float* a, const float* b, float* out);
void adze_mul_f32(const adze_binary_f32* layer, const float* a, const float* b, float* out);
void adze_div_f32(const adze_binary_f32* layer, const float* a, const float* b, float* out);

/* Gates stacked along the rows as ONNX has them; the states of each direction and sequence on their own. */
typedef struct {
  int32_t steps, batch, inputs, hidden, directions;
  int32_t batch_first, reverse;
  int32_t variant;        /* LSTM: input and forget gate are one; GRU: linear before reset */
  float clip;             /* negative: none */
  const float *w, *r;     /* [directions][gates * hidden][inputs], [...][hidden] */
  const float* bias;      /* [directions][2 * gates * hidden] */
  const float* peepholes; /* [directions][3 * hidden], or null */
} adze_recurrent_f32;
/* Null where there is none. scratch: 6 * hidden floats. */
typedef struct {
  const float *x, *first_h, *first_c;
  float *y, *last_h, *last_c, *scratch;
} adze_recurrent_operands;
void adze_lstm_f32(const adze_recurrent_f32* layer, const adze_recurrent_operands* at);
void adze_gru_f32(const adze_recurrent_f32* layer, const adze_recurrent_operands* at);
void adze_rnn_f32(const adze_recurrent_f32* layer, const adze_recurrent_operands* at);

#endif

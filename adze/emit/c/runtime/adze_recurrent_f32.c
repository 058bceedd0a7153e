/* Recurrent layers on float32. */
#include <math.h>
#include <string.h>

#include "adze_float.h"

static float dot(const float *a, const float *b, int32_t count) {
  float sum = 0.0f;
  for (int32_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

static float clipped(const adze_recurrent_f32 *layer, float x) {
  if (layer->clip < 0.0f) return x;
  return x < -layer->clip ? -layer->clip : x > layer->clip ? layer->clip : x;
}

static float logistic(float x) { return 1.0f / (1.0f + expf(-x)); }

/* What one direction reads. */
typedef struct {
  const float *w, *r, *bias, *peepholes;
} parameters;

static parameters of_direction(const adze_recurrent_f32 *layer, int32_t gates, int32_t direction) {
  const int32_t rows = gates * layer->hidden;
  parameters own;
  own.w = layer->w + direction * rows * layer->inputs;
  own.r = layer->r + direction * rows * layer->hidden;
  own.bias = layer->bias + direction * 2 * rows;
  own.peepholes = layer->peepholes == 0 ? 0 : layer->peepholes + direction * 3 * layer->hidden;
  return own;
}

/* Row of W x + R h + both biases. */
static float gate(const adze_recurrent_f32 *layer, const parameters *own, int32_t rows, int32_t row, const float *x,
                  const float *h) {
  return dot(own->w + row * layer->inputs, x, layer->inputs) + dot(own->r + row * layer->hidden, h, layer->hidden) +
         own->bias[row] + own->bias[rows + row];
}

/* Gates input, output, forget, cell; peepholes input, output, forget. work: 4 * hidden. */
static void lstm_step(const adze_recurrent_f32 *layer, const parameters *own, const float *x, float *h, float *c,
                      float *work) {
  const int32_t n = layer->hidden;
  for (int32_t row = 0; row < 4 * n; ++row) work[row] = gate(layer, own, 4 * n, row, x, h);
  for (int32_t i = 0; i < n; ++i) {
    const float *peephole = own->peepholes == 0 ? 0 : own->peepholes + i;
    const float before = c[i];
    const float input = logistic(clipped(layer, work[i] + (peephole == 0 ? 0.0f : peephole[0] * before)));
    const float forget =
        layer->variant != 0
            ? 1.0f - input
            : logistic(clipped(layer, work[2 * n + i] + (peephole == 0 ? 0.0f : peephole[2 * n] * before)));
    c[i] = forget * before + input * tanhf(clipped(layer, work[3 * n + i]));
    const float output = logistic(clipped(layer, work[n + i] + (peephole == 0 ? 0.0f : peephole[n] * c[i])));
    h[i] = output * tanhf(c[i]);
  }
}

/* Gates update, reset, candidate. work: 4 * hidden. */
static void gru_step(const adze_recurrent_f32 *layer, const parameters *own, const float *x, float *h, float *c,
                     float *work) {
  const int32_t n = layer->hidden;
  float *scaled = work + 2 * n, *candidate = work + 3 * n;
  (void)c;
  for (int32_t row = 0; row < 2 * n; ++row) {
    work[row] = logistic(clipped(layer, gate(layer, own, 3 * n, row, x, h)));
  }
  for (int32_t i = 0; i < n; ++i) scaled[i] = work[n + i] * h[i];
  for (int32_t i = 0; i < n; ++i) {
    const int32_t row = 2 * n + i;
    const float from_x = dot(own->w + row * layer->inputs, x, layer->inputs) + own->bias[row];
    const float *r = own->r + row * n;
    const float from_h = layer->variant != 0 ? work[n + i] * (dot(r, h, n) + own->bias[3 * n + row])
                                             : dot(r, scaled, n) + own->bias[3 * n + row];
    candidate[i] = tanhf(clipped(layer, from_x + from_h));
  }
  for (int32_t i = 0; i < n; ++i) h[i] = (1.0f - work[i]) * candidate[i] + work[i] * h[i];
}

static void rnn_step(const adze_recurrent_f32 *layer, const parameters *own, const float *x, float *h, float *c,
                     float *work) {
  const int32_t n = layer->hidden;
  (void)c;
  for (int32_t i = 0; i < n; ++i) work[i] = tanhf(clipped(layer, gate(layer, own, n, i, x, h)));
  memcpy(h, work, sizeof(float) * (size_t)n);
}

/* Where the state of a direction and a sequence lies in a tensor of them. */
static int32_t state_at(const adze_recurrent_f32 *layer, int32_t direction, int32_t sequence) {
  return (layer->batch_first ? sequence * layer->directions + direction : direction * layer->batch + sequence) *
         layer->hidden;
}

static int32_t output_at(const adze_recurrent_f32 *layer, int32_t step, int32_t direction, int32_t sequence) {
  return layer->batch_first
             ? ((sequence * layer->steps + step) * layer->directions + direction) * layer->hidden
             : ((step * layer->directions + direction) * layer->batch + sequence) * layer->hidden;
}

static void load(float *to, const float *from, int32_t at, int32_t count) {
  if (from == 0) {
    for (int32_t i = 0; i < count; ++i) to[i] = 0.0f;
  } else {
    memcpy(to, from + at, sizeof(float) * (size_t)count);
  }
}

typedef void (*step_function)(const adze_recurrent_f32 *, const parameters *, const float *, float *, float *, float *);

static void run(const adze_recurrent_f32 *layer, const adze_recurrent_operands *at, int32_t gates, step_function step) {
  const int32_t n = layer->hidden;
  float *h = at->scratch, *c = h + n, *work = c + n;
  for (int32_t direction = 0; direction < layer->directions; ++direction) {
    const parameters own = of_direction(layer, gates, direction);
    const int backwards = layer->reverse || direction == 1;
    for (int32_t sequence = 0; sequence < layer->batch; ++sequence) {
      const int32_t state = state_at(layer, direction, sequence);
      load(h, at->first_h, state, n);
      load(c, at->first_c, state, n);
      for (int32_t s = 0; s < layer->steps; ++s) {
        const int32_t now = backwards ? layer->steps - 1 - s : s;
        const int32_t row = layer->batch_first ? sequence * layer->steps + now : now * layer->batch + sequence;
        step(layer, &own, at->x + row * layer->inputs, h, c, work);
        if (at->y != 0) memcpy(at->y + output_at(layer, now, direction, sequence), h, sizeof(float) * (size_t)n);
      }
      if (at->last_h != 0) memcpy(at->last_h + state, h, sizeof(float) * (size_t)n);
      if (at->last_c != 0) memcpy(at->last_c + state, c, sizeof(float) * (size_t)n);
    }
  }
}

void adze_lstm_f32(const adze_recurrent_f32 *layer, const adze_recurrent_operands *at) {
  run(layer, at, 4, lstm_step);
}

void adze_gru_f32(const adze_recurrent_f32 *layer, const adze_recurrent_operands *at) { run(layer, at, 3, gru_step); }

void adze_rnn_f32(const adze_recurrent_f32 *layer, const adze_recurrent_operands *at) { run(layer, at, 1, rnn_step); }

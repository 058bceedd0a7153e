/* A function of one byte, as a table. */
#include "adze_runtime.h"

void adze_table_s8(const int8_t *table, int32_t count, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < count; ++i) out[i] = table[in[i] + 128];
}

/* Classifies one picture on a bare Cortex-M4: no operating system, no heap, no file. The network is C code that adze
   wrote into net/; see build. */
#include <stdint.h>

#include "board.h"
#include "net.h"

/* picture.ppm, embedded by picture.S */
extern const uint8_t picture_begin[], picture_end[];

static const char *const classes[] = {"arch", "arrow", "circle", "cross", "dee",      "glass",
                                      "hook", "square", "tee",   "triangle", "wave", "zed"};
_Static_assert(sizeof classes / sizeof *classes == NET_OUTPUT_SIZE, "one name a class");

static float scores[NET_OUTPUT_SIZE];

/* Behind "P6\n32 32\n255\n": rows of red, green, blue. The network was trained on (value / 255 - 0.5) / 0.25, planes. */
static void fill_input(float *input) {
  enum { header = 13, pixels = NET_INPUT_SIZE / 3 };
  for (int pixel = 0; pixel < pixels; ++pixel) {
    for (int channel = 0; channel < 3; ++channel) {
      const float value = (float)picture_begin[header + 3 * pixel + channel];
      input[channel * pixels + pixel] = (value / 255.0f - 0.5f) / 0.25f;
    }
  }
}

int main(void) {
  if (picture_end - picture_begin != 13 + NET_INPUT_SIZE) return 2;
  fill_input(net_input());
  if (net_run(net_input(), scores) != 0) return 3;
  int best = 0;
  for (int i = 1; i < NET_OUTPUT_SIZE; ++i) {
    if (scores[i] > scores[best]) best = i;
  }
  board_print("this is: ");
  board_print(classes[best]);
  board_print("\n");
  return 0;
}

/* Vector table, start of the program and the profiling hook. Built for each core; nothing here uses the heap. */
#include <stdint.h>

#include "board.h"
#include "marks.h"

extern uint32_t __stack_top, __stack_bottom, __clear_begin, __clear_end;
int main(void);
void reset(void);
static void fault(void);
static void start_counter(void);
static void print_counter(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &__stack_top, (const void *)reset,                                                    /* reset */
    (const void *)fault, (const void *)fault, (const void *)fault, (const void *)fault,   /* NMI, faults */
    (const void *)fault, (const void *)fault,
};

static const uint32_t paint = 0xA5C3A5C3u;

/* The deepest word of the stack that was written since reset. */
static unsigned stack_bytes(void) {
  const uint32_t *word = &__stack_bottom;
  while (word < &__stack_top && *word == paint) ++word;
  return (unsigned)((uintptr_t)&__stack_top - (uintptr_t)word);
}

static void fault(void) {
  board_print("\nadze-board: fault\n");
  board_exit(70);
}

#define REGISTER(address) (*(volatile uint32_t *)(address))

static void prepare_core(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  REGISTER(0xE000ED88) |= 0xFu << 20; /* CPACR: floating point and vectors */
#endif
#if defined(__ARM_FEATURE_MVE)
  REGISTER(0xE000ED14) |= 1u << 19; /* CCR.LOB: low-overhead loops */
#endif
#if __ARM_ARCH == 6
  REGISTER(0xE000ED14) |= 1u << 3; /* CCR.UNALIGN_TRP */
#endif
  __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* Runs before any stack is painted: no local that lives in memory may be needed afterwards. */
__attribute__((noreturn, used)) static void start(void) {
  prepare_core();
  for (uint32_t *word = &__clear_begin; word < &__clear_end; ++word) *word = 0;
  start_counter();
  MARK_MAIN();
  const int code = main();
  MARK_END();
  const unsigned stack = stack_bytes();
  print_counter();
  board_print("\nadze-board: stack ");
  board_print_unsigned(stack);
  board_print("\n");
  board_exit(code);
}

__attribute__((naked, noreturn)) void reset(void) {
  __asm__ volatile(
      "ldr r0, =__stack_bottom\n\t"
      "ldr r1, =__stack_top\n\t"
      "mov sp, r1\n\t"
      "ldr r2, =0xA5C3A5C3\n"
      "1: str r2, [r0]\n\t"
      "adds r0, #4\n\t"
      "cmp r0, r1\n\t"
      "bne 1b\n\t"
      "bl start\n\t"
      ".ltorg");
}

#if defined(ADZE_PROFILE) && defined(ADZE_SYSTICK)
/* Without a counting plug-in: QEMU's -icount makes emulated time, and with it SysTick, proceed by instructions. */
#define SYST_CVR REGISTER(0xE000E018)
enum { most_layers = 2048 };
static uint32_t ticks[most_layers], last_tick;
static unsigned layers, runs;

void ADZE_PROFILE(int layer) {
  const uint32_t now = SYST_CVR; /* 24 bits, counts down */
  if (layer == 0) {
    ++runs;
  } else if (runs == 1 && layers < most_layers) {
    ticks[layers++] = (last_tick - now) & 0xFFFFFF;
  }
  last_tick = SYST_CVR;
}

static void start_counter(void) {
  REGISTER(0xE000E014) = 0xFFFFFF; /* reload */
  SYST_CVR = 0;
  REGISTER(0xE000E010) = 5; /* enabled, processor clock */
}

static void print_counter(void) {
  board_print("\nadze-board: ticks ");
  board_print_unsigned(runs);
  for (unsigned i = 0; i < layers; ++i) {
    board_print(" ");
    board_print_unsigned(ticks[i]);
  }
}
#else
static void start_counter(void) {}
static void print_counter(void) {}
#endif

#if defined(ADZE_PROFILE) && !defined(ADZE_SYSTICK)
/* Called before each layer with its number, and once after the last. */
__attribute__((naked)) void ADZE_PROFILE(int layer) {
  (void)layer;
  __asm__ volatile(
      "cmp r0, #0\n\t"
      "bne 1f\n\t"
      "mov r11, r11\n\t"
      "b 2f\n"
      "1: mov r10, r10\n"
      "2: mov r9, r9\n\t"
      "bx lr");
}
#endif

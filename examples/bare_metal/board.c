/* Vector table, start-up and semihosting for a Cortex-M4F. For a board of your own, replace the output. */
#include "board.h"

#include <stdint.h>
#include <string.h>

/* From board.ld */
extern uint8_t stack_top[], data_begin[], data_end[], data_in_flash[], bss_begin[], bss_end[];
int main(void);
void reset(void);

static void fault(void) {
  board_print("fault\n");
  board_exit(70);
}

void reset(void) {
  volatile uint32_t *const coprocessors = (volatile uint32_t *)0xE000ED88; /* CPACR */
  *coprocessors |= 0xFu << 20;                                             /* floating-point unit on */
  __asm__ volatile("dsb\n\tisb" ::: "memory");
  memcpy(data_begin, data_in_flash, (size_t)(data_end - data_begin));
  memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
  board_exit(main());
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault, /* NMI, HardFault */
    (const void *)fault, (const void *)fault, (const void *)fault,            /* MemManage, BusFault, UsageFault */
};

static void semihost(uintptr_t operation, uintptr_t parameter) {
  register uintptr_t r0 __asm__("r0") = operation;
  register uintptr_t r1 __asm__("r1") = parameter;
  __asm__ volatile("bkpt #0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void board_print(const char *text) { semihost(0x04, (uintptr_t)text); /* SYS_WRITE0 */ }

void board_exit(int code) {
  const uintptr_t block[2] = {0x20026, (uintptr_t)code}; /* ADP_Stopped_ApplicationExit */
  semihost(0x20, (uintptr_t)block);                      /* SYS_EXIT_EXTENDED */
  for (;;) {
  }
}

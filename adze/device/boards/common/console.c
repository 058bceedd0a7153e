/* Output and exit by semihosting, and as much of stdio as test programs use: no heap, no files, little stack. */
#include <stdarg.h>
#include <stdint.h>

#include "board.h"

int putchar(int character);
int puts(const char *text);
int printf(const char *format, ...);

static uintptr_t semihost(uintptr_t operation, uintptr_t parameter) {
  register uintptr_t r0 __asm__("r0") = operation;
  register uintptr_t r1 __asm__("r1") = parameter;
  __asm__ volatile("bkpt #0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void board_print(const char *text) { semihost(0x04, (uintptr_t)text); /* SYS_WRITE0 */ }

void board_exit(int code) {
  const uintptr_t block[2] = {0x20026, (uintptr_t)code}; /* ADP_Stopped_ApplicationExit */
  semihost(0x20, (uintptr_t)block);                      /* SYS_EXIT_EXTENDED */
  for (;;) {
  }
}

int putchar(int character) {
  const char text[2] = {(char)character, 0};
  board_print(text);
  return (unsigned char)character;
}

int puts(const char *text) {
  board_print(text);
  board_print("\n");
  return 0;
}

static void print_number(unsigned value, unsigned base) {
  char text[12];
  char *at = text + sizeof text;
  *--at = 0;
  do {
    *--at = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  board_print(at);
}

void board_print_unsigned(unsigned value) { print_number(value, 10); }

/* %d %i %u %x %c %s %%, without widths; l is skipped, since long is as long as int here. */
int printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  for (; *format; ++format) {
    if (*format != '%') {
      putchar(*format);
      continue;
    }
    ++format;
    while (*format == 'l' || *format == 'z') ++format;
    if (*format == 'd' || *format == 'i') {
      const int value = va_arg(arguments, int);
      if (value < 0) board_print("-");
      print_number(value < 0 ? 0u - (unsigned)value : (unsigned)value, 10);
    } else if (*format == 'u' || *format == 'x') {
      print_number(va_arg(arguments, unsigned), *format == 'x' ? 16 : 10);
    } else if (*format == 'c') {
      putchar(va_arg(arguments, int));
    } else if (*format == 's') {
      board_print(va_arg(arguments, const char *));
    } else if (*format) {
      putchar(*format);
    } else {
      break;
    }
  }
  va_end(arguments);
  return 0;
}

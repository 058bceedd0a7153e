#ifndef ADZE_BOARD_H
#define ADZE_BOARD_H

void board_print(const char* text);
void board_print_unsigned(unsigned value);
void board_exit(int code) __attribute__((noreturn));

#endif

#ifndef BOARD_H
#define BOARD_H

/* By semihosting: the debugger or emulator prints. */
void board_print(const char* text);
void board_exit(int code) __attribute__((noreturn));

#endif

#ifndef ADZE_MARKS_H
#define ADZE_MARKS_H

/* Moves of a register onto itself that compilers never write; the counting plug-in sees them (adze/device/plugin). */
#define MARK_FIRST_LAYER() __asm__ volatile("mov r11, r11" ::: "memory")
#define MARK_NEXT_LAYER() __asm__ volatile("mov r10, r10" ::: "memory")
#define MARK_RESUME() __asm__ volatile("mov r9, r9" ::: "memory")
#define MARK_MAIN() __asm__ volatile("mov r12, r12" ::: "memory")
#define MARK_END() __asm__ volatile("mov r14, r14" ::: "memory")

#endif

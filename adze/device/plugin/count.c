/* A plug-in for QEMU that counts executed Thumb instructions by class between marker instructions of the guest.
   Debian does not package qemu-plugin.h, so the few functions that are used are declared here (API version 1).

   Markers are 16-bit moves of a register onto itself that compilers never write (adze/device/boards/common/marks.h):
     mov r11, r11   a layer begins and it is the first one      mov r10, r10   a layer ends, the next begins
     mov r9, r9     the hook's own work is over                 mov r12, r12 / mov r14, r14   main begins / ends
   Each marker copies the counters; the host subtracts. Argument: out=FILE, written when the guest ends. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef void (*execute_function)(unsigned int cpu, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*call)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction, execute_function call, int flags,
                                            void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction, int operation, void *counter,
                                                uint64_t amount);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*call)(plugin_id, void *), void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* The order of adze/device/instruction_mix.h. */
enum { LOAD, STORE, MULTIPLY, DIVIDE, BRANCH, FLOAT, VECTOR, VECTOR_MEMORY, OTHER, EXTRA_WORDS, CLASSES };

struct mark {
  char kind;
  uint64_t counts[CLASSES];
};

static uint64_t counts[CLASSES];
static struct mark *marks;
static size_t mark_count, mark_capacity;
static const size_t most_marks = 1 << 20;
static char *out_path;

static int bits(unsigned value) { return __builtin_popcount(value); }

/* Class of a 16-bit instruction; words: registers moved beyond the first. */
static int narrow_class(unsigned code, int *words) {
  if ((code & 0xF800) == 0x4800) return LOAD; /* literal */
  if ((code & 0xF000) == 0x5000) return ((code >> 9) & 7) < 3 ? STORE : LOAD;
  if ((code & 0xE000) == 0x6000 || (code & 0xF000) == 0x8000 || (code & 0xF000) == 0x9000) {
    return code & 0x0800 ? LOAD : STORE;
  }
  if ((code & 0xFE00) == 0xB400 || (code & 0xFE00) == 0xBC00) { /* push, pop */
    *words = bits(code & 0x1FF) - 1;
    return code & 0x0800 ? LOAD : STORE;
  }
  if ((code & 0xF000) == 0xC000) {
    *words = bits(code & 0xFF) - 1;
    return code & 0x0800 ? LOAD : STORE;
  }
  if ((code & 0xF000) == 0xD000 || (code & 0xF800) == 0xE000) return BRANCH;
  if ((code & 0xFF00) == 0x4700 || (code & 0xF500) == 0xB100) return BRANCH; /* bx, cbz */
  if ((code & 0xFFC0) == 0x4340) return MULTIPLY;
  return OTHER;
}

/* 111x 11..: floating point, Helium, and their loads and stores. */
static int coprocessor_class(unsigned first, unsigned second, int *words) {
  const int unit = (second >> 8) & 15; /* 8 to 11: floating point; 14, 15: Helium */
  if ((first & 0xEF00) == 0xEF00) return VECTOR;
  if ((first & 0xEE00) == 0xEC00) {
    if ((first & 0x01A0) == 0) return FLOAT; /* moves between register files */
    if (unit >= 14) return VECTOR_MEMORY;
    if ((first & 0x0120) != 0x0100) *words = (int)(second & 0xFF) - 1; /* several registers */
    return first & 0x10 ? LOAD : STORE;
  }
  return unit >= 8 && unit <= 11 ? FLOAT : VECTOR;
}

static int wide_class(unsigned first, unsigned second, int *words) {
  if ((first & 0xFE40) == 0xE800) { /* several registers */
    *words = bits(second) - 1;
    return first & 0x10 ? LOAD : STORE;
  }
  if ((first & 0xFFF0) == 0xE8D0 && (second & 0xE0) == 0) return BRANCH; /* tbb, tbh */
  if ((first & 0xFE40) == 0xE840) {                                     /* two registers, exclusive */
    *words = (first & 0x0120) != 0;
    return first & 0x10 ? LOAD : STORE;
  }
  if ((first & 0xFE00) == 0xF800) return first & 0x10 ? LOAD : STORE;
  if ((first & 0xEC00) == 0xEC00) return coprocessor_class(first, second, words);
  if ((first & 0xF800) == 0xF000 && (second & 0x8000)) {
    const int conditional_or_system = (second & 0x5000) == 0;
    return conditional_or_system && (first & 0x0380) == 0x0380 ? OTHER : BRANCH;
  }
  if ((first & 0xFFD0) == 0xFB90) return DIVIDE;
  return (first & 0xFF00) == 0xFB00 ? MULTIPLY : OTHER;
}

static int class_of(const uint8_t *bytes, size_t size, int *words) {
  const unsigned first = bytes[0] | (unsigned)bytes[1] << 8;
  *words = 0;
  if (size == 2) return narrow_class(first, words);
  return wide_class(first, bytes[2] | (unsigned)bytes[3] << 8, words);
}

static void snapshot(unsigned int cpu, void *data) {
  (void)cpu;
  if (mark_count == most_marks) return;
  if (mark_count == mark_capacity) {
    mark_capacity = mark_capacity ? 2 * mark_capacity : 256;
    marks = realloc(marks, mark_capacity * sizeof *marks);
    if (!marks) abort();
  }
  marks[mark_count].kind = (char)(intptr_t)data;
  memcpy(marks[mark_count].counts, counts, sizeof counts);
  ++mark_count;
}

static char marker_kind(const uint8_t *bytes, size_t size) {
  if (size != 2 || bytes[1] != 0x46) return 0;
  switch (bytes[0]) {
    case 0xDB: return 'b';
    case 0xD2: return 'n';
    case 0xC9: return 'r';
    case 0xE4: return 'm';
    case 0xF6: return 'e';
    default: return 0;
  }
}

/* Adds the run of instructions since begin to the counters when that first instruction executes: a block is left only at
   its end. Markers cut runs, so a snapshot has counted exactly what came before it. */
static void count_run(struct qemu_plugin_insn *begin, uint64_t *sums) {
  for (int i = 0; i < CLASSES; ++i) {
    if (sums[i]) qemu_plugin_register_vcpu_insn_exec_inline(begin, 0, &counts[i], sums[i]);
    sums[i] = 0;
  }
}

static void translate(plugin_id id, struct qemu_plugin_tb *block) {
  (void)id;
  struct qemu_plugin_insn *begin = NULL;
  uint64_t sums[CLASSES] = {0};
  const size_t count = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    const uint8_t *bytes = qemu_plugin_insn_data(instruction);
    const size_t size = qemu_plugin_insn_size(instruction);
    const char kind = marker_kind(bytes, size);
    if (kind) {
      if (begin) count_run(begin, sums);
      begin = NULL;
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, snapshot, 0, (void *)(intptr_t)kind);
      continue;
    }
    if (!begin) begin = instruction;
    int words;
    ++sums[class_of(bytes, size, &words)];
    if (words > 0) sums[EXTRA_WORDS] += (uint64_t)words;
  }
  if (begin) count_run(begin, sums);
}

static void write_marks(plugin_id id, void *data) {
  (void)id;
  (void)data;
  FILE *file = fopen(out_path, "w");
  if (!file) return;
  for (size_t i = 0; i < mark_count; ++i) {
    fputc(marks[i].kind, file);
    for (int c = 0; c < CLASSES; ++c) fprintf(file, " %llu", (unsigned long long)marks[i].counts[c]);
    fputc('\n', file);
  }
  fclose(file);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc,
                                                               char **argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (!strncmp(argv[i], "out=", 4)) out_path = strdup(argv[i] + 4);
  }
  if (!out_path) return -1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, write_marks, NULL);
  return 0;
}

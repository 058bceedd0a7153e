#include "tests/kernels/trapped_amx.h"

#include <ucontext.h>

#include <cstdlib>
#include <cstring>

namespace adze::kernel_test {

namespace {

TileMemory tiles;
std::int64_t instructions = 0, products_made = 0;

/// An instruction with a three-byte VEX prefix of the map 0F38, which all of AMX has.
struct Instruction {
  const unsigned char* next;
  int prefix;  ///< 0: none, 1: 66, 2: F3, 3: F2
  int opcode, reg, rm, vvvv;
  bool is_memory = false;
  char* base = nullptr;    ///< with the displacement
  std::int64_t index = 0;  ///< scaled
};

std::int64_t register_of(const greg_t* registers, int number) {
  constexpr int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                             REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return registers[order[number]];
}

template <typename T>
T read(const unsigned char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

/// The memory operand behind a ModRM byte; bits 3 of the register numbers are inverted in the prefix.
void decode_memory(Instruction& found, int mod, int low, bool high_base, bool high_index, const greg_t* registers) {
  const unsigned char* at = found.next;
  std::int64_t address = 0;
  bool has_base = true;
  if (low == 4) {
    const int sib = *at++, index = (sib >> 3 & 7) + (high_index ? 8 : 0);
    if (index != 4) found.index = register_of(registers, index) << (sib >> 6);
    low = sib & 7;
    has_base = mod != 0 || low != 5;
  } else if (mod == 0 && low == 5) {
    std::abort();  // relative to the instruction: not in kernels
  }
  if (has_base) address = register_of(registers, low + (high_base ? 8 : 0));
  if (mod == 1) address += read<std::int8_t>(at);
  if (mod == 2 || !has_base) address += read<std::int32_t>(at);
  found.base = reinterpret_cast<char*>(address);
  found.is_memory = true;
  found.next = at;
}

bool decode(const unsigned char* at, const greg_t* registers, Instruction& found) {
  if (at[0] != 0xc4 || (at[1] & 0x1f) != 2 || (at[2] & 0x84) != 0) return false;  // map 0F38, W0, 128 bits
  found.prefix = at[2] & 3;
  found.vvvv = ~(at[2] >> 3) & 15;
  found.opcode = at[3];
  found.reg = at[4] >> 3 & 7;
  found.rm = at[4] & 7;
  found.next = at + 5;
  if (at[4] >> 6 != 3) {
    decode_memory(found, at[4] >> 6, found.rm, (at[1] & 0x20) == 0, (at[1] & 0x40) == 0, registers);
  }
  return true;
}

bool execute(const Instruction& i) {
  if (i.opcode == 0x49 && i.is_memory && i.prefix == 0) {  // LDTILECFG
    tiles.configure(i.base + i.index);
  } else if (i.opcode == 0x49 && !i.is_memory && i.prefix == 0) {  // TILERELEASE
    tiles.release();
  } else if (i.opcode == 0x49 && !i.is_memory && i.prefix == 3) {  // TILEZERO
    tiles.zero(i.reg);
  } else if (i.opcode == 0x4b && i.is_memory && i.prefix == 3) {  // TILELOADD: the index is the stride
    tiles.load(i.reg, i.base, i.index);
  } else if (i.opcode == 0x4b && i.is_memory && i.prefix == 2) {  // TILESTORED
    tiles.store(i.reg, i.base, i.index);
  } else if (i.opcode == 0x5e && !i.is_memory && i.prefix == 1) {  // TDPBUSD
    tiles.dot_u8s8(i.reg, i.rm, i.vvvv);
    ++products_made;
  } else if (i.opcode == 0x5c && !i.is_memory && i.prefix == 2) {  // TDPBF16PS
    tiles.dot_bf16(i.reg, i.rm, i.vvvv);
    ++products_made;
  } else {
    return false;
  }
  return true;
}

void handle(int, siginfo_t*, void* context) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  Instruction found;
  if (!decode(reinterpret_cast<const unsigned char*>(registers[REG_RIP]), registers, found) || !execute(found)) {
    std::abort();
  }
  ++instructions;
  registers[REG_RIP] = reinterpret_cast<greg_t>(found.next);
}

}  // namespace

TrappedAmx::TrappedAmx() {
  instructions = products_made = 0;
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, &before_);
}

TrappedAmx::~TrappedAmx() {
  sigaction(SIGILL, &before_, nullptr);
}

std::int64_t TrappedAmx::count() {
  return instructions;
}
std::int64_t TrappedAmx::products() {
  return products_made;
}

}  // namespace adze::kernel_test

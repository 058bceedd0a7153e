#include "adze/device/emulate.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/device/process.h"

namespace adze::device {
namespace {

/// Two layers of known length: a loop of two instructions that runs `turns` times, and a call of an empty function.
const char* loop_program = R"c(
int printf(const char *, ...);
void net_profile(int layer);
int numbers[25] = {1};
static volatile int zeros[250];
__attribute__((naked, noinline)) void spin(int turns) { __asm__ volatile("1: subs r0, #1\n\tbne 1b\n\tbx lr"); }
__attribute__((naked, noinline)) void nothing(void) { __asm__ volatile("bx lr"); }
__attribute__((noinline)) int deep(volatile int *out) { volatile int frame[512]; frame[511] = *out; frame[0] = 1;
                                                        return frame[511] + frame[0]; }
int main(void) {
  for (int run = 0; run < 2; ++run) {
    net_profile(0);
    spin(200);
    net_profile(1);
    nothing();
    net_profile(2);
  }
  zeros[3] = deep(numbers);
  printf("sum %d\n", zeros[numbers[0]] + zeros[3] - 7);
  return 5;
}
)c";

class Program {
 public:
  explicit Program(const std::string& text) { write_file(folder_.path() / "net.c", text); }
  EmulationRequest request(const std::string& core = "cortex-m4") const {
    EmulationRequest request;
    request.folder = folder_.path();
    request.sources = {"net.c"};
    request.core = core;
    request.time_limit_seconds = 20;
    return request;
  }

 private:
  TemporaryFolder folder_;
};

class EmulateOn : public ::testing::TestWithParam<std::string> {};

TEST_P(EmulateOn, counts_the_instructions_of_a_loop_exactly) {
  const Emulation emulation = emulate(Program(loop_program).request(GetParam()));
  if (!emulation.available) GTEST_SKIP() << "skipped: " << emulation.why_not;
  EXPECT_EQ(emulation.exit_code, 5);
  EXPECT_EQ(emulation.output, "sum -5\n");
  ASSERT_EQ(emulation.counter, Emulation::Counter::Plugin);
  EXPECT_EQ(emulation.runs, 2);
  ASSERT_EQ(emulation.layer_instructions.size(), 2u);
  EXPECT_EQ(emulation.layer_instructions[0], 2 * 200 + 3);  // the argument, the call, the return
  EXPECT_EQ(emulation.layer_instructions[1], 2);
  EXPECT_EQ(emulation.instructions, 405);
  EXPECT_EQ(emulation.mix[InstructionClass::Branch], 200 + 2 + 2);
  EXPECT_GE(emulation.stack_bytes, 2048);
  EXPECT_LE(emulation.stack_bytes, 2048 + 200);
  EXPECT_EQ(emulation.data_bytes, 100);
  EXPECT_GE(emulation.bss_bytes, 1000);
  EXPECT_LE(emulation.bss_bytes, 1008);  // alignment
  EXPECT_GT(emulation.text_bytes, 40);
  EXPECT_LT(emulation.text_bytes, 500);
}

TEST_P(EmulateOn, counts_by_emulated_time_without_the_plugin) {
  std::string text = loop_program;
  text.replace(text.find("spin(200)"), 9, "spin(200000)");
  const Program program(text);
  EmulationRequest request = program.request(GetParam());
  request.use_plugin = false;
  const Emulation emulation = emulate(request);
  if (!emulation.available) GTEST_SKIP() << "skipped: " << emulation.why_not;
  EXPECT_EQ(emulation.output, "sum -5\n");
  ASSERT_EQ(emulation.counter, Emulation::Counter::SysTick);
  EXPECT_EQ(emulation.runs, 2);
  ASSERT_EQ(emulation.layer_instructions.size(), 2u);
  EXPECT_NEAR(static_cast<double>(emulation.layer_instructions[0]), 400'003, 150);
  EXPECT_LE(emulation.layer_instructions[1], 100);
}

INSTANTIATE_TEST_SUITE_P(Cores, EmulateOn, ::testing::ValuesIn(emulated_cores()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(Emulate, stops_a_program_that_does_not_end) {
  EmulationRequest request = Program("").request();
  const Program endless("int main(void) { for (volatile int i = 0;; ++i) { } }");
  request = endless.request();
  request.time_limit_seconds = 0.3;
  const Emulation emulation = emulate(request);
  if (!emulation.available) GTEST_SKIP() << "skipped: " << emulation.why_not;
  EXPECT_TRUE(emulation.timed_out);
  EXPECT_NE(emulation.exit_code, 0);
}

TEST(Emulate, reports_a_fault_as_an_exit_code) {
  const Program program("int main(void) { return *(volatile int *)0xF0000000; }");
  const Emulation emulation = emulate(program.request());
  if (!emulation.available) GTEST_SKIP() << "skipped: " << emulation.why_not;
  EXPECT_EQ(emulation.exit_code, 70);
  EXPECT_NE(emulation.output.find("fault"), std::string::npos);
}

TEST(Emulate, shows_what_the_compiler_says) {
  const Program program("int main(void) { return nowhere; }");
  if (!find_program("arm-none-eabi-gcc") || !find_program("qemu-system-arm")) GTEST_SKIP() << "skipped: no toolchain";
  try {
    emulate(program.request());
    FAIL() << "compiled";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere"), std::string::npos);
  }
}

TEST(Emulate, says_which_tool_is_missing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  const Emulation emulation = emulate(Program(loop_program).request());
  setenv("PATH", path.c_str(), 1);
  EXPECT_FALSE(emulation.available);
  EXPECT_NE(emulation.why_not.find("arm-none-eabi-gcc"), std::string::npos);
}

TEST(Emulate, counts_by_emulated_time_where_qemu_takes_no_plugins) {
  const auto qemu = find_program("qemu-system-arm");
  if (!qemu || !find_program("arm-none-eabi-gcc")) GTEST_SKIP() << "skipped: no toolchain";
  const TemporaryFolder folder;
  const auto stand_in = folder.path() / "qemu-system-arm";
  write_file(stand_in,
             "#!/bin/sh\nfor a; do if [ \"$a\" = -plugin ]; then echo '-plugin: invalid option'; exit 1; fi; "
             "done\nexec " +
                 qemu->string() + " \"$@\"\n");
  std::filesystem::permissions(stand_in, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder.path().string() + ":" + path).c_str(), 1);
  const Emulation emulation = emulate(Program(loop_program).request());
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(emulation.exit_code, 5) << emulation.output;
  EXPECT_EQ(emulation.counter, Emulation::Counter::SysTick);
  EXPECT_NEAR(static_cast<double>(emulation.instructions), 405, 120);
}

TEST(Emulate, refuses_an_unknown_core) {
  EXPECT_THROW(emulate(Program(loop_program).request("cortex-a9")), UsageError);
}

}  // namespace
}  // namespace adze::device

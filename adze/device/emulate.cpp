#include "adze/device/emulate.h"

#include <charconv>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/device/assets.h"
#include "adze/device/board.h"
#include "adze/device/elf.h"
#include "adze/device/marks.h"
#include "adze/device/process.h"

namespace adze::device {

namespace {

using std::filesystem::path;

struct Tools {
  path compiler, emulator;
};

/// Writes boards/common and the core's linker script, and the plug-in.
void write_assets(const path& folder, const Board& board) {
  std::string script;
  for (const Asset& asset : assets()) {
    if (asset.path == board.core + "/memory.ld") script.insert(0, asset.text);
    if (asset.path == "common/sections.ld") script += asset.text;
    if (asset.path.starts_with("common/") && !asset.path.ends_with(".ld")) {
      write_file(folder / asset.path.substr(sizeof("common/") - 1), asset.text);
    }
  }
  write_file(folder / "program.ld", script);
  write_file(folder / "count.so", counting_plugin());
}

std::vector<std::string> compile_command(const EmulationRequest& request, const Tools& tools, const Board& board) {
  std::vector<std::string> command = {tools.compiler.string(), "-std=gnu99",          request.optimize_flag, "-mthumb",
                                      "-masm-syntax-unified",  "-ffunction-sections", "-fdata-sections"};
  command.insert(command.end(), board.compile_flags.begin(), board.compile_flags.end());
  command.insert(command.end(), request.compile_flags.begin(), request.compile_flags.end());
  return command;
}

void run_compiler(const std::vector<std::string>& command, const path& folder, const std::string& what) {
  const ProcessResult result = run_process(command, folder, {.seconds = 300});
  if (result.exit_code == 0) return;
  constexpr std::size_t enough = 2000;
  throw ModelError(cat(what, " does not compile for the emulated core", result.timed_out ? " within 5 minutes" : "",
                       ":\n", result.output.substr(0, enough)));
}

/// Objects of the test program and the board are called harness_*: the linker script keeps them apart.
void build(const EmulationRequest& request, const Tools& tools, const Board& board, const path& folder) {
  const auto compile = compile_command(request, tools, board);
  std::vector<std::string> link = compile;
  const auto add = [&](const path& source, const std::string& object, const std::vector<std::string>& flags) {
    std::vector<std::string> command = compile;
    command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), {"-I", source.parent_path().string(), "-c", source.string(), "-o", object});
    run_compiler(command, folder, source.filename().string());
    link.push_back(object);
  };
  std::vector<std::string> board_flags = {"-ffreestanding", "-fno-tree-loop-distribute-patterns"};
  if (request.profile) board_flags.push_back(cat("-DADZE_PROFILE=", request.profile_function));
  if (!request.use_plugin) board_flags.push_back("-DADZE_SYSTICK");
  add(folder / "startup.c", "harness_startup.o", board_flags);
  add(folder / "console.c", "harness_console.o", board_flags);
  for (std::size_t i = 0; i < request.sources.size(); ++i) {
    const path source = std::filesystem::absolute(request.folder) / request.sources[i];
    const bool test = request.sources[i].ends_with("_test.c");
    add(source, cat(test ? "harness_test_" : "net_", i, ".o"), {});
  }
  link.insert(link.end(), {"-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-T", "program.ld", "-o",
                           "program.elf", "-lm"});
  run_compiler(link, folder, "the program");
}

void read_sizes(const path& elf, Emulation& emulation) {
  const auto sizes = elf_section_bytes(MappedFile::open(elf)->bytes());
  const auto size = [&](const char* name) {
    const auto at = sizes.find(name);
    return at == sizes.end() ? std::int64_t{0} : at->second;
  };
  emulation.text_bytes = size(".text") + size(".rodata");
  emulation.data_bytes = size(".data");
  emulation.fast_bytes = size(".fast_ram");
  emulation.large_bytes = size(".large_ram");
  emulation.bss_bytes = size(".bss") + emulation.fast_bytes + emulation.large_bytes;
}

/// Takes one of the board's own closing lines off the output and gives its numbers.
std::vector<std::int64_t> take_board_line(std::string& output, std::string_view name) {
  std::vector<std::int64_t> numbers;
  const std::size_t at = output.rfind(cat("\nadze-board: ", name));
  if (at == std::string::npos) return numbers;
  for (const std::string& word : split(output.substr(at + 1), ' ')) {
    std::int64_t number = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), number).ec == std::errc()) numbers.push_back(number);
  }
  output.resize(at);
  return numbers;
}

/// Ticks of each layer of the first run, after their number of runs.
void read_ticks(const std::vector<std::int64_t>& numbers, double instructions_per_tick, Emulation& emulation) {
  if (numbers.size() < 2) return;
  emulation.counter = Emulation::Counter::SysTick;
  emulation.runs = static_cast<int>(numbers[0]);
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const auto count = static_cast<std::int64_t>(static_cast<double>(numbers[i]) * instructions_per_tick);
    emulation.layer_instructions.push_back(count);
    emulation.instructions += count;
  }
}

void read_counts(const path& file, Emulation& emulation) {
  if (!std::filesystem::exists(file)) return;
  const Marks marks = parse_marks(read_text_file(file));
  emulation.counter = Emulation::Counter::Plugin;
  emulation.runs = marks.runs;
  emulation.layer_mixes = marks.layers;
  for (const InstructionMix& layer : marks.layers) {
    emulation.mix += layer;
    emulation.layer_instructions.push_back(layer.instructions());
  }
  if (marks.layers.empty()) emulation.mix = marks.main;
  emulation.instructions = emulation.mix.instructions();
}

ProcessResult run_emulator(const EmulationRequest& request, const Tools& tools, const Board& board,
                           const path& folder) {
  std::vector<std::string> command = {tools.emulator.string()};
  command.insert(command.end(), board.machine.begin(), board.machine.end());
  command.insert(command.end(), {"-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config",
                                 "enable=on,target=native"});
  // Relative, because QEMU's option syntax would need commas in a path doubled.
  if (request.profile && request.use_plugin) command.insert(command.end(), {"-plugin", "./count.so,out=counts.txt"});
  if (request.profile && !request.use_plugin) command.insert(command.end(), {"-icount", "shift=0"});
  command.insert(command.end(), {"-kernel", "program.elf"});
  return run_process(command, folder, {.seconds = request.time_limit_seconds});
}

}  // namespace

std::vector<std::string> emulated_cores() {
  std::vector<std::string> names;
  for (const Board& board : boards()) names.push_back(board.core);
  return names;
}

std::vector<std::string> core_flags(const std::string& core) {
  return board_for(core).compile_flags;
}

Emulation emulate(const EmulationRequest& request) {
  const Board& board = board_for(request.core);
  Emulation emulation;
  const auto compiler = find_program("arm-none-eabi-gcc");
  const auto emulator = find_program("qemu-system-arm");
  if (!compiler || !emulator) {
    emulation.why_not =
        cat(!compiler ? "arm-none-eabi-gcc" : "qemu-system-arm", " is not installed (Debian: apt-get install ",
            !compiler ? "gcc-arm-none-eabi libnewlib-arm-none-eabi" : "qemu-system-arm", "); nothing was emulated");
    return emulation;
  }
  const Tools tools{*compiler, *emulator};
  const TemporaryFolder folder;
  write_assets(folder.path(), board);
  build(request, tools, board, folder.path());
  ProcessResult ran = run_emulator(request, tools, board, folder.path());
  const bool no_plugins = request.profile && request.use_plugin && ran.exit_code != 0 &&
                          !std::filesystem::exists(folder.path() / "counts.txt") &&
                          ran.output.find("plugin") != std::string::npos;
  if (no_plugins) {
    EmulationRequest again = request;
    again.use_plugin = false;
    return emulate(again);
  }
  emulation.available = true;
  read_sizes(folder.path() / "program.elf", emulation);
  emulation.exit_code = ran.exit_code;
  emulation.timed_out = ran.timed_out;
  emulation.output = std::move(ran.output);
  const auto stack = take_board_line(emulation.output, "stack");
  if (!stack.empty()) emulation.stack_bytes = stack.front();
  const auto ticks = take_board_line(emulation.output, "ticks");
  if (!ran.timed_out) read_counts(folder.path() / "counts.txt", emulation);
  if (!emulation.counted()) read_ticks(ticks, board.instructions_per_tick, emulation);
  return emulation;
}

}  // namespace adze::device

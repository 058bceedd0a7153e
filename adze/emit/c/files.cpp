#include "adze/emit/c/files.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::emit {

namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

std::string run_signature(const Network& network, const Interface& interface) {
  std::string text = cat("int ", network.options.name, "_run(");
  for (std::size_t i = 0; i < interface.inputs.size(); ++i) {
    text += cat(i == 0 ? "" : ", ", "const ", interface.inputs[i].type, " *", interface.inputs[i].macro);
  }
  for (const Port& port : interface.outputs) text += cat(", ", port.type, " *", port.macro);
  return text + ")";
}

std::vector<std::string> sources(const Network& network) {
  std::vector<std::string> names{cat(network.options.name, ".c")};
  for (const std::string& file : network.runtime) {
    if (file.ends_with(".c")) names.push_back(file);
  }
  if (network.options.weights_object) names.push_back(cat(network.options.name, "_weights.S"));
  return names;
}

std::string core_flags(const std::string& core) {
  if (core == "generic") return "cc";
  if (core == "cortex-m4") return "arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16";
  if (core == "cortex-m7") return "arm-none-eabi-gcc -mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16";
  if (core == "cortex-m55") return "arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -mfloat-abi=hard -mfpu=auto";
  return cat("arm-none-eabi-gcc -mcpu=", core, " -mthumb");
}

void print_port(Printer& printer, const std::string& prefix, const Port& port) {
  const std::string name = cat(prefix, upper(port.macro));
  printer.line(cat("/* ", port.name, ": ", port.type, " ", shape_text(port.shape),
                   port.channels_last ? ", channels last" : "", " */"));
  printer.line(cat("#define ", name, "_SIZE ", num_elements(port.shape)));
  if (port.scale > 0.0f) {
    printer.line(cat("#define ", name, "_SCALE ", constant_text(port.scale)));
    printer.line(cat("#define ", name, "_ZERO_POINT (", port.zero_point, ")"));
  }
}

}  // namespace

namespace {

void print_reset(Printer& run, const Network& network, const Interface& interface) {
  const std::string& name = network.options.name;
  if (interface.states.empty()) return;
  run.open(cat("void ", name, "_reset(void)"));
  for (std::size_t i = 0; i < interface.states.size(); ++i) {
    run.line(cat("memset(", name, "_state", i, ", ", interface.states[i].first_byte(), ", ",
                 interface.states[i].in.bytes, ");"));
  }
  run.line(cat(name, "_ready = 1;"));
  run.close();
  run.line();
}

}  // namespace

std::string compile_line(const Network& network) {
  return cat(core_flags(network.options.core), " -std=c99 ", network.options.optimize == Optimize::Size ? "-Os" : "-O2",
             " -c ", join(sources(network), " "));
}

std::string header_file(const Network& network, const Interface& interface, const Emission& emission) {
  const std::string& name = network.options.name;
  Printer printer;
  printer.line(cat("/* ", network.graph.name, ", written by adze for ", network.options.core, "."));
  printer.line();
  printer.line(cat("   Compile  ", compile_line(network)));
  printer.line(cat("   Memory   ", emission.arena_bytes, " bytes in ",
                   emission.arrays.size() == 1 ? "one static array" : cat(emission.arrays.size(), " static arrays"),
                   " (at least ", emission.lower_bound_bytes, " are alive at once), ", emission.weight_bytes,
                   " bytes of constants"));
  for (const EmittedArray& array : emission.arrays) {
    if (array.memory.empty()) continue;
    printer.line(cat("            ", array.bytes, " of them for ", array.memory, ": -D", array.macro,
                     "='__attribute__((section(\"...\")))'"));
  }
  printer.line("   */");
  printer.line(cat("#ifndef ", upper(name), "_H"));
  printer.line(cat("#define ", upper(name), "_H"));
  printer.line();
  printer.line("#include <stdint.h>");
  printer.line();
  for (const Port& port : interface.inputs) print_port(printer, upper(name) + "_", port);
  for (const Port& port : interface.outputs) print_port(printer, upper(name) + "_", port);
  printer.line(cat("#define ", upper(name), "_ARENA_BYTES ", emission.arena_bytes));
  printer.line(cat("#define ", upper(name), "_LAYERS ", emission.layers.size()));
  printer.line();
  printer.line("/* Computes the outputs and returns 0. Not for several threads at once. */");
  printer.line(cat(run_signature(network, interface), ";"));
  printer.line();
  printer.line("/* Where an input may be written to spare its copy: pass the same pointer to the call above. */");
  for (const Port& port : interface.inputs) {
    printer.line(cat(port.type, " *", name, "_", port.macro, "(void);"));
  }
  if (!interface.states.empty()) {
    printer.line();
    printer.line("/* Sets what is kept between calls to zero; the first call does so, too. */");
    printer.line(cat("void ", name, "_reset(void);"));
  }
  if (network.options.profile_hooks) {
    printer.line();
    printer.line("/* Yours: called before each layer with its number, and with the number of layers at the end. */");
    printer.line(cat("void ", name, "_profile(int layer);"));
  }
  printer.line();
  printer.line("#endif");
  return printer.text();
}

namespace {

/// 64-bit words: kernels keep words in their scratch memory, and some read a few bytes behind the last activation.
void print_array(Printer& printer, const EmittedArray& array, std::size_t index) {
  if (!array.macro.empty()) {
    printer.line(cat("/* For ", array.memory, ": define it as an attribute that puts the array there. */"));
    printer.line(cat("#ifndef ", array.macro));
    printer.line(cat("#define ", array.macro));
    printer.line("#endif");
  }
  printer.line(cat("static ", array.macro, array.macro.empty() ? "" : " ", "uint64_t ", array.name, "[",
                   (array.bytes + 7) / 8, "];"));
  printer.line(cat("#define AT", index == 0 ? std::string() : cat(index), "(offset) ((void *)((unsigned char *)",
                   array.name, " + (offset)))"));
}

}  // namespace

std::string source_file(const Network& network, const Interface& interface, const Emission& emission) {
  const std::string& name = network.options.name;
  Printer printer;
  printer.line(cat("#include \"", name, ".h\""));
  printer.line();
  printer.line("#include <string.h>");
  printer.line();
  if (network.runtime.contains("adze_float.h")) printer.line("#include \"adze_float.h\"");
  if (network.runtime.contains("adze_small.h")) printer.line("#include \"adze_small.h\"");
  if (network.runtime.contains("adze_s16.h")) printer.line("#include \"adze_s16.h\"");
  if (network.runtime.contains("adze_rows.h")) printer.line("#include \"adze_rows.h\"");
  printer.line("#include \"adze_runtime.h\"");
  printer.line();
  if (network.options.weights_object) printer.line(cat("extern const unsigned char ", name, "_weights[];"));
  for (std::size_t i = 0; i < emission.arrays.size(); ++i) print_array(printer, emission.arrays[i], i);
  printer.line();
  for (std::size_t i = 0; i < interface.states.size(); ++i) {
    printer.line(cat("static unsigned char ", name, "_state", i, "[", interface.states[i].in.bytes, "];"));
  }
  if (!interface.states.empty()) printer.line(cat("static int ", name, "_ready;"));
  std::string text = printer.text() + network.data.text() + "\n" + network.code.text();
  Printer run;
  for (const Port& port : interface.inputs) {
    run.open(cat(port.type, " *", name, "_", port.macro, "(void)"));
    run.line(cat("return (", port.type, " *)", network.at(port.offset), ";"));
    run.close();
    run.line();
  }
  print_reset(run, network, interface);
  run.open(run_signature(network, interface));
  if (!interface.states.empty()) run.line(cat("if (!", name, "_ready) ", name, "_reset();"));
  for (std::size_t i = 0; i < interface.states.size(); ++i) {
    const Port& in = interface.states[i].in;
    run.line(cat("memcpy(", network.at(in.offset), ", ", name, "_state", i, ", ", in.bytes, ");"));
  }
  for (const Port& port : interface.inputs) {
    if (port.type == "uint8_t") {  // kept as signed bytes
      run.line(cat("for (int i = 0; i < ", port.bytes, "; ++i) ((uint8_t *)", network.at(port.offset),
                   ")[i] = (uint8_t)(", port.macro, "[i] ^ 0x80u);"));
      continue;
    }
    run.line(cat("if ((const void *)", port.macro, " != ", network.at(port.offset), ") memcpy(",
                 network.at(port.offset), ", ", port.macro, ", ", port.bytes, ");"));
  }
  for (std::size_t i = 0; i < emission.layers.size(); ++i) {
    if (network.options.profile_hooks) run.line(cat(name, "_profile(", i, ");"));
    run.line(cat(emission.layers[i].name, "();"));
  }
  if (network.options.profile_hooks) run.line(cat(name, "_profile(", emission.layers.size(), ");"));
  for (const Port& port : interface.outputs) {
    if (port.type == "uint8_t") {
      run.line(cat("for (int i = 0; i < ", port.bytes, "; ++i) ", port.macro, "[i] = (uint8_t)(((const uint8_t *)",
                   network.at(port.offset), ")[i] ^ 0x80u);"));
      continue;
    }
    run.line(cat("memcpy(", port.macro, ", ", network.at(port.offset), ", ", port.bytes, ");"));
  }
  for (std::size_t i = 0; i < interface.states.size(); ++i) {
    const Port& out = interface.states[i].out;
    run.line(cat("memcpy(", name, "_state", i, ", ", network.at(out.offset), ", ", out.bytes, ");"));
  }
  run.line("return 0;");
  run.close();
  return text + run.text();
}

std::string weights_source(const Network& network) {
  const std::string name = cat(network.options.name, "_weights");
  Printer printer;
  printer.line(cat(
      "/* Tables of the network, lowest byte first. The assembler looks for the file where -I says: compile with -I"));
  printer.line("   and this folder. */");
  printer.line("  .section .rodata");
  printer.line(cat("  .global ", name));
  printer.line("  .balign 16");
  printer.line(cat(name, ":"));
  printer.line(cat("  .incbin \"", name, ".bin\""));
  printer.line("  .balign 4");
  printer.line("#if defined(__linux__) && defined(__ELF__)");
  printer.line("  .section .note.GNU-stack, \"\", %progbits");
  printer.line("#endif");
  return printer.text();
}

std::string cmake_file(const Network& network) {
  const std::string& name = network.options.name;
  Printer printer;
  printer.line("cmake_minimum_required(VERSION 3.13)");
  printer.line(cat("project(", name, network.options.weights_object ? " C ASM)" : " C)"));
  printer.line(cat("add_library(", name, " STATIC ", join(sources(network), " "), ")"));
  printer.line(cat("target_include_directories(", name, " PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})"));
  if (network.options.weights_object) {
    printer.line(cat("set_source_files_properties(", name,
                     "_weights.S PROPERTIES OBJECT_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/", name,
                     "_weights.bin COMPILE_OPTIONS -I${CMAKE_CURRENT_SOURCE_DIR})"));
  }
  printer.line(cat("set_target_properties(", name, " PROPERTIES C_STANDARD 99)"));
  if (!network.options.golden.empty()) {
    printer.line(cat("add_executable(", name, "_test ", name, "_test.c)"));
    printer.line(cat("target_link_libraries(", name, "_test ", name, ")"));
  }
  return printer.text();
}

namespace {

/// The tensor as the network's caller holds it.
Tensor stored(const Tensor& tensor, const Port& port) {
  return port.channels_last ? transposed(tensor, to_channels_last(tensor.shape().size())) : tensor;
}

void print_golden(Printer& printer, const std::string& name, const Tensor& tensor, const Port& port) {
  const Tensor lying = stored(tensor, port);
  if (num_elements(lying.shape()) != num_elements(port.shape)) {
    throw UsageError(cat("a golden tensor for ", quoted(port.name), " is ", type_text(tensor)));
  }
  if (port.type == "float") {
    printer.array("float", name, lying.data<float>());
  } else if (port.type == "uint8_t") {
    std::vector<std::int16_t> values;
    for (const std::uint8_t value : lying.data<std::uint8_t>()) values.push_back(value);
    printer.array("uint8_t", name, std::span<const std::int16_t>(values));
  } else if (port.type == "int16_t") {
    printer.array("int16_t", name, lying.data<std::int16_t>());
  } else {
    printer.array("int8_t", name, lying.data<std::int8_t>());
  }
}

void print_check(Printer& printer, const std::string& name, const Port& port) {
  printer.open(cat("for (int i = 0; i < ", num_elements(port.shape), "; ++i)"));
  if (port.type == "float") {
    printer.line(cat("const float difference = ", port.macro, "[i] - ", name, "[i];"));
    printer.line(cat("const float size = ", name, "[i] < 0.0f ? -", name, "[i] : ", name, "[i];"));
    printer.line("if ((difference < 0.0f ? -difference : difference) <= 1e-4f + 1e-4f * size) ++equal;");
  } else {
    printer.line(cat("if (", port.macro, "[i] == ", name, "[i]) ++equal;"));
  }
  printer.line("++total;");
  printer.close();
}

}  // namespace

std::string test_file(const Network& network, const Interface& interface) {
  const std::string& name = network.options.name;
  Printer printer;
  printer.line(cat("/* Runs known inputs and compares every output. Prints \"equal N of N\"; 0: all are equal. */"));
  printer.line("#include <stdio.h>");
  printer.line("#include <string.h>");
  printer.line();
  printer.line(cat("#include \"", name, ".h\""));
  printer.line();
  for (const Port& port : interface.outputs) {
    printer.line(cat("static ", port.type, " ", port.macro, "[", num_elements(port.shape), "];"));
  }
  const auto& golden = network.options.golden;
  const auto label = [](const Port& port, std::size_t run) { return cat("golden_", port.macro, "_", run); };
  for (std::size_t run = 0; run < golden.size(); ++run) {
    if (golden[run].inputs.size() != interface.inputs.size() ||
        golden[run].outputs.size() != interface.outputs.size()) {
      throw UsageError("golden tensors must be as many as the network's inputs and outputs");
    }
    for (std::size_t i = 0; i < interface.inputs.size(); ++i) {
      print_golden(printer, label(interface.inputs[i], run), golden[run].inputs[i], interface.inputs[i]);
    }
    for (std::size_t i = 0; i < interface.outputs.size(); ++i) {
      print_golden(printer, label(interface.outputs[i], run), golden[run].outputs[i], interface.outputs[i]);
    }
  }
  printer.line();
  printer.open("int main(void)");
  printer.line("int equal = 0, total = 0;");
  for (std::size_t run = 0; run < golden.size(); ++run) {
    std::string call = cat("if (", name, "_run(");
    for (std::size_t i = 0; i < interface.inputs.size(); ++i) {
      const Port& port = interface.inputs[i];
      printer.line(
          cat("memcpy(", name, "_", port.macro, "(), ", label(port, run), ", sizeof ", label(port, run), ");"));
      call += cat(i == 0 ? "" : ", ", name, "_", port.macro, "()");
    }
    for (const Port& port : interface.outputs) call += cat(", ", port.macro);
    printer.line(cat(call, ") != 0) return 2;"));
    for (const Port& port : interface.outputs) print_check(printer, label(port, run), port);
  }
  printer.line("printf(\"equal %d of %d\\n\", equal, total);");
  printer.line("return equal == total ? 0 : 1;");
  printer.close();
  return printer.text();
}

}  // namespace adze::emit

# Embeds examples/demo/demo.onnx as an object, by the assembler's .incbin.
set(demo_source ${CMAKE_SOURCE_DIR}/examples/demo/demo.onnx)
set(demo_assembly ${CMAKE_BINARY_DIR}/generated/demo_network.S)
file(WRITE ${demo_assembly} ".section .rodata\n.global adze_demo_network_begin\n.global adze_demo_network_end\n.balign 64\n\
adze_demo_network_begin:\n.incbin \"${demo_source}\"\nadze_demo_network_end:\n.section .note.GNU-stack,\"\",@progbits\n")
enable_language(ASM)
target_sources(adze PRIVATE ${demo_assembly})
set_source_files_properties(${demo_assembly} PROPERTIES OBJECT_DEPENDS ${demo_source})

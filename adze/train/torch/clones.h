#pragma once

// For functions whose loops the compiler vectorizes (files built with -O3, cmake/training.cmake): the clones choose the
// widest registers at load time.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define ADZE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ADZE_CLONES
#endif

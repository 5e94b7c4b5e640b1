// Instruction sets: every simd/*.cc is compiled once for each, into a namespace of its name.
//
// A family's table of kernels is declared with TCN_TABLE and fetched with <name>_for(isa, wide):
// entry 0 of a table serves float, entry 1 double.
#pragma once
#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define TCN_X86 1
#endif

// For every function of a header that is not in the namespace of an instruction set: a copy that is
// not inlined could be compiled with AVX-512, and be the one that the linker keeps for all.
#if defined(__GNUC__)
#define TCN_INLINE inline __attribute__((always_inline))
#else
#define TCN_INLINE __forceinline
#endif

// For a body that needs all registers: inlined, it would share them with what is around it.
#if defined(__GNUC__)
#define TCN_APART __attribute__((noinline))
#else
#define TCN_APART __declspec(noinline)
#endif

enum Isa { BASELINE = 0, AVX2 = 1, AVX512 = 2 };

#ifdef TCN_X86
#define TCN_TABLE(Kernels, name)                            \
  namespace baseline {                                      \
  extern const Kernels name[2];                             \
  }                                                         \
  namespace avx2 {                                          \
  extern const Kernels name[2];                             \
  }                                                         \
  namespace avx512 {                                        \
  extern const Kernels name[2];                             \
  }                                                         \
  TCN_INLINE const Kernels* name##_for(int isa, int wide) { \
    return isa == AVX512 ? &avx512::name[wide]              \
           : isa == AVX2 ? &avx2::name[wide]                \
                         : &baseline::name[wide];           \
  }
#else
#define TCN_TABLE(Kernels, name) \
  namespace baseline {           \
  extern const Kernels name[2];  \
  }                              \
  TCN_INLINE const Kernels* name##_for(int, int wide) { return &baseline::name[wide]; }
#endif

// Checks of addresses that only the debug build (TINYCNN_DEBUG=1) makes: see setup.py.
#ifdef TCN_DEBUG
#include <cstdio>
#include <cstdlib>
#define TCN_ASSERT(condition)                                                             \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: out of bounds: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (0)
#else
#define TCN_ASSERT(condition) ((void)0)
#endif

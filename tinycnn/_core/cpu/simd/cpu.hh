// What this processor and this build can do.
#pragma once
#include "isa.hh"
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(TCN_X86) && defined(_MSC_VER)
#include <intrin.h>
#endif

// The best instruction set that the processor and the operating system support.
inline int best_isa() {
#if defined(TCN_X86) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#elif defined(TCN_X86) && defined(_MSC_VER)
  int r[4];
  __cpuidex(r, 1, 0);
  bool saves_registers = (r[2] >> 27) & 1, fma = (r[2] >> 12) & 1;
  if (!saves_registers) return BASELINE;
  unsigned long long saved = _xgetbv(0);
  __cpuidex(r, 7, 0);
  bool avx2 = (r[1] >> 5) & 1, f = (r[1] >> 16) & 1, dq = (r[1] >> 17) & 1, bw = (r[1] >> 30) & 1,
       vl = (unsigned(r[1]) >> 31) & 1;
  if (f && dq && bw && vl && (saved & 0xe6) == 0xe6) return AVX512;
  if (avx2 && fma && (saved & 6) == 6) return AVX2;
#endif
  return BASELINE;
}

inline bool has_openmp() {
#ifdef _OPENMP
  return true;
#else
  return false;
#endif
}

// OMP_NUM_THREADS if it is set, else the processors that this process may run on.
inline int default_threads() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

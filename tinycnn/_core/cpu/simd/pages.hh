// Memory from the system, 64-byte aligned, and how much of it there is.
#pragma once
#include <cstdint>
#include <cstdlib>
#if defined(_WIN32)
#include <malloc.h>
#include <windows.h>
#else
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

inline char* new_pages(int64_t bytes) {
#if defined(_WIN32)
  return static_cast<char*>(_aligned_malloc(bytes, 64));
#else
  // From 4 MB on, let Linux back it by huge pages, as NumPy does for its own arrays.
  const bool huge = bytes >= int64_t(1) << 22;
  void* memory = nullptr;
  if (posix_memalign(&memory, huge ? 4096 : 64, bytes)) return nullptr;
#if defined(__linux__)
  if (huge) madvise(memory, bytes, MADV_HUGEPAGE);  // advice: refused without harm
#endif
  return static_cast<char*>(memory);
#endif
}

inline void free_pages(char* memory) {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

// Bytes of memory that this machine has.
inline int64_t physical_memory() {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? int64_t(status.ullTotalPhys) : int64_t(1) << 30;
#else
  const int64_t pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && size > 0 ? pages * size : int64_t(1) << 30;
#endif
}

// Scratch memory: one growing buffer for each thread and purpose, kept for the next call, so that a
// steady training loop touches no fresh pages. 64-byte aligned; contents are whatever was left.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "pages.hh"

enum Purpose { PACKED = 0, TILE = 1, PARTIAL = 2, PURPOSES = 3 };

struct Scratch {
  char* memory = nullptr;
  int64_t size = 0;
  ~Scratch() { free_pages(memory); }

  void* at_least(int64_t bytes) {
    if (bytes > size) {
      free_pages(memory);
      memory = new_pages(bytes);
      size = memory ? bytes : 0;
    }
    return memory;
  }
};

// Null if there is no memory; otherwise valid until this thread asks again for the same purpose.
inline void* scratch(int purpose, int64_t bytes) {
  static thread_local Scratch buffers[PURPOSES];
  return buffers[purpose].at_least(bytes > 0 ? bytes : 1);
}

// A buffer for each of some threads, which the calling thread owns: what a thread wrote lies at the
// same place in the next call, in that thread's cache. Null if there is no memory.
inline void** scratch_of_threads(int threads, int64_t bytes) {
  static thread_local std::deque<Scratch> buffers;
  static thread_local std::vector<void*> places;
  while (int(buffers.size()) < threads) buffers.emplace_back();
  places.resize(buffers.size());
  for (int i = 0; i < threads; ++i)
    if (!(places[i] = buffers[i].at_least(bytes > 0 ? bytes : 1))) return nullptr;
  return places.data();
}

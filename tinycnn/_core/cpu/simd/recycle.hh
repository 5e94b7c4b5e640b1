// Memory of large arrays, kept when it is freed and handed out again: a training loop asks for the
// same sizes in every step, and a fresh page costs the kernel as much as streaming it several
// times.
//
//   | capacity, padding to 64 bytes | numbers ... |
//   ^ aligned to 64                 ^ handed out
//
// Sizes are rounded up to eight classes an octave, so that what is freed fits what is asked for.
// Freed blocks wait in the order in which they were freed; the newest of a class is taken, and the
// oldest are given back to the system when too much waits, or when one waited for too long.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>

#include "pages.hh"

class Recycler {
  static const int64_t HEADER = 64, PATIENCE = 4096;  // PATIENCE: blocks freed since this one was
  struct Block {
    char* memory;
    int64_t capacity, freed_at;
  };
  std::deque<Block> waiting_;
  std::mutex mutex_;
  int64_t held_ = 0, freed_ = 0, limit_;

  static int64_t capacity_of(int64_t bytes) {
    int64_t step = 64;
    while (step * 16 < bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  void drop_oldest() {
    held_ -= waiting_.front().capacity;
    free_pages(waiting_.front().memory);
    waiting_.pop_front();
  }

  char* waiting(int64_t capacity) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto block = waiting_.rbegin(); block != waiting_.rend(); ++block)
      if (block->capacity == capacity) {
        char* memory = block->memory;
        waiting_.erase(std::next(block).base());
        held_ -= capacity;
        return memory;
      }
    return nullptr;
  }

 public:
  explicit Recycler(int64_t limit) : limit_(limit) {}

  // Null if there is no memory.
  void* allocate(int64_t bytes) {
    if (bytes < 0 || bytes > INT64_MAX / 2) return nullptr;
    const int64_t capacity = capacity_of(bytes);
    char* memory = waiting(capacity);
    if (!memory) memory = new_pages(capacity + HEADER);
    if (!memory) {
      release();
      memory = new_pages(capacity + HEADER);
      if (!memory) return nullptr;
    }
    std::memcpy(memory, &capacity, sizeof capacity);
    return memory + HEADER;
  }

  void free(void* numbers) {
    if (!numbers) return;
    Block block{static_cast<char*>(numbers) - HEADER, 0, 0};
    std::memcpy(&block.capacity, block.memory, sizeof block.capacity);
    std::lock_guard<std::mutex> lock(mutex_);
    block.freed_at = ++freed_;
    held_ += block.capacity;
    waiting_.push_back(block);
    while (held_ > limit_ || freed_ - waiting_.front().freed_at > PATIENCE) drop_oldest();
  }

  void* reallocate(void* numbers, int64_t bytes) {
    void* moved = allocate(bytes);
    if (!moved || !numbers) return moved;
    int64_t before;
    std::memcpy(&before, static_cast<char*>(numbers) - HEADER, sizeof before);
    std::memcpy(moved, numbers, before < bytes ? before : bytes);
    free(numbers);
    return moved;
  }

  void release() {
    std::lock_guard<std::mutex> lock(mutex_);
    while (!waiting_.empty()) drop_oldest();
  }

  int64_t held() {
    std::lock_guard<std::mutex> lock(mutex_);
    return held_;
  }
};

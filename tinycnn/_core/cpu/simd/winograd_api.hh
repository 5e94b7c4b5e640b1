// Winograd's convolution of square windows, stride 1: sizes only; the same for every number type.
#pragma once
#include "winograd_tiles.hh"

// How the tiles of all maps are cut into tasks: blocks of tiles, and groups of written channels.
struct Winograd : MapTiles {
  using MapTiles::MapTiles;
  int64_t block, blocks;  // the most tiles of a block, and how many blocks there are
  int64_t panels;         // strips of NR written channels
  int64_t group, groups;  // panels of a task, and how many such groups
  // Channels that are multiplied at a time. Where there is one block, each weight is used by one
  // task, which transforms so many channels of its weights at a time, in its own cache; else all of
  // them are transformed beforehand, for all tasks.
  int64_t depth;
  bool packs;  // beforehand
};

// How a weight gradient is cut into tasks: rounds of tiles, one after the other; in each, blocks of
// read channels x blocks of written channels, and enough tasks for each of them.
struct WinogradSums : MapTiles {
  using MapTiles::MapTiles;
  int64_t round, rounds;        // tiles of a round
  int64_t c_block, c_blocks;    // read channels of a task
  int64_t oc_block, oc_blocks;  // written channels of a task
  int64_t block;                // tiles that are multiplied at a time
  // Where channels are one block, a task is a chunk of tiles, and transforms them itself. Where
  // they are more, a round begins with the transforms of its tiles, so many at a time, for all
  // tasks, and a task is a part of the positions.
  bool shares;
  int64_t chunk, chunks;
  int64_t part, parts;
  int64_t see_block, see_blocks;

  TCN_INLINE int64_t blocks() const { return c_blocks * oc_blocks; }
  TCN_INLINE int64_t sees() const { return shares ? (c_blocks + oc_blocks) * see_blocks : 0; }
  TCN_INLINE int64_t tasks() const { return chunks * parts * blocks(); }
  TCN_INLINE bool finishes() const { return rounds * chunks * parts == 1; }  // a task, its sums
};

struct WinogradKernels {
  Winograd (*plan)(const Gather*, int64_t threads);
  int64_t (*packed_size)(const Gather*, const Winograd*);  // numbers
  int64_t (*scratch)(const Gather*, const Winograd*);      // numbers, for a thread
  void (*pack)(const Gather*, const Winograd*, int64_t panel, const void* weight, void* packed);
  void (*tile)(const Gather*, const Winograd*, int64_t task, const void* x, const void* weight,
               const void* packed, const void* bias, void* y, void* scratch);
  WinogradSums (*weight_plan)(const Gather*);
  int64_t (*weight_seen)(const WinogradSums*);     // numbers, for all
  int64_t (*weight_partial)(const WinogradSums*);  // numbers, for all
  int64_t (*weight_scratch)(const WinogradSums*);  // numbers, for a thread
  void (*weight_see)(const Gather*, const WinogradSums*, int64_t round, int64_t task, const void* x,
                     const void* grad_y, void* seen);
  void (*weight_sum)(const Gather*, const WinogradSums*, int64_t round, int64_t task, const void* x,
                     const void* grad_y, void* seen, void* partial, void* grad_weight,
                     void* scratch);
  // Of the channels of one task of a chunk: adds the chunks, and writes the gradient.
  void (*weight_finish)(const Gather*, const WinogradSums*, int64_t task, const void* partial,
                        void* grad_weight);
};

// The three products of the convolution can be Winograd's: groups 1, windows of 3 x 3 or 5 x 5
// pixels of a plane, moved by one pixel; the results lie one after the other.
TCN_INLINE bool winograd_fits(const Gather& g) {
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  bool fits = g.groups == 1 && d.taps == 1 && d.step == 1 && d.first == 0 && d.in == d.out &&
              d.store_step == 1 && d.store0 == 0 && h.taps == w.taps &&
              (h.taps == 3 || h.taps == 5);
  for (int i = 1; i < 3; ++i) {
    const Axis& a = g.axis[i];
    fits = fits && a.step == 1 && a.store_step == 1 && a.store0 == 0;
  }
  return fits;
}

// Whether it is faster than the direct convolution, by measured crossovers: its transforms want to
// be shared by 16 channels on either side and its weights by 8 tiles, and small maps must leave it
// half as many multiplications.
TCN_INLINE bool winograd_pays(const Gather& g) {
  const MapTiles t(g);
  return g.c >= 16 && g.oc >= 16 && t.tiles >= 8 && 2 * t.cost() <= g.taps() * g.pixels();
}

TCN_TABLE(WinogradKernels, winograd_kernels)

// Winograd's convolution of narrow groups, 3x3 windows, stride 1: sizes only.
#pragma once
#include "winograd_api.hh"

// How tiles and channels are cut into tasks: chunks of tiles x blocks of units. A unit is what one
// product serves: a group, or a vector of whole groups where they are narrower. It depends on the
// sizes only, never on the number of threads.
struct GroupedWinograd : MapTiles {
  using MapTiles::MapTiles;
  int64_t unit, units;              // channels of a unit; units in all
  int64_t unit_block, unit_blocks;  // units of a task; so many blocks of units
  int64_t block;                    // tiles that are seen at a time
  int64_t chunk, chunks;            // tiles of a task; so many chunks
};

struct GroupedWinogradKernels {
  int64_t (*fits)(const Gather*);  // whether this is what it serves
  GroupedWinograd (*plan)(const Gather*);
  GroupedWinograd (*weight_plan)(const Gather*);
  int64_t (*scratch)(const Gather*, const GroupedWinograd*);  // numbers, for a thread
  void (*tiles)(const Gather*, const GroupedWinograd*, int64_t task, const void* x,
                const void* weight, const void* bias, void* y, void* scratch);
  int64_t (*weight_partial)(const Gather*, const GroupedWinograd*);  // numbers, for all
  int64_t (*weight_scratch)(const Gather*, const GroupedWinograd*);  // numbers, for a thread
  void (*weight_sum)(const Gather*, const GroupedWinograd*, int64_t task, const void* x,
                     const void* grad_y, void* partial, void* grad_weight, void* scratch);
  // Of one block of units, where there are several chunks: adds them, and writes the gradient.
  void (*weight_finish)(const Gather*, const GroupedWinograd*, int64_t block, const void* partial,
                        void* grad_weight);
};

// A 3x3 convolution, not dilated, of groups that read as many channels as they write, 8 or more.
TCN_INLINE bool grouped_winograd_fits(const Gather& g) {
  Gather one = g;
  one.groups = 1;
  return g.groups > 1 && g.c == g.oc && g.c >= 8 && g.axis[1].taps == 3 && g.axis[1].delta == 1 &&
         g.axis[2].delta == 1 && winograd_fits(one);
}

// Whether it is faster than the direct convolution, by measured crossovers: its weights want to be
// shared by some tiles, and tiles that stick out of small maps must leave it half as many
// multiplications.
TCN_INLINE bool grouped_winograd_pays(const Gather& g) {
  const MapTiles t(g, false);
  return t.tiles >= 8 && 2 * t.cost() <= 9 * g.pixels();
}

TCN_TABLE(GroupedWinogradKernels, grouped_winograd_kernels)

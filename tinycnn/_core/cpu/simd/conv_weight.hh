// Gradient of the weights: the same outer product as the forward pass, with k running over pixels.
//
//     grad_weight [taps * C][OC]  =  sum over pixels p of   rows[p][taps * C] (outer) grad_y[p][OC]
//
// Columns of the im2col tile are the rows of the product, read where they lie (tile.hh, columns);
// grad_y is the panel of B where it lies. Pixels are summed in chunks and the chunks in order, so
// the sum is the same for any number of threads.
#pragma once
#include "conv.hh"

namespace TCN_ISA {

// Up to 8 chunks of pixels while the partial sums are small, 2 when they are large; blocks of taps
// that keep a tile of rows in the second cache.
template <class T>
WeightTasks weight_tasks(const Gather* g) {
  WeightTasks t;
  const int64_t pixels = g->pixels(), taps = g->taps();
  t.width = round_up(g->oc, LANES<T>);
  t.block_taps = most(1, least(taps, 768 / g->c));
  t.tap_blocks = ceil_div(taps, t.block_taps);
  t.tile_pixels = most(64, least(256, 65536 / (t.block_taps * g->c)));
  const int64_t chunks = g->depth() * t.width <= 65536 ? 8 : 2;
  t.chunk_pixels = round_up(ceil_div(pixels, chunks), t.tile_pixels);
  t.chunks = ceil_div(pixels, t.chunk_pixels);
  return t;
}

template <class T>
int64_t weight_scratch(const Gather* g, const WeightTasks* t) {
  return t->tile_pixels * (row_stride<T>(t->block_taps * g->c) + NR<T>) + 2 * NR<T>;
}

// A panel of grad_y, [pixels][width], padded with zeros: packed, since pixels a multiple of 1 KB apart
// would fall into the same few sets of the first cache.
template <class T>
void copy_panel(const T* from, int64_t stride, int64_t pixels, int64_t columns, int width, T* to) {
  for (int64_t p = 0; p < pixels; ++p, from += stride, to += width)
    for (int j = 0; j < width; j += LANES<T>) {
      const int64_t some = columns - j;
      store(to + j, some >= LANES<T> ? load(from + j) : load_some(from + j, int(most(some, 0))));
    }
}

// One task: a chunk of pixels and a block of taps of one group, into its own part of `partial`,
// [group][chunk][taps * C][width].
template <class T>
void weight_gather(const Gather* plan, const WeightTasks* t, int64_t task, const void* x_,
                   const void* grad_y_, void* partial_, void* scratch) {
  const Gather& g = *plan;
  const int64_t block = task % t->tap_blocks, chunk = task / t->tap_blocks % t->chunks,
                group = task / t->tap_blocks / t->chunks;
  const int64_t tap0 = block * t->block_taps, tap1 = least(g.taps(), tap0 + t->block_taps);
  const int64_t height = (tap1 - tap0) * g.c, stride = row_stride<T>(t->block_taps * g.c);
  const int64_t end = least(g.pixels(), (chunk + 1) * t->chunk_pixels);
  T* partial = static_cast<T*>(partial_) + ((group * t->chunks + chunk) * g.taps() + tap0) * g.c * t->width;
  T* panel = static_cast<T*>(scratch);
  T* rows = panel + t->tile_pixels * NR<T>;
  bool add = false;
  for (int64_t from = chunk * t->chunk_pixels; from < end; from += t->tile_pixels, add = true) {
    const int64_t count = least(t->tile_pixels, end - from);
    fill_tile(g, static_cast<const T*>(x_), group, from, count, tap0, tap1, rows, stride);
    const T* grad_y = static_cast<const T*>(grad_y_) + from * g.y_channels() + group * g.oc;
    for (int64_t first = 0; first < t->width; first += NR<T>) {
      const int columns = int(least(NR<T>, t->width - first));
      copy_panel(grad_y + first, g.y_channels(), count, least(columns, g.oc - first), columns, panel);
      multiply_rows<T, false>(height, Tile<T>{count, rows, stride, panel, columns, nullptr, add,
                                              partial + first, t->width, columns});
    }
  }
}

// Adds the chunks, for a vector of written channels, and writes them where the weights have them: a
// row of (C, KH, KW) for each channel, from front to back.
template <class T>
void weight_finish(const Gather* plan, const WeightTasks* t, int64_t task, const void* partial_,
                   void* grad_weight) {
  const Gather& g = *plan;
  const int64_t vectors = t->width / LANES<T>, group = task / vectors, first = task % vectors * LANES<T>;
  const int64_t lanes = least(LANES<T>, g.oc - first), chunk_size = g.depth() * t->width;
  const T* partial = static_cast<const T*>(partial_) + group * t->chunks * chunk_size + first;
  T* to = static_cast<T*>(grad_weight) + group * g.w_group + first * g.w_out;
  for (int64_t c = 0; c < g.c; ++c) {
    int64_t tap = 0;
    for (int64_t d = 0; d < g.axis[0].taps; ++d)
      for (int64_t h = 0; h < g.axis[1].taps; ++h)
        for (int64_t w = 0; w < g.axis[2].taps; ++w, ++tap) {
          const T* from = partial + (tap * g.c + c) * t->width;
          Vec<T> sum = load(from);
          for (int64_t chunk = 1; chunk < t->chunks; ++chunk) sum += load(from + chunk * chunk_size);
          T* place = to + c * g.w_in + d * g.w_tap[0] + h * g.w_tap[1] + w * g.w_tap[2];
          for (int64_t l = 0; l < lanes; ++l) place[l * g.w_out] = sum[l];
        }
  }
}

// --- gradient of the bias --------------------------------------------------------------------

// Sum of `rows` rows of c numbers, for each column, into partial[c] of chunk `chunk`.
template <class T>
void sum_rows(const void* x_, int64_t rows, int64_t c, int64_t chunk, void* partial_) {
  const T* x = static_cast<const T*>(x_);
  T* out = static_cast<T*>(partial_) + chunk * c;
  for (int64_t j = 0; j < c; ++j) out[j] = T(0);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < c; ++j) out[j] += x[r * c + j];
}

template <class T>
void sum_partials(const void* partial, int64_t partials, int64_t c, void* out_) {
  T* out = static_cast<T*>(out_);
  for (int64_t j = 0; j < c; ++j) out[j] = T(0);
  for (int64_t i = 0; i < partials; ++i)
    for (int64_t j = 0; j < c; ++j) out[j] += static_cast<const T*>(partial)[i * c + j];
}

}  // namespace TCN_ISA

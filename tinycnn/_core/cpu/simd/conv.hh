// Convolution by tile-wise im2col: the pixels of a tile become rows of numbers, and the rows are
// multiplied with packed weights by the micro-kernel (tile.hh). The full column matrix, KH * KW times
// the input, never exists: a tile of it lies in the cache.
//
//     x (N, D, H, W, C)         rows [pixels][taps * C]        weights, packed [taps * C][NR]
//     +-------------+           pixel 0 | tap 0 | tap 1 | ...      x     panel of NR channels
//     |  window  -> |   copy    pixel 1 | tap 0 | tap 1 | ...
//     +-------------+   --->    ...                                =     y [pixels][NR]
//
// With channels last, the taps of a row of the window lie side by side in x: one copy of KW * C
// numbers. A tile's cost is pixels * taps * C numbers copied, and OC times as many multiply-adds.
#pragma once
#include "conv_api.hh"
#include "tile.hh"

namespace TCN_ISA {

TCN_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
TCN_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
TCN_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
TCN_INLINE int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// Numbers from the start of one row to the next. Rows a multiple of 1 KB apart would fall into the
// same few sets of the first cache, so they are moved apart by a vector.
template <class T>
TCN_INLINE int64_t row_stride(int64_t depth) {
  return depth * int64_t(sizeof(T)) % 1024 == 0 ? depth + LANES<T> : depth;
}

// Copies for rows that are written from front to back: whole vectors, so up to one vector of what
// follows is overwritten, and filled by the next copy. Reads never pass the end of x.
template <class T>
TCN_INLINE void copy_run(T* to, const T* from, int64_t n, const T* x_end) {
  if (from + n + LANES<T> <= x_end) {
    for (int64_t i = 0; i < n; i += LANES<T>) store(to + i, load(from + i));
  } else {
    TCN_ASSERT(from + n <= x_end);
    std::memcpy(to, from, n * sizeof(T));
  }
}

template <class T>
TCN_INLINE void zero_run(T* to, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES<T>) store(to + i, Vec<T>{});
}

// A pixel of the gather, counted through images, planes, rows.
struct Pixel {
  int64_t n, d, h, w;
  static TCN_INLINE Pixel at(const Gather& g, int64_t p) {
    Pixel r;
    r.w = p % g.axis[2].out, p /= g.axis[2].out;
    r.h = p % g.axis[1].out, p /= g.axis[1].out;
    r.d = p % g.axis[0].out;
    r.n = p / g.axis[0].out;
    return r;
  }
  TCN_INLINE void next(const Gather& g) {
    if (++w < g.axis[2].out) return;
    w = 0;
    if (++h < g.axis[1].out) return;
    h = 0;
    if (++d < g.axis[0].out) return;
    d = 0;
    ++n;
  }
};

// Taps [t0, t1) of one row of the window (fixed tap along D and H) for one pixel: the part inside x is
// copied, the part in the padding is zero. Returns the place behind what was written.
template <class T>
TCN_INLINE T* fill_window_row(const Gather& g, const T* x_row, bool inside, int64_t w, int64_t t0,
                              int64_t t1, const T* x_end, T* to) {
  const Axis& a = g.axis[2];
  const int64_t xc = g.x_channels();
  if (!inside) {
    zero_run(to, (t1 - t0) * g.c);
    return to + (t1 - t0) * g.c;
  }
  const int64_t start = w * a.step + a.first;
  if (a.delta == 1 && g.groups == 1) {  // the taps lie side by side
    const int64_t lo = least(most(t0, -start), t1), hi = most(least(t1, a.in - start), lo);
    if (lo > t0) zero_run(to, (lo - t0) * g.c);
    if (hi > lo) copy_run(to + (lo - t0) * g.c, x_row + (start + lo) * xc, (hi - lo) * g.c, x_end);
    if (t1 > hi) zero_run(to + (hi - t0) * g.c, (t1 - hi) * g.c);
    return to + (t1 - t0) * g.c;
  }
  for (int64_t t = t0; t < t1; ++t, to += g.c) {
    const int64_t position = start + t * a.delta;
    if (position >= 0 && position < a.in) copy_run(to, x_row + position * xc, g.c, x_end);
    else zero_run(to, g.c);
  }
  return to;
}

// im2col of one pixel: `count` taps of its window from tap (td, th, tw) on. `x` points at the group's
// first channel.
struct Taps {
  int64_t d, h, w, count;
  static TCN_INLINE Taps range(const Gather& g, int64_t from, int64_t to) {
    const int64_t kw = g.axis[2].taps, kh = g.axis[1].taps;
    return Taps{from / kw / kh, from / kw % kh, from % kw, to - from};
  }
};

template <class T>
TCN_INLINE void fill_row(const Gather& g, const T* x, const T* x_end, const Pixel& p, Taps tap, T* to) {
  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
  while (tap.count > 0) {
    const int64_t end = least(aw.taps, tap.w + tap.count);
    const int64_t d = p.d * ad.step + ad.first + tap.d * ad.delta;
    const int64_t h = p.h * ah.step + ah.first + tap.h * ah.delta;
    const bool inside = d >= 0 && d < ad.in && h >= 0 && h < ah.in;
    const T* x_row = x + ((p.n * ad.in + d) * ah.in + h) * aw.in * g.x_channels();
    to = fill_window_row(g, x_row, inside, p.w, tap.w, end, x_end, to);
    tap.count -= end - tap.w;
    tap.w = 0;
    if (++tap.h == ah.taps) tap.h = 0, ++tap.d;
  }
}

// im2col of a tile: pixels [from, from + count), rows `stride` apart.
template <class T>
TCN_INLINE void fill_tile(const Gather& g, const T* x, int64_t group, int64_t from, int64_t count,
                          int64_t tap0, int64_t tap1, T* rows, int64_t stride) {
  const T* x_end = x + g.images * g.axis[0].in * g.axis[1].in * g.axis[2].in * g.x_channels();
  const Taps taps = Taps::range(g, tap0, tap1);
  Pixel p = Pixel::at(g, from);
  for (int64_t i = 0; i < count; ++i, p.next(g))
    fill_row(g, x + group * g.c, x_end, p, taps, rows + i * stride);
}

// --- weights ---------------------------------------------------------------------------------

template <class T>
int64_t panels(const Gather* g) {
  return g->groups * ceil_div(g->oc, NR<T>);
}

template <class T>
int64_t packed_size(const Gather* g) {
  return panels<T>(g) * g->depth() * NR<T>;
}

// Packs one panel: [taps * C][width], channels beyond the last are zero.
template <class T>
void pack(const Gather* gather, int64_t task, const void* weight, void* packed) {
  const Gather& g = *gather;
  const int64_t in_group = ceil_div(g.oc, NR<T>);
  const int64_t group = task / in_group, from = task % in_group * NR<T>;
  const int width = panel_width<T>(g.oc - from);
  const int64_t columns = least(width, g.oc - from);
  const T* w = static_cast<const T*>(weight) + group * g.w_group + from * g.w_out;
  T* to = static_cast<T*>(packed) + task * g.depth() * NR<T>;
  for (int64_t td = 0; td < g.axis[0].taps; ++td)
    for (int64_t th = 0; th < g.axis[1].taps; ++th)
      for (int64_t tw = 0; tw < g.axis[2].taps; ++tw) {
        const T* tap = w + (g.axis[0].tap0 + td * g.axis[0].tap_step) * g.w_tap[0] +
                       (g.axis[1].tap0 + th * g.axis[1].tap_step) * g.w_tap[1] +
                       (g.axis[2].tap0 + tw * g.axis[2].tap_step) * g.w_tap[2];
        for (int64_t c = 0; c < g.c; ++c, to += width) {
          for (int64_t j = 0; j < columns; ++j) to[j] = tap[c * g.w_in + j * g.w_out];
          for (int64_t j = columns; j < width; ++j) to[j] = T(0);
        }
      }
}

// --- forward, and gradient of the input ------------------------------------------------------

// Pixels of a tile: rows that fill a part of the second cache, whole micro-tiles of them.
template <class T>
int64_t tile_pixels(const Gather* g) {
  const int64_t rows = 32768 * 4 / int64_t(sizeof(T)) / most(g->depth(), 1);
  return round_up(most(least(rows, 16 * MR), 2 * MR), MR);
}

template <class T>
int64_t tile_scratch(const Gather* g) {
  return tile_pixels<T>(g) * (row_stride<T>(g->depth()) + g->oc) + 2 * NR<T>;
}

// Outputs that do not follow one another in y (a phase of a strided gradient): moved to their places.
template <class T>
void place_rows(const Gather& g, int64_t group, int64_t from, int64_t count, const T* rows, T* y) {
  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
  Pixel p = Pixel::at(g, from);
  for (int64_t i = 0; i < count; ++i, p.next(g)) {
    const int64_t d = ad.store0 + p.d * ad.store_step, h = ah.store0 + p.h * ah.store_step,
                  w = aw.store0 + p.w * aw.store_step;
    TCN_ASSERT(d < ad.store_size && h < ah.store_size && w < aw.store_size);
    T* to = y + (((p.n * ad.store_size + d) * ah.store_size + h) * aw.store_size + w) * g.y_channels();
    std::memcpy(to + group * g.oc, rows + i * g.oc, g.oc * sizeof(T));
  }
}

TCN_INLINE bool stored_in_order(const Gather& g) {
  for (const Axis& a : g.axis)
    if (a.store_step != 1 || a.store0 != 0 || a.out != a.store_size) return false;
  return true;
}

// 1x1, stride 1, no padding: the rows are the pixels of x where they lie.
template <class T>
TCN_INLINE bool rows_lie_in_x(const Gather& g) {
  for (const Axis& a : g.axis)
    if (a.taps != 1 || a.step != 1 || a.first != 0 || a.in != a.out) return false;
  return row_stride<T>(g.x_channels()) == g.x_channels();
}

// One tile of pixels of one group: im2col, then every panel of weights.
template <class T>
void gather(const Gather* plan, int64_t task, const void* x_, const void* packed_, const void* bias_,
            void* y_, void* scratch) {
  const Gather& g = *plan;
  const T* x = static_cast<const T*>(x_);
  T* y = static_cast<T*>(y_);
  const int64_t pixels = g.pixels(), tile = tile_pixels<T>(plan), tiles = ceil_div(pixels, tile);
  const int64_t group = task / tiles, from = task % tiles * tile, count = least(tile, pixels - from);
  const int64_t depth = g.depth(), in_group = ceil_div(g.oc, NR<T>);
  T* result = static_cast<T*>(scratch);
  T* rows = result + round_up(tile * g.oc, LANES<T>);
  int64_t stride = row_stride<T>(depth);
  const T* a = rows;
  if (rows_lie_in_x<T>(g)) {
    a = x + from * g.x_channels() + group * g.c;
    stride = g.x_channels();
  } else if (depth > 0) {
    fill_tile(g, x, group, from, count, 0, g.taps(), rows, stride);
  }
  const bool in_order = stored_in_order(g);
  T bias[NR<T>];
  for (int64_t panel = 0; panel < in_group; ++panel) {
    const int64_t first = panel * NR<T>;
    const int columns = int(least(NR<T>, g.oc - first));
    Tile<T> t{depth, a, stride, nullptr, panel_width<T>(g.oc - first), nullptr, false,
              in_order ? y + from * g.y_channels() + group * g.oc + first : result + first,
              in_order ? g.y_channels() : g.oc, columns};
    t.b = static_cast<const T*>(packed_) + (group * in_group + panel) * depth * NR<T>;
    if (bias_) {
      for (int j = 0; j < columns; ++j)
        bias[j] = static_cast<const T*>(bias_)[group * g.oc + first + j];
      for (int j = columns; j < NR<T>; ++j) bias[j] = T(0);
      t.bias = bias;
    }
    multiply_rows<T, true>(count, t);
  }
  if (!in_order) place_rows(g, group, from, count, result, y);
}

}  // namespace TCN_ISA

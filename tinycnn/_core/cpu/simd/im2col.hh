// im2col, a tile at a time: the window of each pixel becomes a row of numbers.
//
//     x (N, D, H, W, C)         rows [pixels][taps * C]
//     +-------------+           pixel 0 | tap 0 | tap 1 | ...
//     |  window  -> |   copy    pixel 1 | tap 0 | tap 1 | ...
//     +-------------+   --->    ...
//
// With channels last, the taps of a row of the window lie side by side in x: one copy of KW * C
// numbers. The full column matrix, KH * KW times the input, never exists: a tile lies in the cache.
#pragma once
#include "conv_api.hh"
#include "tile.hh"

namespace TCN_ISA {

// Numbers of a tile: 128 KB, a part of the second cache that leaves room for the weights.
template <class T>
constexpr int64_t TILE_NUMBERS = 131072 / sizeof(T);

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

// Taps [t0, t1) of one row of the window (fixed tap along D and H) for one pixel: the part inside x
// is copied, the part in the padding is zero. Returns the place behind what was written.
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
    if (position >= 0 && position < a.in)
      copy_run(to, x_row + position * xc, g.c, x_end);
    else
      zero_run(to, g.c);
  }
  return to;
}

// The taps [lo, hi) of one axis that lie inside, for output o.
struct Inside {
  int64_t start, lo, hi;
  static TCN_INLINE Inside of(const Axis& a, int64_t o) {
    Inside r{o * a.step + a.first, 0, a.taps};
    while (r.lo < r.hi && r.start + r.lo * a.delta < 0) ++r.lo;
    while (r.hi > r.lo && r.start + (r.hi - 1) * a.delta >= a.in) --r.hi;
    return r;
  }
};

// `count` taps of a window, from tap (d, h, w) on in the order of the weights.
struct Taps {
  int64_t d, h, w, count;
  static TCN_INLINE Taps range(const Gather& g, int64_t from, int64_t to) {
    const int64_t kw = g.axis[2].taps, kh = g.axis[1].taps;
    return Taps{from / kw / kh, from / kw % kh, from % kw, to - from};
  }
};

// im2col of one pixel: those taps of its window. `x` points at the group's first channel.
template <class T>
TCN_INLINE void fill_row(const Gather& g, const T* x, const T* x_end, const Pixel& p, Taps tap,
                         T* to) {
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

// im2col of a tile: pixels [from, from + count), taps [tap0, tap1) of the window, channels of
// `group`; rows are `stride` numbers apart.
template <class T>
TCN_INLINE void fill_tile(const Gather& g, const T* x, int64_t group, int64_t from, int64_t count,
                          int64_t tap0, int64_t tap1, T* rows, int64_t stride) {
  const T* x_end = x + g.images * g.axis[0].in * g.axis[1].in * g.axis[2].in * g.x_channels();
  const Taps taps = Taps::range(g, tap0, tap1);
  Pixel p = Pixel::at(g, from);
  for (int64_t i = 0; i < count; ++i, p.next(g))
    fill_row(g, x + group * g.c, x_end, p, taps, rows + i * stride);
}

// Where the window of pixel `p` ends in x, in numbers; windows that end in the padding end at the
// edge.
TCN_INLINE int64_t window_end(const Gather& g, int64_t p) {
  const Pixel at = Pixel::at(g, p);
  const auto last = [](const Axis& a, int64_t o) {
    return most(0, least(a.in - 1, o * a.step + a.first + (a.taps - 1) * a.delta));
  };
  const int64_t plane = at.n * g.axis[0].in + last(g.axis[0], at.d);
  return ((plane * g.axis[1].in + last(g.axis[1], at.h)) * g.axis[2].in + last(g.axis[2], at.w) +
          1) *
         g.c;
}

// What the windows of the pixels [from, to) read that those before them did not.
template <class T>
TCN_INLINE Ahead windows_ahead(const Gather& g, int64_t from, int64_t to, const T* x) {
  to = least(to, g.pixels());
  if (g.groups > 1 || from >= to) return {};
  const int64_t begin = window_end(g, from - 1), end = window_end(g, to - 1);
  return Ahead{reinterpret_cast<const char*>(x + begin), (end - begin) * int64_t(sizeof(T))};
}

}  // namespace TCN_ISA

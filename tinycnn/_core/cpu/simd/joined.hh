// Few channels written: Q neighbouring pixels of a row of y are joined to one pixel of Q * OC
// channels, so that they fill a vector. Their window is the union of the windows, and each pixel
// has zero weights where its own window does not reach:
//
//     OC = 6, KW = 5, stride 1, Q = 2             x   | x0 x1 x2 x3 x4 x5 |
//     lanes 0..5    pixel w       weights of x_i:     | w0 w1 w2 w3 w4 0  |
//     lanes 6..11   pixel w + 1                       | 0  w0 w1 w2 w3 w4 |
//
// One step costs what it did, but two pixels take KW + 1 = 6 steps, not 2 * KW = 10, since the 12
// numbers that are written lie side by side in y: in general KW + (Q - 1) * stride for Q * KW.
// A NaN or an infinity that one of the joined pixels sees makes NaN of all of them.
//
// The gradient of the weights turns this round: the 12 numbers of grad_y are multiplied with each
// of the 6 of x, and what pixel w + q has at x_i belongs to the weight of tap i - q * stride. What
// belongs to none is dropped, so here NaN goes where it does in the formula.
//
// Everything else is a strip and the micro-kernel. Its rows are joined pixels of one row of y where
// these are many; else, and at the end of a row, pixels below each other.
#pragma once
#include "conv_api.hh"
#include "strip.hh"

namespace TCN_ISA {

// Q, or 0 where nothing is joined: no room for two, or too few steps saved.
template <class T>
TCN_INLINE int64_t joined_pixels(const Gather& g) {
  const Axis& w = g.axis[2];
  if (2 * g.oc > LANES<T> || g.oc == 0 || g.groups != 1 || g.algorithm != AUTO) return 0;
  const int64_t q = LANES<T> / g.oc;
  const bool in_order = w.store_step == 1 && w.store0 == 0 && w.out == w.store_size;
  if (!in_order || w.delta != 1 || w.out < q || !uses_strip<T>(g)) return 0;
  return 5 * (w.taps + (q - 1) * w.step) <= 4 * q * w.taps ? q : 0;
}

// The gather of the joined pixels: how it reads; only the gather of single pixels knows where y
// ends.
TCN_INLINE Gather joined(const Gather& g, int64_t q) {
  Gather j = g;
  Axis& w = j.axis[2];
  w.taps += (q - 1) * w.step;
  w.out = ceil_div(w.out, q);
  w.step *= q;
  j.oc *= q;
  return j;
}

// Calls f(position among the joined taps, tap of the window, q) for each weight that is not zero
// in lanes of pixel q, of one row of the window.
template <class F>
TCN_INLINE void each_joined_tap(const Gather& g, int64_t q, F f) {
  const Axis& w = g.axis[2];
  for (int64_t pixel = 0; pixel < q; ++pixel)
    for (int64_t tap = 0; tap < w.taps; ++tap) f(tap + pixel * w.step, tap, pixel);
}

// --- forward, and gradient of the input of a convolution of stride 1 ---------------------------

// The only panel of weights: [KD * KH][joined KW][C][LANES].
template <class T>
void pack_joined(const Gather& g, int64_t q, const T* weight, T* packed) {
  const Gather j = joined(g, q);
  const int64_t row = j.axis[2].taps * g.c * LANES<T>, kh = g.axis[1].taps;
  for (int64_t r = 0; r < g.axis[0].taps * kh; ++r, packed += row) {
    for (int64_t i = 0; i < row; ++i) packed[i] = T(0);
    each_joined_tap(g, q, [&](int64_t at, int64_t tap, int64_t pixel) {
      const T* from = weight + g.w_offset(r / kh, r % kh, tap);
      for (int64_t c = 0; c < g.c; ++c)
        for (int64_t o = 0; o < g.oc; ++o)
          packed[(at * g.c + c) * LANES<T> + pixel * g.oc + o] = from[c * g.w_in + o * g.w_out];
    });
  }
}

// A few rows of y, plane by plane of the window, as gather_strip (conv.hh) does it.
template <class T>
void gather_joined(const Gather& g, int64_t q, int64_t task, const T* x, const T* packed,
                   const T* bias, T* y, T* scratch) {
  const Gather j = joined(g, q);
  const Axis &d = j.axis[0], &h = j.axis[1], &w = j.axis[2];
  const Strip s = strip_of<T>(j);
  const StripTile t = StripTile::at(j, s, task);
  const Inside planes = Inside::of(d, t.d);
  const int64_t out = g.axis[2].out, row = out * g.oc, below = h.store_step * row;
  const int64_t along =
      out / q >= MR / 2 ? out / q : 0;  // joined pixels that are taken along a row
  y += (((t.n * d.store_size + d.store0 + t.d * d.store_step) * h.store_size) + h.store0) * row;
  y += t.from * below;
  T lanes[LANES<T>] = {};
  for (int64_t i = 0; bias && i < q * g.oc; ++i) lanes[i] = bias[i % g.oc];
  for (int64_t td = planes.lo; td < most(planes.hi, planes.lo + 1); ++td) {
    const bool some = td < planes.hi;
    const T* strip =
        some ? fill_strip(j, s, t, planes.start + td * d.delta, 0, x, scratch) : scratch;
    const T* b = packed + td * h.taps * w.taps * g.c * LANES<T>;
    Tile<T> tile{w.taps * g.c,
                 nullptr,
                 w.step * g.c,
                 nullptr,
                 LANES<T>,
                 lanes,
                 td > planes.lo,
                 nullptr,
                 j.oc,
                 int(j.oc),
                 0,
                 h.delta * s.row,
                 g.relu && td + 1 >= planes.hi};
    for (int64_t o = 0; o < t.height && along > 0; ++o) {
      const Inside rows = Inside::of(h, t.from + o);
      tile.segments = some ? rows.hi - rows.lo : 0;
      tile.a = strip + (o * h.step + rows.lo * h.delta) * s.row;
      tile.b = b + rows.lo * tile.depth * LANES<T>;
      tile.c = y + o * below;
      multiply_rows<T, true>(along, tile);
    }
    tile.segments = some ? h.taps : 0;
    tile.lda = h.step * s.row;
    tile.ldc = below;
    tile.b = b;
    for (int64_t p = along * q; p < out; p += q) {
      tile.columns = int(least(q, out - p) * g.oc);
      tile.a = strip + p * g.axis[2].step * g.c;
      tile.c = y + p * g.oc;
      multiply_rows<T, true>(t.height, tile);
    }
  }
}

// --- gradient of the weights -------------------------------------------------------------------

// As many, unless their sums would not fit the second cache.
template <class T>
TCN_INLINE int64_t weight_joined_pixels(const Gather& g) {
  const int64_t q = joined_pixels<T>(g);
  return q && joined(g, q).depth() * LANES<T> <= 65536 ? q : 0;
}

// Rows of y, [joined pixels][LANES]: zero beyond the end of a row.
template <class T>
void copy_joined(const Gather& g, int64_t q, int64_t rows, const T* from, T* to, const T* end) {
  const int64_t out = g.axis[2].out;
  for (int64_t r = 0; r < rows; ++r, from += out * g.oc)
    for (int64_t p = 0; p < out; p += q, to += LANES<T>) {
      const T* at = from + p * g.oc;
      const bool whole = p + q <= out && at + LANES<T> <= end;
      store(to, whole ? load(at) : load_some(at, int(least(q, out - p) * g.oc)));
    }
}

// Adds tiles [first, last) up: sums [KD * KH][joined KW][C][LANES].
template <class T>
void weight_joined(const Gather& g, int64_t q, int64_t first, int64_t last, const T* x,
                   const T* grad_y, T* sums, T* scratch) {
  const Gather j = joined(g, q);
  const Axis &d = j.axis[0], &h = j.axis[1], &w = j.axis[2];
  const Strip s = strip_of<T>(j);
  const int64_t row = w.taps * g.c, plane = h.taps * row * LANES<T>;
  const T* end = grad_y + g.pixels() * g.oc;
  T* panel = scratch + round_up(strip_scratch<T>(s), LANES<T>);
  for (int64_t i = 0; i < d.taps * plane; ++i) sums[i] = T(0);
  for (int64_t index = first; index < last; ++index) {
    const StripTile t = StripTile::at(j, s, index);
    const Inside planes = Inside::of(d, t.d);
    const int64_t from = ((t.n * d.out + t.d) * h.out + t.from) * g.axis[2].out;
    copy_joined(g, q, t.height, grad_y + from * g.oc, panel, end);
    for (int64_t td = planes.lo; td < planes.hi; ++td) {
      const T* strip = fill_strip(j, s, t, planes.start + td * d.delta, 0, x, scratch);
      for (int64_t th = 0; th < h.taps; ++th)
        multiply_rows<T, false>(
            row, Tile<T>{w.out, strip + th * h.delta * s.row, w.step * g.c, panel, LANES<T>,
                         nullptr, true, sums + td * plane + th * row * LANES<T>, LANES<T>,
                         int(LANES<T>), t.height, h.step * s.row});
    }
  }
}

template <class T>
TCN_INLINE int64_t weight_joined_scratch(const Gather& j) {
  const Strip s = strip_of<T>(j);
  return strip_scratch<T>(s) + (s.height * j.axis[2].out + 2) * LANES<T>;
}

// Adds the chunks' sums up, and hands them to the weights.
template <class T>
void finish_joined(const Gather& g, int64_t q, int64_t chunks, const T* sums, T* grad_weight) {
  const Gather j = joined(g, q);
  const int64_t row = j.axis[2].taps * g.c, kh = g.axis[1].taps, size = j.depth() * LANES<T>;
  for (int64_t r = 0; r < g.axis[0].taps * kh; ++r, sums += row * LANES<T>)
    for (int64_t c = 0; c < g.c; ++c) {
      T* to = grad_weight + g.w_offset(r / kh, r % kh, 0) + c * g.w_in;
      const int64_t next = g.w_tap[2];
      for (int64_t tap = 0; tap < g.axis[2].taps; ++tap)
        for (int64_t o = 0; o < g.oc; ++o) to[tap * next + o * g.w_out] = T(0);
      each_joined_tap(g, q, [&](int64_t at, int64_t tap, int64_t pixel) {
        for (int64_t i = 0; i < chunks; ++i) {
          const T* from = sums + i * size + (at * g.c + c) * LANES<T> + pixel * g.oc;
          for (int64_t o = 0; o < g.oc; ++o) to[tap * next + o * g.w_out] += from[o];
        }
      });
    }
}

}  // namespace TCN_ISA

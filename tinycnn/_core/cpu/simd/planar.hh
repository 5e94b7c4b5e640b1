// Few channels written: channels would fill a part of a vector only, so vectors run along the
// pixels of a row, one for each channel written.
//
//                                    x, channel c      | x0 x1 x2 x3 .. x15 | x16 ..
//     weight of tap t, channel o      tap 0, 1, 2          |--- x ---|
//     (a broadcast)         times                           |--- x ---|
//                                                            |--- x ---|
//     sum of R rows of y, OC channels:   R * OC vectors, each 16 neighbouring pixels
//
// So x must lie channel by channel: a strip (strip.hh) is copied to planes, one for each channel
// and, where windows move by a stride, for each remainder of the column. Windows that move by one
// pixel then read the same plane one number further on.
//
// A tap of a channel costs R loads of x, OC broadcasts and R * OC multiply-adds: for 6 channels and
// 4 rows 24 for 10, whether they would fill a vector or not. What is lost are lanes behind the end
// of a row (28 pixels fill 28 of 32), and the sums are regrouped (regroup.hh) to pixels of OC
// numbers when they are stored.
#pragma once
#include "conv_api.hh"
#include "regroup.hh"
#include "strip.hh"

namespace TCN_ISA {

// Most channels written: half a vector. Sums that stay in registers; rows of y among them.
template <class T>
constexpr int MOST_WRITTEN = LANES<T> / 2 < 8 ? LANES<T> / 2 : 8;
constexpr int SUMS = TCN_VECTOR_BYTES == 64 ? 24 : 12;
template <int OC>
constexpr int ROWS_OF = SUMS / OC < 4 ? SUMS / OC : 4;

// Whether the lanes that are lost, and the regrouping, leave less to do than a vector of channels.
template <class T>
TCN_INLINE bool planar(const Gather& g) {
  const Axis& w = g.axis[2];
  if (g.oc < 1 || g.oc > MOST_WRITTEN<T> || g.groups != 1 || g.algorithm != AUTO) return false;
  const bool in_order = w.store_step == 1 && w.store0 == 0 && w.out == w.store_size;
  if (!in_order || !uses_strip<T>(g)) return false;
  return 5 * round_up(w.out, LANES<T>) * (g.depth() + 8) * g.oc <= 4 * w.out * LANES<T> * g.depth();
}

// Calls f with the channels written, known at compile time.
template <class T, class F, int OC = MOST_WRITTEN<T>>
TCN_INLINE void with_written(int64_t oc, F f) {
  if constexpr (OC > 0) {
    if (oc == OC) return f(std::integral_constant<int, OC>());
    with_written<T, F, OC - 1>(oc, f);
  }
}

// The planes of a tile, [KD][rows of the strip][C][remainder of the column][length].
struct Planes {
  Strip strip;
  int64_t length, row, depth;  // numbers of a plane's row, of a row of the strip, of all its rows

  // Rows of a tile: about 1,000 pixels of y, in a half of the first cache.
  template <class T>
  static TCN_INLINE Planes of(const Gather& g) {
    const Axis &h = g.axis[1], &w = g.axis[2];
    Planes p{strip_of<T>(g), 0, 0, 0};
    p.length = round_up(w.out, LANES<T>) + (w.taps - 1) * w.delta / w.step;
    p.row = g.c * w.step * p.length;
    const int64_t fit = (TILE_NUMBERS<T> / 5 / p.row - (h.taps - 1) * h.delta - 1) / h.step + 1;
    const int64_t height = most(1, least(least(fit, h.out), ceil_div(1024, w.out)));
    Strip& s = p.strip;
    s.height = ceil_div(h.out, ceil_div(h.out, height));
    s.rows = (s.height - 1) * h.step + (h.taps - 1) * h.delta + 1;
    s.tiles = g.images * g.axis[0].out * ceil_div(h.out, s.height);
    p.depth = s.rows * p.row;
    return p;
  }
  TCN_INLINE int64_t size(const Gather& g, int64_t lanes) const {
    return round_up(g.axis[0].taps * depth, lanes) + lanes;
  }
};

// The taps of a window one by one, [KD][KH][C][KW], and where each lies in the planes, from where
// its window does.
struct PlanarTap {
  int64_t d = 0, h = 0, c = 0, w = 0, column = 0, remainder = 0;
  TCN_INLINE int64_t place(const Gather& g, const Planes& p) const {
    return d * p.depth + h * g.axis[1].delta * p.row + (c * g.axis[2].step + remainder) * p.length +
           column;
  }
  TCN_INLINE void next(const Gather& g) {
    const Axis& a = g.axis[2];
    for (remainder += a.delta; remainder >= a.step; ++column) remainder -= a.step;
    if (++w < a.taps) return;
    w = column = remainder = 0;
    if (++c < g.c) return;
    c = 0;
    if (++h < g.axis[1].taps) return;
    h = 0;
    ++d;
  }
};

// `pixels` of N channels to N planes `length` apart. Never reads behind them.
template <class T, int N>
TCN_INLINE void to_planes(const T* from, int64_t pixels, T* to, int64_t length) {
  constexpr int L = LANES<T>;
  for (int64_t i = 0; i < pixels; i += L, from += N * L, to += L) {
    Vec<T> in[N], out[N];
    TCN_UNROLL for (int n = 0; n < N; ++n) {
      const int64_t left = (pixels - i) * N - n * L;
      in[n] = left >= L  ? load(from + n * L)
              : left > 0 ? load_some(from + n * L, int(left))
                         : Vec<T>{};
    }
    regroup<ToChannels<N, L>, T>(in, out);
    const int left = int(least(pixels - i, L));
    TCN_UNROLL for (int n = 0; n < N; ++n) {
      if (left == L)
        store(to + n * length, out[n]);
      else
        store_some(to + n * length, out[n], left);
    }
  }
}

// One row of the strip from one of x; zeros where there is none, and where no window reaches.
template <class T>
TCN_INLINE void fill_planes_row(const Gather& g, const Planes& p, const T* x_row, T* to) {
  const Axis& w = g.axis[2];
  if (!x_row) return zero_run(to, p.row);
  const int64_t end = least(w.in, w.first + (w.out - 1) * w.step + (w.taps - 1) * w.delta + 1);
  for (int64_t rest = 0; rest < w.step; ++rest) {
    const int64_t first = w.first + rest;               // column of x at place 0
    const auto from = [&](int64_t column) -> int64_t {  // the first place not before a column
      const int64_t places = column - first + w.step - 1;
      return places <= 0 ? 0 : least(w.step == 1 ? places : places / w.step, p.length);
    };
    const int64_t lo = from(0), hi = most(from(end), lo), next = w.step * p.length;
    T* plane = to + rest * p.length;
    for (int64_t c = 0; c < g.c; ++c) {
      for (int64_t i = 0; i < lo; ++i) plane[c * next + i] = T(0);
      for (int64_t i = hi; i < p.length; ++i) plane[c * next + i] = T(0);
    }
    const T* row = x_row + (first + lo * w.step) * g.c;
    if (w.step == 1 && g.c <= MOST_WRITTEN<T>)
      with_written<T>(g.c, [&](auto channels) {
        to_planes<T, decltype(channels)::value>(row, hi - lo, plane + lo, p.length);
      });
    else
      for (int64_t i = lo; i < hi; ++i, row += w.step * g.c)
        for (int64_t c = 0; c < g.c; ++c) plane[c * next + i] = row[c];
  }
}

template <class T>
void fill_planes(const Gather& g, const Planes& p, const StripTile& t, const T* x, T* to) {
  const Axis &d = g.axis[0], &h = g.axis[1];
  const int64_t row = g.axis[2].in * g.c;
  const int64_t rows = (t.height - 1) * h.step + (h.taps - 1) * h.delta + 1;
  for (int64_t td = 0; td < d.taps; ++td) {
    const int64_t plane = t.d * d.step + d.first + td * d.delta;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t y = t.from * h.step + h.first + r;
      const bool inside = plane >= 0 && plane < d.in && y >= 0 && y < h.in;
      fill_planes_row(g, p, inside ? x + ((t.n * d.in + plane) * h.in + y) * row : nullptr,
                      to + td * p.depth + r * p.row);
    }
  }
}

// --- forward, and gradient of the input of a convolution of stride 1 ---------------------------

// All weights: [KD][KH][C][KW][OC].
template <class T>
void pack_planar(const Gather& g, const T* weight, T* packed) {
  for (int64_t d = 0; d < g.axis[0].taps; ++d)
    for (int64_t h = 0; h < g.axis[1].taps; ++h)
      for (int64_t c = 0; c < g.c; ++c)
        for (int64_t w = 0; w < g.axis[2].taps; ++w) {
          const T* from = weight + g.w_offset(d, h, w) + c * g.w_in;
          for (int64_t o = 0; o < g.oc; ++o) *packed++ = from[o * g.w_out];
        }
}

// A vector of pixels of R rows of y, all channels: x points at the first of them in the planes.
template <class T, int OC, int R>
void planar_tile(const Gather& g, const Planes& p, const T* x, const T* b, const T* bias, T* y,
                 int64_t y_row, int64_t pixels) {
  constexpr int L = LANES<T>;
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const int64_t next = h.step * p.row, taps = w.taps, step = w.step;
  const int64_t columns = w.delta / step, rest = w.delta % step, length = p.length;
  Vec<T> sum[R][OC];
  TCN_UNROLL for (int r = 0; r < R; ++r) TCN_UNROLL for (int o = 0; o < OC; ++o) sum[r][o] =
      bias ? broadcast(bias[o]) : Vec<T>{};
  for (int64_t td = 0; td < d.taps; ++td)
    for (int64_t th = 0; th < h.taps; ++th) {
      const T* row = x + td * p.depth + th * h.delta * p.row;
      for (int64_t c = 0; c < g.c; ++c, row += step * length) {
        const T* at = row;  // as PlanarTap has it
        for (int64_t tw = 0, remainder = 0; tw < taps; ++tw, b += OC) {
          Vec<T> seen[R];
          TCN_UNROLL for (int r = 0; r < R; ++r) seen[r] = load(at + r * next);
          TCN_UNROLL for (int o = 0; o < OC; ++o) {
            const Vec<T> weight = broadcast(b[o]);
            TCN_UNROLL for (int r = 0; r < R; ++r) sum[r][o] += seen[r] * weight;
          }
          at += columns + rest * length;
          remainder += rest;
          if (remainder >= step) remainder -= step, at += 1 - step * length;
        }
      }
    }
  TCN_UNROLL for (int r = 0; r < R; ++r) {
    if (g.relu) TCN_UNROLL for (int o = 0; o < OC; ++o) sum[r][o] = rectified(sum[r][o]);
    Vec<T> out[OC];
    regroup<ToPixels<OC, L>, T>(sum[r], out);
    TCN_UNROLL for (int o = 0; o < OC; ++o) {
      const int64_t left = pixels * OC - o * L;
      if (left >= L)
        store(y + r * y_row + o * L, out[o]);
      else if (left > 0)
        store_some(y + r * y_row + o * L, out[o], int(left));
    }
  }
}

template <class T, int OC, int R = ROWS_OF<OC>>
TCN_INLINE void planar_height(int64_t height, const Gather& g, const Planes& p, const T* x,
                              const T* b, const T* bias, T* y, int64_t y_row, int64_t pixels) {
  if constexpr (R > 0) {
    if (height == R) return planar_tile<T, OC, R>(g, p, x, b, bias, y, y_row, pixels);
    planar_height<T, OC, R - 1>(height, g, p, x, b, bias, y, y_row, pixels);
  }
}

// A few rows of y.
template <class T, int OC>
void gather_planar(const Gather& g, int64_t task, const T* x, const T* packed, const T* bias, T* y,
                   T* scratch) {
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const Planes p = Planes::of<T>(g);
  const StripTile t = StripTile::at(g, p.strip, task);
  fill_planes(g, p, t, x, scratch);
  const int64_t row = w.out * OC, below = h.store_step * row;
  const int64_t plane = t.n * d.store_size + d.store0 + t.d * d.store_step;
  y += (plane * h.store_size + h.store0 + t.from * h.store_step) * row;
  int64_t tiles = ceil_div(t.height, ROWS_OF<OC>), left = t.height;
  for (; tiles > 0; --tiles) {
    const int64_t height = ceil_div(left, tiles);
    for (int64_t i = 0; i < w.out; i += LANES<T>)
      planar_height<T, OC>(height, g, p, scratch + i, packed, bias, y + i * OC, below,
                           least(w.out - i, LANES<T>));
    scratch += height * h.step * p.row;
    y += height * below;
    left -= height;
  }
}

}  // namespace TCN_ISA

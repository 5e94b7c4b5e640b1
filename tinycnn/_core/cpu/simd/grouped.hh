// Narrow groups: each group reads and writes the same few channels, G = 1 (depthwise, for windows
// that depthwise.hh does not serve), 2, 4 or 8.
//
//     y[o][c]  =  bias[c]  +  sum over taps t, channels k of c's group of
//                             x[o * step + first + t * delta][k] * w[t][k][c]
//
// A tile of the matrix product would be mostly empty, so vectors run over the channels of as many
// groups as fit in, and x[k] of each group is spread over the lanes of its group:
//
//     x of a pixel     | a0 a1 a2 a3 | b0 b1 b2 b3 |       G = 4
//     spread, k = 1    | a1 a1 a1 a1 | b1 b1 b1 b1 |       a shuffle; nothing to do if G = 1
//
// A block is one such vector for P pixels of a row, whose sums stay in registers while taps of the
// window slide over x. For a row of KW = 3 taps, stride 1, and one k:
//
//     x              x0   x1   x2   x3  ...                P + KW - 1 loads and shuffles,
//     sum of pixel 0 w0 + w1 + w2                          KW loads of weights,
//     sum of pixel 1      w0 + w1 + w2                     P * KW multiply-adds
//
// Other windows go tap by tap: P loads and shuffles, P multiply-adds. Taps in the padding are
// skipped: for rows and planes at once, along a row the pixels at its ends are computed alone.
#pragma once
#include <utility>

#include "im2col.hh"
#include "vec.hh"

namespace TCN_ISA {

// Channels of a group if this file serves it, else 0. Vectors must not cut a group in two.
template <class T>
TCN_INLINE int narrow(const Gather& g) {
  const int64_t G = g.c;
  const bool served = G == 1 || G == 2 || G == 4 || G == 8;
  return g.algorithm != IM2COL && g.groups > 1 && g.oc == G && served &&
                 (g.y_channels() >= LANES<T> || G == 1)
             ? int(G)
             : 0;
}

// Vectors of channels. The last one ends with the last channel, so it may overlap the one before;
// fewer channels than lanes are one vector, of which `lanes` are used.
template <class T>
struct ChannelVectors {
  int64_t channels, count;
  int lanes;
  explicit ChannelVectors(const Gather& g)
      : channels(g.y_channels()),
        count(ceil_div(channels, LANES<T>)),
        lanes(int(least(channels, LANES<T>))) {}
  TCN_INLINE int64_t first(int64_t v) const {
    return most(0, least(v * LANES<T>, channels - LANES<T>));
  }
};

template <class T, int G, int K, int... LANE>
TCN_INLINE Vec<T> spread_lanes(const Vec<T>& x, std::integer_sequence<int, LANE...>) {
#if defined(TCN_GNU_VECTORS) && (defined(__clang__) || __GNUC__ >= 12)
  return __builtin_shufflevector(x, x, (LANE / G * G + K)...);
#else
  Vec<T> r;
  for (int i = 0; i < LANES<T>; ++i) r[i] = x[i / G * G + K];
  return r;
#endif
}

// Channel K of each group in all lanes of its group; x at the first group of the vector.
template <class T, int G, int K, bool PART>
TCN_INLINE Vec<T> spread(const T* x, int lanes) {
  if constexpr (G > 1 && G >= LANES<T>)
    return broadcast(x[K]);
  else if constexpr (G == 1)
    return PART ? load_some(x, lanes) : load(x);
  else
    return spread_lanes<T, G, K>(load(x), std::make_integer_sequence<int, LANES<T>>());
}

// Weights of one vector of channels: [taps][G][LANES], zero in lanes that are not used.
template <class T>
void pack_narrow(const Gather& g, int64_t v, const T* weight, T* to) {
  const ChannelVectors<T> vectors(g);
  const int64_t first = vectors.first(v);
  to += v * g.depth() * LANES<T>;
  for (int64_t d = 0; d < g.axis[0].taps; ++d)
    for (int64_t h = 0; h < g.axis[1].taps; ++h)
      for (int64_t w = 0; w < g.axis[2].taps; ++w)
        for (int64_t k = 0; k < g.c; ++k, to += LANES<T>) {
          const T* tap = weight + g.w_offset(d, h, w) + k * g.w_in;
          for (int l = 0; l < LANES<T>; ++l) {
            const int64_t c = first + l;
            to[l] = l < vectors.lanes ? tap[c / g.oc * g.w_group + c % g.oc * g.w_out] : T(0);
          }
        }
}

// What pixels of one output row see of x: the rows of the window that lie inside, and how many
// numbers it is from one place to the next.
struct RowView {
  Inside d, h;
  int64_t kh;          // rows of the window in a plane
  int64_t start;       // from x to the first row, were it inside
  int64_t plane, row;  // from one plane, one row of the window to the next
  int64_t pixel;       // from one pixel to the next
  int64_t next;        // from x to what the next output row sees in addition
  static TCN_INLINE RowView at(const Gather& g, const Pixel& p) {
    const Axis &ad = g.axis[0], &ah = g.axis[1];
    const int64_t pixel = g.x_channels(), row = g.axis[2].in * pixel, plane = ah.in * row;
    RowView r{Inside::of(ad, p.d), Inside::of(ah, p.h), ah.taps, 0,
              ad.delta * plane,    ah.delta * row,      pixel,   0};
    r.start = (p.n * ad.in + r.d.start) * plane + r.h.start * row;
    r.next = r.start + (r.d.hi - 1) * r.plane + (r.h.hi - 1) * r.row + ah.step * row;
    return r;
  }
  // Calls row(numbers from x to a row of the window, number of that row).
  template <class F>
  TCN_INLINE void each_row(F row_of_window) const {
    for (int64_t td = d.lo; td < d.hi; ++td)
      for (int64_t th = h.lo; th < h.hi; ++th)
        row_of_window(start + td * plane + th * row, td * kh + th);
  }
};

// Outputs [from, to) of one axis for which taps [t0, t1) lie inside.
struct Span {
  int64_t from, to;
  static TCN_INLINE Span of(const Axis& a, int64_t t0, int64_t t1) {
    const int64_t low = a.first + t0 * a.delta, high = a.first + (t1 - 1) * a.delta;
    const int64_t from = low < 0 ? ceil_div(-low, a.step) : 0;
    const int64_t to = high < a.in ? (a.in - 1 - high) / a.step + 1 : 0;
    return Span{least(from, a.out), most(least(from, a.out), least(to, a.out))};
  }
};

// KW taps of one row of the window, for P pixels and channels k = K .. G-1 of each group.
template <class T, int G, int KW, int STEP, int P, bool PART, int K = 0, int SUMS>
TCN_INLINE void add_taps(const T* x, int64_t pixel, int lanes, const T* w, Vec<T> (&sum)[SUMS]) {
  TCN_FORGET(x);
  Vec<T> tap[KW];
  TCN_UNROLL for (int t = 0; t < KW; ++t) tap[t] = load(w + (t * G + K) * LANES<T>);
  TCN_UNROLL for (int j = 0; j < (P - 1) * STEP + KW; ++j) {
    Vec<T> seen = spread<T, G, K, PART>(x + j * pixel, lanes);
    if (KW > 1) TCN_KEEP(seen);
    TCN_UNROLL for (int t = 0; t < KW; ++t) if (j >= t && (j - t) % STEP == 0 && (j - t) / STEP < P)
        sum[P == 1 ? K % SUMS : (j - t) / STEP] += seen * tap[t];
  }
  if constexpr (K + 1 < G) add_taps<T, G, KW, STEP, P, PART, K + 1>(x, pixel, lanes, w, sum);
}

// An output row, and its vectors of channels [v0, v1): everything that blocks share.
template <class T>
struct NarrowRow {
  const Gather& g;
  RowView view;
  ChannelVectors<T> vectors;
  int64_t v0, v1;
  const T *x, *packed, *bias;
  T* y;  // first pixel of the row
};

// Outputs w .. w + P-1, one of many channels in several sums that do not wait for each other; taps
// [t0, t1) of each row of the window, KW at a time. The pixels that the next output row sees in
// addition are asked for on the way.
template <class T, int G, int KW, int STEP, int P, bool PART>
TCN_INLINE void narrow_block(const NarrowRow<T>& r, int64_t w, int64_t t0, int64_t t1) {
  constexpr int SUMS = P == 1 && G >= 4 ? 4 : P;
  const Axis& a = r.g.axis[2];
  const RowView view = r.view;
  const int lanes = r.vectors.lanes;
  const int64_t step = a.step * view.pixel, tap = a.delta * view.pixel, taps = a.taps;
  const int64_t x0 = w * step + a.first * view.pixel, y_step = a.store_step * r.g.y_channels();
  const int64_t weights = r.g.depth() * LANES<T>;
  for (int64_t v = r.v0; v < r.v1; ++v) {
    const int64_t c = r.vectors.first(v);
    const T *x = r.x + c / G * G, *packed = r.packed + v * weights;
    Vec<T> sum[SUMS];
    const Vec<T> bias = !r.bias ? Vec<T>{} : PART ? load_some(r.bias, lanes) : load(r.bias + c);
    TCN_UNROLL for (int i = 0; i < P; ++i) {
      sum[i] = bias;
      prefetch(x + (view.next + x0 + i * step));
    }
    TCN_UNROLL for (int i = P; i < SUMS; ++i) sum[i] = Vec<T>{};
    for (int64_t td = view.d.lo; td < view.d.hi; ++td)
      for (int64_t th = view.h.lo; th < view.h.hi; ++th)
        for (int64_t t = t0; t < t1; t += KW)
          add_taps<T, G, KW, STEP, P, PART>(
              x + (view.start + td * view.plane + th * view.row + x0 + t * tap),
              KW == 1 ? step : view.pixel, lanes,
              packed + ((td * view.kh + th) * taps + t) * G * LANES<T>, sum);
    TCN_UNROLL for (int i = P; i < SUMS; ++i) sum[0] += sum[i];
    T* y = r.y + w * y_step + c;
    TCN_UNROLL for (int i = 0; i < P; ++i) {
      if (r.g.relu) sum[i] = rectified(sum[i]);
      if (PART)
        store_some(y + i * y_step, sum[i], lanes);
      else
        store(y + i * y_step, sum[i]);
    }
  }
}

// The pixels of a row: those that see the whole window in blocks of 8, or 4 (the last one moved
// back to end with them), the others one by one.
template <class T, int G, int KW, int STEP, bool PART>
void narrow_row(const NarrowRow<T>& r) {
  const Axis& a = r.g.axis[2];
  const Span span = Span::of(a, 0, a.taps);
  const auto alone = [&](int64_t from, int64_t to) {
    for (int64_t w = from; w < to; ++w) {
      const Inside taps = Inside::of(a, w);
      narrow_block<T, G, 1, 1, 1, PART>(r, w, taps.lo, taps.hi);
    }
  };
  alone(0, span.from);
  int64_t w = span.from;
  if (span.to - w >= 8) {
    for (; w < span.to; w += 8)
      narrow_block<T, G, KW, STEP, 8, PART>(r, least(w, span.to - 8), 0, a.taps);
  } else if (span.to - w >= 4) {
    for (; w < span.to; w += 4)
      narrow_block<T, G, KW, STEP, 4, PART>(r, least(w, span.to - 4), 0, a.taps);
  }
  alone(least(w, span.to), a.out);
}

// Calls f with the taps KW of a window's row and the step that are known at compile time, or 1, 1.
template <int G, class F>
TCN_INLINE void with_window(const Axis& a, F f) {
  if (a.delta == 1 && a.taps == 3 && a.step == 1)
    f(std::integral_constant<int, 3>(), std::integral_constant<int, 1>());
  else if (a.delta == 1 && a.taps == 3 && a.step == 2)
    f(std::integral_constant<int, 3>(), std::integral_constant<int, 2>());
  else if (G == 1 && a.delta == 1 && a.taps == 5 && a.step == 1)
    f(std::integral_constant < int, G == 1 ? 5 : 1 > (), std::integral_constant<int, 1>());
  else if (G == 1 && a.delta == 1 && a.taps == 7 && a.step == 1)
    f(std::integral_constant < int, G == 1 ? 7 : 1 > (), std::integral_constant<int, 1>());
  else
    f(std::integral_constant<int, 1>(), std::integral_constant<int, 1>());
}

// Rows of output pixels that are one task. From 4 channels a group on, a task of the forward pass
// goes through all its rows with one vector of channels, whose weights then stay in the cache.
TCN_INLINE int64_t narrow_rows(const Gather& g) {
  return g.c < 4 ? 1 : most(1, 64 / most(1, g.axis[2].out));
}

TCN_INLINE int64_t output_rows(const Gather& g) { return g.images * g.axis[0].out * g.axis[1].out; }

template <class T, int G>
void gather_narrow(const Gather& g, int64_t task, const T* x, const T* packed, const T* bias,
                   T* y) {
  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
  const ChannelVectors<T> vectors(g);
  const int64_t rows = narrow_rows(g), from = task * rows, to = least(from + rows, output_rows(g));
  const int64_t together = G < 4 ? vectors.count : 1;
  for (int64_t v = 0; v < vectors.count; v += together)
    for (int64_t row = from; row < to; ++row) {
      const Pixel p = Pixel::at(g, row * aw.out);
      const int64_t d = ad.store0 + p.d * ad.store_step, h = ah.store0 + p.h * ah.store_step;
      const int64_t at = ((p.n * ad.store_size + d) * ah.store_size + h) * aw.store_size;
      const NarrowRow<T> r{g,
                           RowView::at(g, p),
                           vectors,
                           v,
                           v + together,
                           x,
                           packed,
                           bias,
                           y + (at + aw.store0) * g.y_channels()};
      if (G == 1 && vectors.lanes < LANES<T>)
        narrow_row<T, G, 1, 1, G == 1>(r);
      else
        with_window<G>(aw, [&](auto kw, auto step) {
          narrow_row<T, G, decltype(kw)::value, decltype(step)::value, false>(r);
        });
    }
}

// Calls f with the channels of a group, known at compile time.
template <class F>
TCN_INLINE void with_group(int G, F f) {
  if (G == 1) f(std::integral_constant<int, 1>());
  if (G == 2) f(std::integral_constant<int, 2>());
  if (G == 4) f(std::integral_constant<int, 4>());
  if (G == 8) f(std::integral_constant<int, 8>());
}

}  // namespace TCN_ISA

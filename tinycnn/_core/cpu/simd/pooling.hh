// Pooling with channels last: vectors run over the channels of a pixel.
//
//     window of 2 x 2         x  row h     | a0 a1 a2 .. | b0 b1 b2 .. |    two pixels of C
//     channels for each vector of         row h + 1 | c0 c1 c2 .. | d0 d1 d2 .. | channels: y | max
//     of a, b, c, d, lane by lane
//
// Pixels are written in the order of memory. So where C is no multiple of a vector, the last vector
// of a pixel may run over into the next one, whose own numbers follow; only at the end of a task's
// block, and of the arrays, are vectors cut.
#pragma once
#include <limits>
#include <type_traits>

#include "pooling_api.hh"
#include "vec.hh"

namespace TCN_ISA {

template <class T>
struct IntOf;
template <>
struct IntOf<float> {
  using type = int32_t;
};
template <>
struct IntOf<double> {
  using type = int64_t;
};
template <class T>
using Int = typename IntOf<T>::type;  // as wide as T: what places are counted in

constexpr int WIDE = 4;  // vectors taken together where there are so many channels

struct NoPlace {};  // the type of positions that nobody wants

// `n` lanes if !WHOLE, else all of them.
template <bool WHOLE, class T>
TCN_INLINE Vec<T> fetch(const T* p, int n) {
  return WHOLE ? load(p) : load_some(p, n);
}

template <class T, bool WHOLE, class P>
TCN_INLINE Vec<Int<T>> fetch_places(const P* p, int n) {
  Int<T> lanes[LANES<T>] = {};
  if (WHOLE) n = LANES<T>;
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}

template <class T>
TCN_INLINE void put(T* p, const Vec<T>& v, int n) {
  if (n == LANES<T>)
    store(p, v);
  else
    store_some(p, v, n);
}

template <class I, class P>
TCN_INLINE void put_places(P* p, const Vec<I>& v, int n) {
  I lanes[LANES<I>];
  P places[LANES<I>];
  store(lanes, v);
  for (int i = 0; i < LANES<I>; ++i) places[i] = P(lanes[i]);
  if (n == LANES<I>)
    std::memcpy(p, places, sizeof places);
  else
    for (int i = 0; i < n; ++i) p[i] = places[i];
}

// A block of the row: image, d, h, and the pixels [from, to) of it.
struct PoolBlock {
  int64_t image, d, h, from, to, row;
};

TCN_INLINE PoolBlock pool_block(const PoolPlan& p, int64_t task, int64_t H, int64_t W, int64_t D) {
  const int64_t blocks = (W + p.block - 1) / p.block;
  PoolBlock b;
  b.from = task % blocks * p.block;
  b.to = b.from + p.block < W ? b.from + p.block : W;
  b.row = task / blocks;
  b.h = b.row % H;
  b.d = b.row / H % D;
  b.image = b.row / H / D;
  return b;
}

// --- forward ---------------------------------------------------------------------------------

// The rows of x in the windows of one row of y.
TCN_INLINE int64_t window_rows(const PoolPlan& p, const PoolBlock& b, PoolRow* rows) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  int64_t count = 0;
  for (int64_t d = D.start[b.d], i = 0; d < D.stop[b.d]; d += D.step, ++i)
    for (int64_t h = H.start[b.h], j = 0; h < H.stop[b.h]; h += H.step, ++j)
      rows[count++] =
          PoolRow{((b.image * D.size + d) * H.size + h) * W.size, (i * H.kernel + j) * W.kernel, 0};
  return count;
}

// Where the places of a window's rows lie: `x` points at one vector of its first pixel in row 0 of
// x.
template <class T>
struct WindowAt {
  const PoolRow* rows;
  int64_t count, places, step, c;  // rows; places of a row; numbers between places; channels
  const T* x;
};

// SIDE: rows and places of a window, known to the compiler; 0 for any.
template <class T, class P, int U, bool WHOLE, int SIDE>
TCN_INLINE void max_window(const WindowAt<T>& at, T* y, P* position, int lanes, int kept) {
  Vec<T> best[U];
  Vec<Int<T>> place[U];
  TCN_UNROLL for (int u = 0; u < U; ++u) {
    best[u] = fetch<WHOLE>(at.x + at.rows[0].pixel * at.c + u * LANES<T>, lanes);
    place[u] = Vec<Int<T>>{};
  }
  const int64_t count = SIDE ? SIDE : at.count, places = SIDE ? SIDE : at.places;
  for (int64_t r = 0; r < count; ++r) {
    const T* x = at.x + at.rows[r].pixel * at.c;
    for (int64_t w = 0; w < places; ++w, x += at.step) {
      if (SIDE && r == 0 && w == 0) continue;
      const Vec<Int<T>> here = broadcast(Int<T>(SIDE ? r * SIDE + w : at.rows[r].place + w));
      TCN_UNROLL for (int u = 0; u < U; ++u) {
        const Vec<T> value = fetch<WHOLE>(x + u * LANES<T>, lanes);
        const auto larger = (value > best[u]) | (value != value);  // NaN is larger than anything
        best[u] = select(larger, value, best[u]);
        place[u] = select(larger, here, place[u]);
      }
    }
  }
  TCN_UNROLL for (int u = 0; u < U; ++u) {
    put(y + u * LANES<T>, best[u], kept);
    if constexpr (!std::is_same<P, NoPlace>::value)
      put_places<Int<T>>(position + u * LANES<T>, place[u], kept);
  }
}

template <class T, int U, bool WHOLE, int SIDE>
TCN_INLINE void sum_window(const WindowAt<T>& at, T* y, T divisor, int lanes, int kept) {
  Vec<T> sum[U] = {};
  const int64_t count = SIDE ? SIDE : at.count, places = SIDE ? SIDE : at.places;
  for (int64_t r = 0; r < count; ++r) {
    const T* x = at.x + at.rows[r].pixel * at.c;
    for (int64_t w = 0; w < places; ++w, x += at.step)
      TCN_UNROLL for (int u = 0; u < U; ++u) sum[u] += fetch<WHOLE>(x + u * LANES<T>, lanes);
  }
  TCN_UNROLL for (int u = 0; u < U; ++u) put(y + u * LANES<T>, sum[u] / broadcast(divisor), kept);
}

template <class T, class P>
struct Largest {
  P* position;
  template <int U, bool WHOLE, int SIDE = 0>
  TCN_INLINE void run(const WindowAt<T>& at, T* y, int64_t to, T, int lanes, int kept) const {
    max_window<T, P, U, WHOLE, SIDE>(at, y + to, position ? position + to : position, lanes, kept);
  }
};

template <class T>
struct Average {
  template <int U, bool WHOLE, int SIDE = 0>
  TCN_INLINE void run(const WindowAt<T>& at, T* y, int64_t to, T divisor, int lanes,
                      int kept) const {
    sum_window<T, U, WHOLE, SIDE>(at, y + to, divisor, lanes, kept);
  }
};

template <class T, class Op>
void pool_forward(const PoolPlan& p, int64_t task, const T* x, T* y, const Op& op, PoolRow* rows) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  const PoolBlock b = pool_block(p, task, H.out, W.out, D.out);
  const int64_t C = p.c, y_end = (b.row * W.out + b.to) * C;
  const T* x_end = x + p.images * D.size * H.size * W.size * C;
  WindowAt<T> at{rows, window_rows(p, b, rows), 0, W.step * C, C, nullptr};
  const double counted = double(D.count[b.d]) * double(H.count[b.h]);  // no int64 holds it all
  const int64_t last_row = rows[at.count - 1].pixel * C;
  for (int64_t ow = b.from; ow < b.to; ++ow) {
    const int64_t span = W.stop[ow] - W.start[ow];
    at.places = W.step == 1 ? span : (span + W.step - 1) / W.step;  // a division takes its time
    const T divisor = T(p.divisor != 0 ? p.divisor : counted * double(W.count[ow]));
    const int64_t to = (b.row * W.out + ow) * C;
    const int64_t last = last_row + (at.places - 1) * at.step;
    at.x = x + W.start[ow] * C;
    // Few channels: the general case would take longer than the window itself.
    if (C <= LANES<T> && to + LANES<T> <= y_end && at.x + last + LANES<T> <= x_end) {
      op.template run<1, true>(at, y, to, divisor, LANES<T>, LANES<T>);
      continue;
    }
    for (int64_t c = 0; c < C;) {
      at.x = x + W.start[ow] * C + c;
      if (c + WIDE * LANES<T> <= C) {
        op.template run<WIDE, true>(at, y, to + c, divisor, LANES<T>, LANES<T>);
        c += WIDE * LANES<T>;
        continue;
      }
      const int rest = int(C - c < LANES<T> ? C - c : LANES<T>);
      const int kept = to + c + LANES<T> <= y_end ? LANES<T> : rest;
      if (at.x + last + LANES<T> <= x_end)
        op.template run<1, true>(at, y, to + c, divisor, rest, kept);
      else
        op.template run<1, false>(at, y, to + c, divisor, rest, rest);
      c += LANES<T>;
    }
  }
}

}  // namespace TCN_ISA

// Pooling with channels last: vectors run over the channels of a pixel.
//
//     window of 2 x 2         x  row h     | a0 a1 a2 .. | b0 b1 b2 .. |    two pixels of C channels
//     for each vector of         row h + 1 | c0 c1 c2 .. | d0 d1 d2 .. |
//     channels:               y            | max of a, b, c, d, lane by lane
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
    best[u] = broadcast(-std::numeric_limits<T>::infinity());
    place[u] = Vec<Int<T>>{};
  }
  const int64_t count = SIDE ? SIDE : at.count, places = SIDE ? SIDE : at.places;
  for (int64_t r = 0; r < count; ++r) {
    const T* x = at.x + at.rows[r].pixel * at.c;
    for (int64_t w = 0; w < places; ++w, x += at.step) {
      const Vec<Int<T>> here = broadcast(Int<T>(at.rows[r].place + w));
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

template <class T, int U, bool WHOLE>
TCN_INLINE void sum_window(const WindowAt<T>& at, T* y, T divisor, int lanes, int kept) {
  Vec<T> sum[U] = {};
  for (int64_t r = 0; r < at.count; ++r) {
    const T* x = at.x + at.rows[r].pixel * at.c;
    for (int64_t w = 0; w < at.places; ++w, x += at.step)
      TCN_UNROLL for (int u = 0; u < U; ++u) sum[u] += fetch<WHOLE>(x + u * LANES<T>, lanes);
  }
  TCN_UNROLL for (int u = 0; u < U; ++u) put(y + u * LANES<T>, sum[u] / broadcast(divisor), kept);
}

template <class T, class P>
struct Largest {
  P* position;
  template <int U, bool WHOLE>
  TCN_INLINE void run(const WindowAt<T>& at, T* y, int64_t to, T, int lanes, int kept) const {
    P* places = position ? position + to : position;
    if (at.count == 2 && at.places == 2)
      max_window<T, P, U, WHOLE, 2>(at, y + to, places, lanes, kept);
    else
      max_window<T, P, U, WHOLE, 0>(at, y + to, places, lanes, kept);
  }
};

template <class T>
struct Average {
  template <int U, bool WHOLE>
  TCN_INLINE void run(const WindowAt<T>& at, T* y, int64_t to, T divisor, int lanes,
                      int kept) const {
    sum_window<T, U, WHOLE>(at, y + to, divisor, lanes, kept);
  }
};

template <class T, class Op>
TCN_INLINE void pool_forward(const PoolPlan& p, int64_t task, const T* x, T* y, const Op& op,
                             PoolRow* rows) {
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

template <class T, class P>
void max_forward(const PoolPlan* p, int64_t task, const void* x, void* y, void* position,
                 PoolRow* rows) {
  pool_forward(*p, task, static_cast<const T*>(x), static_cast<T*>(y),
               Largest<T, P>{static_cast<P*>(position)}, rows);
}

template <class T>
void avg_forward(const PoolPlan* p, int64_t task, const void* x, void* y, void*, PoolRow* rows) {
  pool_forward(*p, task, static_cast<const T*>(x), static_cast<T*>(y), Average<T>{}, rows);
}

// --- backward --------------------------------------------------------------------------------

// Place of pixel p in window i, -1 if it is not there.
TCN_INLINE int64_t place_of(const PoolTable& t, int64_t i, int64_t p) {
  const int64_t distance = p - t.start[i];
  if (distance < 0 || p >= t.stop[i]) return -1;
  if (t.step == 1) return distance;
  return distance % t.step ? -1 : distance / t.step;
}

// The rows of y whose windows hold pixels of row (d, h) of x.
TCN_INLINE int64_t holding_rows(const PoolPlan& p, const PoolBlock& b, PoolRow* rows) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  int64_t count = 0;
  for (int64_t od = D.low[b.d]; od < D.high[b.d]; ++od) {
    const int64_t i = place_of(D, od, b.d);
    if (i < 0) continue;
    for (int64_t oh = H.low[b.h]; oh < H.high[b.h]; ++oh) {
      const int64_t j = place_of(H, oh, b.h);
      if (j >= 0)
        rows[count++] = PoolRow{((b.image * D.out + od) * H.out + oh) * W.out,
                                (i * H.kernel + j) * W.kernel, double(D.count[od]) * double(H.count[oh])};
    }
  }
  return count;
}

// Gradient and place of the largest, for the channels of one output.
template <class T>
struct Given {
  Vec<T> grad;
  Vec<Int<T>> place;
};

// What an output hands back to the pixel at `place` of its window: read(...) once, share(...) for
// each.
template <class T, class P>
struct ToLargest {
  const T* grad_y;
  const P* position;
  template <bool WHOLE>
  TCN_INLINE Given<T> read(int64_t from, int lanes) const {
    return {fetch<WHOLE>(grad_y + from, lanes), fetch_places<T, WHOLE>(position + from, lanes)};
  }
  TCN_INLINE Vec<T> share(const Given<T>& given, int64_t place, double) const {
    return select(given.place == broadcast(Int<T>(place)), given.grad, Vec<T>{});
  }
};

template <class T>
struct ToAll {
  const T* grad_y;
  double divisor;
  template <bool WHOLE>
  TCN_INLINE Given<T> read(int64_t from, int lanes) const {
    return {fetch<WHOLE>(grad_y + from, lanes), Vec<Int<T>>{}};
  }
  TCN_INLINE Vec<T> share(const Given<T>& given, int64_t, double count) const {
    return given.grad * broadcast(T(1) / T(divisor != 0 ? divisor : count));
  }
};

// The sum of what the windows that hold pixel w hand back to U vectors of its channels from c on.
template <int U, bool WHOLE, class T, class Op>
TCN_INLINE void gather_pixel(const PoolPlan& p, const Op& op, const PoolRow* rows,
                             int64_t row_count, int64_t w, int64_t c, T* grad_x, int lanes,
                             int kept) {
  const PoolTable& W = p.axis[2];
  Vec<T> sum[U] = {};
  for (int64_t ow = W.low[w]; ow < W.high[w]; ++ow) {
    const int64_t k = place_of(W, ow, w);
    if (k < 0) continue;
    for (int64_t r = 0; r < row_count; ++r) {
      const int64_t from = (rows[r].pixel + ow) * p.c + c;
      TCN_UNROLL for (int u = 0; u < U; ++u) sum[u] +=
          op.share(op.template read<WHOLE>(from + u * LANES<T>, lanes), rows[r].place + k,
                   rows[r].count * double(W.count[ow]));
    }
  }
  TCN_UNROLL for (int u = 0; u < U; ++u) put(grad_x + u * LANES<T>, sum[u], kept);
}

// Where a row of x meets one row of windows that do not overlap, and channels are few: each output
// is read once for all its pixels of the row. Same numbers as by gather_pixel.
template <class T, class Op>
TCN_INLINE void gather_apart(const PoolPlan& p, const PoolBlock& b, const Op& op,
                             const PoolRow& row, int64_t c, int64_t y_size, T* grad_x) {
  const PoolTable& W = p.axis[2];
  const int rest = int(p.c - c < LANES<T> ? p.c - c : LANES<T>);
  T* to = grad_x + (b.row * W.size + b.from) * p.c + c;
  const T* whole_until = grad_x + (b.row * W.size + b.to) * p.c - LANES<T>;
  for (int64_t w = b.from; w < b.to;) {
    const int64_t ow = W.low[w];
    if (ow == W.high[w]) {  // between windows
      put(to, Vec<T>{}, to <= whole_until ? LANES<T> : rest);
      to += p.c;
      ++w;
      continue;
    }
    const int64_t from = (row.pixel + ow) * p.c + c, stop = W.stop[ow] < b.to ? W.stop[ow] : b.to;
    const Given<T> given = from + LANES<T> <= y_size ? op.template read<true>(from, rest)
                                                     : op.template read<false>(from, rest);
    for (; w < stop; ++w, to += p.c)
      put(to, op.share(given, row.place + w - W.start[ow], row.count * double(W.count[ow])),
          to <= whole_until ? LANES<T> : rest);
  }
}

template <class T, class Op>
TCN_INLINE void pool_backward(const PoolPlan& p, int64_t task, const Op& op, T* grad_x,
                              PoolRow* rows) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  const PoolBlock b = pool_block(p, task, H.size, W.size, D.size);
  const int64_t C = p.c, x_end = (b.row * W.size + b.to) * C;
  const int64_t y_size = p.images * D.out * H.out * W.out * C;
  const int64_t count = holding_rows(p, b, rows);
  if (count == 1 && p.apart && C < WIDE * LANES<T> && (C < LANES<T> || C % LANES<T> == 0)) {
    for (int64_t c = 0; c < C; c += LANES<T>) gather_apart(p, b, op, rows[0], c, y_size, grad_x);
    return;
  }
  const int64_t last_row = count ? rows[count - 1].pixel : 0;
  for (int64_t w = b.from; w < b.to; ++w) {
    const int64_t to = (b.row * W.size + w) * C, last = (last_row + W.high[w] - 1) * C;
    for (int64_t c = 0; c < C;) {
      if (c + WIDE * LANES<T> <= C) {
        gather_pixel<WIDE, true>(p, op, rows, count, w, c, grad_x + to + c, LANES<T>, LANES<T>);
        c += WIDE * LANES<T>;
        continue;
      }
      const int rest = int(C - c < LANES<T> ? C - c : LANES<T>);
      const int kept = to + c + LANES<T> <= x_end ? LANES<T> : rest;
      if (last + c + LANES<T> <= y_size)
        gather_pixel<1, true>(p, op, rows, count, w, c, grad_x + to + c, rest, kept);
      else
        gather_pixel<1, false>(p, op, rows, count, w, c, grad_x + to + c, rest, rest);
      c += LANES<T>;
    }
  }
}

template <class T, class P>
void max_backward(const PoolPlan* p, int64_t task, const void* grad_y, const void* position,
                  void* grad_x, PoolRow* rows) {
  const ToLargest<T, P> op{static_cast<const T*>(grad_y), static_cast<const P*>(position)};
  pool_backward(*p, task, op, static_cast<T*>(grad_x), rows);
}

template <class T>
void avg_backward(const PoolPlan* p, int64_t task, const void* grad_y, const void*, void* grad_x,
                  PoolRow* rows) {
  const ToAll<T> op{static_cast<const T*>(grad_y), p->divisor};
  pool_backward(*p, task, op, static_cast<T*>(grad_x), rows);
}

}  // namespace TCN_ISA

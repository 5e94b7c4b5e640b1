// Gradients of pooling: each pixel of x gathers what the windows that hold it hand back.
//
//     windows of 3, moved by 2      y   |   y0  |   y1  |       x2 is in both windows:
//                                   x   | x0 x1 x2 x3 x4        grad_x2 = share of y0 + share of y1
//
// So every number of grad_x is written once, by one thread. Vectors run over channels as they do in
// pooling.hh, and run over into the next pixel likewise.
#pragma once
#include "pooling.hh"

namespace TCN_ISA {

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
        rows[count++] =
            PoolRow{((b.image * D.out + od) * H.out + oh) * W.out, (i * H.kernel + j) * W.kernel,
                    double(D.count[od]) * double(H.count[oh])};
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

template <class T, class Op>
void pool_backward(const PoolPlan& p, int64_t task, const Op& op, T* grad_x, PoolRow* rows) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  const PoolBlock b = pool_block(p, task, H.size, W.size, D.size);
  const int64_t C = p.c, x_end = (b.row * W.size + b.to) * C;
  const int64_t y_size = p.images * D.out * H.out * W.out * C;
  const int64_t count = holding_rows(p, b, rows);
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

}  // namespace TCN_ISA

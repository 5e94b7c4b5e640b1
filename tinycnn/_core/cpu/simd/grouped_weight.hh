// Gradient of the weights of narrow groups (grouped.hh):
//
//     grad_w[t][k][c]  =  sum over pixels o of  x[o * step + first + t * delta][k] * grad_y[o][c]
//
// Vectors run over channels c, and x[k] is spread over its group as in the forward pass. The sums
// of some taps stay in registers while a row of pixels goes by. For a row of the window of KW = 3
// taps, stride 1, blocks of P pixels, B channels k at a time:
//
//     x           x0 x1 x2 x3 ..        P + KW - 1 loads, B times as many shuffles,
//     grad_y      y0 y1 y2 ..           P loads,
//     sum of w0   x0 y0 + x1 y1 + ..    P * KW * B multiply-adds into KW * B sums
//     sum of w1   x1 y0 + x2 y1 + ..
//
// Depthwise, where that would be 3 sums that wait for each other, three rows of the window go by
// together. Each row of pixels adds to what the rows before it left in memory.
#pragma once
#include "grouped.hh"

namespace TCN_ISA {

// Channels of a group whose sums are in registers together.
constexpr int SPREADS = TCN_VECTOR_BYTES == 64 ? 4 : 2;

// Sums of ROWS x KW taps and B channels of each group; CHAINS of each, taken in turn, where there
// are too few to keep the multipliers busy.
template <class T, int ROWS, int KW, int B>
struct NarrowSums {
  static constexpr int CHAINS = ROWS * KW * B < 3 ? 4 : 1;
  Vec<T> of[CHAINS][ROWS][KW][B];
};

// Channel k of P pixels, and those after it. x[row] at the first tap of the first pixel.
template <class T, int G, int KW, int STEP, int ROWS, int P, int K0, int B, bool PART, int K = 0>
TCN_INLINE void add_products(const T* x, int64_t row, int64_t pixel, int lanes,
                             const Vec<T> (&grad_y)[P], NarrowSums<T, ROWS, KW, B>& sums) {
  TCN_UNROLL for (int r = 0; r < ROWS; ++r, x += row) {
    TCN_FORGET(x);
    TCN_UNROLL for (int j = 0; j < (P - 1) * STEP + KW; ++j) {
      Vec<T> seen = spread<T, G, K0 + K, PART>(x + j * pixel, lanes);
      if (KW > 1) TCN_KEEP(seen);
      TCN_UNROLL for (int t = 0; t < KW;
                      ++t) if (j >= t && (j - t) % STEP == 0 && (j - t) / STEP < P)
          sums.of[(j - t) / STEP % sums.CHAINS][r][t][K] += seen * grad_y[(j - t) / STEP];
    }
  }
  if constexpr (K + 1 < B)
    add_products<T, G, KW, STEP, ROWS, P, K0, B, PART, K + 1>(x - ROWS * row, row, pixel, lanes,
                                                              grad_y, sums);
}

// Where the products of a run lie: `count` pixels of a row, one vector of channels.
template <class T>
struct NarrowRun {
  int64_t count;
  const T *x, *grad_y;
  int64_t x_row;             // from one row of the window to the next
  int64_t x_pixel, y_pixel;  // from one pixel of x, of grad_y, to the next
  int64_t step;              // pixels of x from one output to the next
  T* sums;                   // [taps][G][LANES]
  int64_t sums_row;          // from one row of the window to the next
  int lanes;
};

// All pixels of a run, channels K0 .. of each group.
template <class T, int G, int KW, int STEP, int ROWS, bool PART, int K0 = 0>
void narrow_run(const NarrowRun<T>& r) {
  constexpr int B = G < SPREADS ? G : SPREADS, P = 4, L = LANES<T>;
  const int64_t pixel = KW == 1 ? r.step * r.x_pixel : r.x_pixel;
  NarrowSums<T, ROWS, KW, B> sums = {};
  const T *x = r.x, *grad_y = r.grad_y;
  int64_t i = 0;
  for (; i + P <= r.count; i += P, x += P * r.step * r.x_pixel, grad_y += P * r.y_pixel) {
    Vec<T> gy[P];
    TCN_UNROLL for (int p = 0; p < P; ++p) gy[p] =
        PART ? load_some(grad_y + p * r.y_pixel, r.lanes) : load(grad_y + p * r.y_pixel);
    add_products<T, G, KW, STEP, ROWS, P, K0, B, PART>(x, r.x_row, pixel, r.lanes, gy, sums);
  }
  for (; i < r.count; ++i, x += r.step * r.x_pixel, grad_y += r.y_pixel) {
    const Vec<T> gy[1] = {PART ? load_some(grad_y, r.lanes) : load(grad_y)};
    add_products<T, G, KW, STEP, ROWS, 1, K0, B, PART>(x, r.x_row, pixel, r.lanes, gy, sums);
  }
  TCN_UNROLL for (int w = 0; w < ROWS; ++w) TCN_UNROLL for (int t = 0; t < KW; ++t)
      TCN_UNROLL for (int k = 0; k < B; ++k) {
    T* to = r.sums + w * r.sums_row + (t * G + K0 + k) * L;
    Vec<T> sum = sums.of[0][w][t][k];
    TCN_UNROLL for (int c = 1; c < sums.CHAINS; ++c) sum += sums.of[c][w][t][k];
    store(to, load(to) + sum);
  }
  if constexpr (K0 + B < G) narrow_run<T, G, KW, STEP, ROWS, PART, K0 + B>(r);
}

// One tap of one pixel, channels K .. of each group.
template <class T, int G, int K = 0>
TCN_INLINE void add_product(const T* x, const Vec<T>& grad_y, T* sums) {
  T* sum = sums + K * LANES<T>;
  store(sum, load(sum) + spread<T, G, K, false>(x, LANES<T>) * grad_y);
  if constexpr (K + 1 < G) add_product<T, G, K + 1>(x, grad_y, sums);
}

// One vector of channels of one row of pixels, by runs of the pixels that see all KW taps; the
// others, at the ends of the row, one by one.
template <class T, int G, int KW, int STEP>
void weight_narrow_row(const Gather& g, const RowView& view, const T* x, const T* grad_y, T* sums) {
  constexpr int ROWS = G == 1 && KW == 3 ? 3 : 1, TAP = G * LANES<T>;
  const Axis& a = g.axis[2];
  const Span all = Span::of(a, 0, KW);
  const int64_t step = a.step * view.pixel, first = a.first * view.pixel, count = all.to - all.from;
  const bool together = view.h.hi - view.h.lo == ROWS;
  const auto ends = [&](int64_t from, int64_t to) {
    for (int64_t w = from; w < to; ++w) {
      const Inside taps = Inside::of(a, w);
      const Vec<T> gy = load(grad_y + w * view.pixel);
      view.each_row([&](int64_t offset, int64_t row) {
        for (int64_t t = taps.lo; t < taps.hi; ++t)
          add_product<T, G>(x + (offset + first + w * step + t * view.pixel), gy,
                            sums + (row * KW + t) * TAP);
      });
    }
  };
  ends(0, all.from);
  ends(all.to, a.out);
  if (count == 0) return;
  view.each_row([&](int64_t offset, int64_t row) {
    const NarrowRun<T> run{count,
                           x + (offset + first + all.from * step),
                           grad_y + all.from * view.pixel,
                           view.row,
                           view.pixel,
                           view.pixel,
                           a.step,
                           sums + row * KW * TAP,
                           KW * TAP,
                           LANES<T>};
    if (ROWS == 1 || !together)
      narrow_run<T, G, KW, STEP, 1, false>(run);
    else if (row % view.kh == view.h.lo)
      narrow_run<T, G, KW, STEP, ROWS, false>(run);
  });
}

// The same for any window: tap by tap, each with the pixels whose tap lies inside.
template <class T, int G, bool PART>
void weight_narrow_taps(const Gather& g, const RowView& view, const T* x, const T* grad_y, T* sums,
                        int lanes) {
  const Axis& a = g.axis[2];
  view.each_row([&](int64_t offset, int64_t row) {
    for (int64_t t = 0; t < a.taps; ++t) {
      const Span span = Span::of(a, t, t + 1);
      const int64_t from = (span.from * a.step + a.first + t * a.delta) * view.pixel;
      if (span.from < span.to)
        narrow_run<T, G, 1, 1, 1, PART>(NarrowRun<T>{
            span.to - span.from, x + (offset + from), grad_y + span.from * view.pixel, 0,
            view.pixel, view.pixel, a.step, sums + (row * a.taps + t) * G * LANES<T>, 0, lanes});
    }
  });
}

// The rows of output [from, to), into partial [vector][taps][G][LANES].
template <class T, int G>
void weight_narrow(const Gather& g, int64_t from, int64_t to, const T* x, const T* grad_y,
                   T* partial) {
  const ChannelVectors<T> vectors(g);
  const int64_t size = g.depth() * LANES<T>;
  zero_run(partial, vectors.count * size);
  const int64_t rows = G < 4 ? 1 : most(1, 256 / g.axis[2].out);
  for (int64_t first = from; first < to; first += rows)
    for (int64_t v = 0; v < vectors.count; ++v)
      for (int64_t row = first; row < least(to, first + rows); ++row) {
        const RowView view = RowView::at(g, Pixel::at(g, row * g.axis[2].out));
        const int64_t c = vectors.first(v);
        const T *seen = x + c / G * G, *gy = grad_y + row * g.axis[2].out * g.y_channels() + c;
        T* sums = partial + v * size;
        if (G == 1 && vectors.lanes < LANES<T>) {
          weight_narrow_taps<T, G, G == 1>(g, view, seen, gy, sums, vectors.lanes);
          continue;
        }
        with_window<G>(g.axis[2], [&](auto kw, auto step) {
          if constexpr (decltype(kw)::value == 1)
            weight_narrow_taps<T, G, false>(g, view, seen, gy, sums, LANES<T>);
          else
            weight_narrow_row<T, G, decltype(kw)::value, decltype(step)::value>(g, view, seen, gy,
                                                                                sums);
        });
      }
}

// Adds the chunks, for one vector of channels, and writes them where the weights have them. Lanes
// that the vector before has are left to it.
template <class T>
void finish_narrow(const Gather& g, int64_t chunks, int64_t v, const T* partial, T* grad_weight) {
  const ChannelVectors<T> vectors(g);
  const int64_t size = vectors.count * g.depth() * LANES<T>, first = vectors.first(v);
  partial += v * g.depth() * LANES<T>;
  for (int64_t d = 0; d < g.axis[0].taps; ++d)
    for (int64_t h = 0; h < g.axis[1].taps; ++h)
      for (int64_t w = 0; w < g.axis[2].taps; ++w)
        for (int64_t k = 0; k < g.c; ++k, partial += LANES<T>) {
          Vec<T> sum = load(partial);
          for (int64_t i = 1; i < chunks; ++i) sum += load(partial + i * size);
          T* place = grad_weight + g.w_offset(d, h, w) + k * g.w_in;
          for (int64_t l = v * LANES<T> - first; l < vectors.lanes; ++l) {
            const int64_t c = first + l;
            place[c / g.oc * g.w_group + c % g.oc * g.w_out] = sum[l];
          }
        }
}

}  // namespace TCN_ISA

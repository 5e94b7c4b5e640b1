// Gradient of the weights where few channels are written, along the pixels of a row as in
// planar.hh: grad_y is regrouped to planes as x is, and a weight's gradient is a sum of vectors.
//
//     x, tap t           | x0 x1 x2 .. x15 |          for 16 pixels of a row of y:
//     grad_y, channel o  | g0 g1 g2 .. g15 |          sum[t][o] += x of tap t * g of channel o
//
// A block of B taps, B * OC sums, runs over all pixels of a tile: B + OC loads for B * OC
// multiply-adds, 10 for 24. Lanes are added at the very end. Behind the end of a row grad_y is
// zero, and x is taken as zero, so that no NaN there gets into a sum.
#pragma once
#include "planar.hh"

namespace TCN_ISA {

// The same choice, unless the sums would not fit the second cache.
template <class T>
TCN_INLINE bool weight_planar(const Gather& g) {
  return planar<T>(g) && g.depth() * g.oc * LANES<T> <= 65536;
}

TCN_INLINE int64_t planar_sums(const Gather& g, int64_t lanes) { return g.depth() * g.oc * lanes; }

template <class T>
TCN_INLINE int64_t weight_planar_scratch(const Gather& g) {
  const Planes p = Planes::of<T>(g);
  return p.size(g, LANES<T>) + p.strip.height * g.oc * round_up(g.axis[2].out, LANES<T>);
}

// Rows of y, [row][OC][pixels, a multiple of L]: zero behind the end of a row.
template <class T, int OC>
void fill_grad_planes(int64_t rows, int64_t pixels, const T* grad_y, T* to) {
  const int64_t length = round_up(pixels, LANES<T>);
  for (int64_t r = 0; r < rows; ++r, grad_y += pixels * OC, to += OC * length) {
    for (int o = 0; o < OC && pixels < length; ++o)
      store(to + (o + 1) * length - LANES<T>, Vec<T>{});
    to_planes<T, OC>(grad_y, pixels, to, length);
  }
}

// Adds a tile's share of B taps to their sums, [B][OC][L]; `at` are the places of the taps.
template <class T, int OC, int B>
void planar_taps(int64_t rows, int64_t pixels, int64_t x_row, const T* const* at, const T* grad_y,
                 T* sums) {
  constexpr int L = LANES<T>;
  const int64_t length = round_up(pixels, L);
  Vec<T> sum[B][OC] = {};
  const T* x[B];
  for (int b = 0; b < B; ++b) x[b] = at[b];
  T lane[L];
  for (int l = 0; l < L; ++l) lane[l] = T(l);
  const auto in_row = load(lane) < broadcast(T(pixels - (length - L)));  // of a row's last vector
  const auto step = [&](int64_t i, auto whole) {
    Vec<T> seen[B];
    TCN_UNROLL for (int b = 0; b < B; ++b) {
      seen[b] = load(x[b] + i);
      if (!decltype(whole)::value) seen[b] = select(in_row, seen[b], Vec<T>{});
    }
    TCN_UNROLL for (int o = 0; o < OC; ++o) {
      const Vec<T> given = load(grad_y + o * length + i);
      TCN_UNROLL for (int b = 0; b < B; ++b) sum[b][o] += seen[b] * given;
    }
  };
  for (int64_t r = 0; r < rows; ++r, grad_y += OC * length) {
    for (int64_t i = 0; i < length - L; i += L) step(i, std::true_type());
    step(length - L, std::false_type());
    TCN_UNROLL for (int b = 0; b < B; ++b) x[b] += x_row;
  }
  TCN_UNROLL for (int b = 0; b < B; ++b) TCN_UNROLL for (int o = 0; o < OC; ++o) {
    T* to = sums + (b * OC + o) * L;
    store(to, load(to) + sum[b][o]);
  }
}

template <class T, int OC,
          int B = SUMS / OC<8 ? SUMS / OC : 8> TCN_INLINE void planar_block(
                             int64_t taps, int64_t rows, int64_t pixels, int64_t x_row,
                             const T* const* at, const T* grad_y, T* sums) {
  if constexpr (B > 0) {
    if (taps == B) return planar_taps<T, OC, B>(rows, pixels, x_row, at, grad_y, sums);
    planar_block<T, OC, B - 1>(taps, rows, pixels, x_row, at, grad_y, sums);
  }
}

// Adds tiles [first, last) up: sums [KD][KH][C][KW][OC][L].
template <class T, int OC>
void gather_weight_planar(const Gather& g, int64_t first, int64_t last, const T* x, const T* grad_y,
                          T* sums, T* scratch) {
  constexpr int MOST = SUMS / OC < 8 ? SUMS / OC : 8;
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const Planes p = Planes::of<T>(g);
  T* panel = scratch + p.size(g, LANES<T>);
  const int64_t depth = g.depth();
  for (int64_t i = 0; i < planar_sums(g, LANES<T>); ++i) sums[i] = T(0);
  for (int64_t index = first; index < last; ++index) {
    const StripTile t = StripTile::at(g, p.strip, index);
    fill_planes(g, p, t, x, scratch);
    const int64_t from = ((t.n * d.out + t.d) * h.out + t.from) * w.out;
    fill_grad_planes<T, OC>(t.height, w.out, grad_y + from * OC, panel);
    int64_t blocks = ceil_div(depth, MOST);
    PlanarTap tap;
    for (int64_t k = 0; blocks > 0; --blocks) {
      const int64_t taps = ceil_div(depth - k, blocks);
      const T* at[MOST];
      for (int64_t i = 0; i < taps; ++i, tap.next(g)) at[i] = scratch + tap.place(g, p);
      planar_block<T, OC>(taps, t.height, w.out, h.step * p.row, at, panel,
                          sums + k * OC * LANES<T>);
      k += taps;
    }
  }
}

// Adds the chunks' sums up, then their lanes, and hands them to the weights.
template <class T>
void finish_planar(const Gather& g, int64_t chunks, const T* sums, T* grad_weight) {
  const int64_t size = planar_sums(g, LANES<T>);
  for (int64_t d = 0; d < g.axis[0].taps; ++d)
    for (int64_t h = 0; h < g.axis[1].taps; ++h)
      for (int64_t c = 0; c < g.c; ++c)
        for (int64_t w = 0; w < g.axis[2].taps; ++w)
          for (int64_t o = 0; o < g.oc; ++o, sums += LANES<T>) {
            Vec<T> sum = load(sums);
            for (int64_t i = 1; i < chunks; ++i) sum += load(sums + i * size);
            grad_weight[g.w_offset(d, h, w) + c * g.w_in + o * g.w_out] = sum_lanes<T>(sum);
          }
}

}  // namespace TCN_ISA

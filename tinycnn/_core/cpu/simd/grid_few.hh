// Sampling pictures of few channels: vectors over places, of which a block is taken at once. See
// grid_sample.hh for many channels.
#pragma once
#include <algorithm>
#include <cstring>

#include "grid_taps.hh"

namespace TCN_ISA {

constexpr int FEW = 4;  // channels, at most

TCN_INLINE int64_t numbers_of_image(const GridPlan& p) {
  return p.size[0] * p.size[1] * p.size[2] * p.c;
}

TCN_INLINE bool few_channels(const GridPlan& p) {
  return p.c <= FEW && numbers_of_image(p) <= INT32_MAX;
}

// One of the pixels that each place of a block shows.
template <class T>
struct Tap {
  int32_t at[BLOCK];  // where it begins in its image, -1: there is none
  T weight[BLOCK];
};

// f(tap, i, j, k) for the pixels of all places of a block: i, j, k count along D, H, W.
template <class T, int TAPS, class F>
TCN_INLINE void over_taps(const GridPlan& p, const Block<T, TAPS>& block, F f) {
  const auto &w = block.axis[0], &h = block.axis[1], &d = block.axis[2];
  const int32_t H = int32_t(p.size[1]), W = int32_t(p.size[2]), c = int32_t(p.c);
  Tap<T> tap;
  for (int i = 0; i < block.planes; ++i)
    for (int j = 0; j < TAPS; ++j)
      for (int k = 0; k < TAPS; ++k) {
        for (int b = 0; b < BLOCK; ++b) {
          const int32_t z = d.pixel[i][b], y = h.pixel[j][b], x = w.pixel[k][b];
          tap.at[b] = (z | y | x) < 0 ? -1 : ((z * H + y) * W + x) * c;
          tap.weight[b] = d.weight[i][b] * h.weight[j][b] * w.weight[k][b];
        }
        f(tap, i, j, k);
      }
}

// f(first place, how many, its image) for blocks of places from..to, none spanning two images.
template <class F>
TCN_INLINE void over_blocks(const GridPlan& p, int64_t from, int64_t to, F f) {
  for (int64_t o = from; o < to;) {
    const int64_t image = o / p.places;
    const int64_t n = std::min({int64_t(BLOCK), to - o, (image + 1) * p.places - o});
    f(o, int(n), image);
    o += n;
  }
}

template <class T, int TAPS>
TCN_INLINE void forward_few(const GridPlan& p, int64_t from, int64_t to, const T* x, const T* grid,
                            T* y) {
  Block<T, TAPS> block(p);
  over_blocks(p, from, to, [&](int64_t o, int n, int64_t image) {
    block.find(p, grid + o * p.axes, n);
    const T* picture = x + image * numbers_of_image(p);
    T sum[FEW][BLOCK] = {};
    over_taps(p, block, [&](const Tap<T>& tap, int, int, int) {
      int32_t at[BLOCK];  // in memory: taking them out of vectors for each channel is slower
      for (int b = 0; b < BLOCK; ++b) at[b] = std::max(tap.at[b], 0);
      for (int c = 0; c < p.c; ++c) {
        const T* plane = picture + c;
        for (int b = 0; b < BLOCK; ++b) {
          const T v = plane[at[b]] * tap.weight[b];
          sum[c][b] += tap.at[b] < 0 ? T(0) : v;
        }
      }
    });
    if (p.c == 1)
      std::memcpy(y + o, sum[0], n * sizeof(T));
    else
      for (int b = 0; b < n; ++b)
        for (int c = 0; c < p.c; ++c) y[(o + b) * p.c + c] = sum[c][b];
  });
}

// Place after place, as sums have one order; only their taps are found together.
template <class T, int TAPS>
TCN_INLINE void scatter_few(const GridPlan& p, int64_t image, const T* grid, const T* grad_y,
                            T* grad_x) {
  T* picture = grad_x + image * numbers_of_image(p);
  std::memset(picture, 0, numbers_of_image(p) * sizeof(T));
  Block<T, TAPS> block(p);
  Tap<T> taps[MOST_TAPS<TAPS>];
  over_blocks(p, image * p.places, (image + 1) * p.places, [&](int64_t o, int n, int64_t) {
    block.find(p, grid + o * p.axes, n);
    int count = 0;
    over_taps(p, block, [&](const Tap<T>& tap, int, int, int) { taps[count++] = tap; });
    for (int b = 0; b < n; ++b)
      for (int i = 0; i < count; ++i) {
        const int32_t at = taps[i].at[b];
        if (at < 0) continue;
        for (int c = 0; c < p.c; ++c)
          picture[at + c] += taps[i].weight[b] * grad_y[(o + b) * p.c + c];
      }
  });
}

template <class T, int TAPS>
TCN_INLINE void slopes_few(const GridPlan& p, int64_t from, int64_t to, const T* x, const T* grid,
                           const T* grad_y, T* grad_grid) {
  Block<T, TAPS> block(p);
  over_blocks(p, from, to, [&](int64_t o, int n, int64_t image) {
    block.find(p, grid + o * p.axes, n);
    const auto &w = block.axis[0], &h = block.axis[1], &d = block.axis[2];
    const T* picture = x + image * numbers_of_image(p);
    T g[FEW][BLOCK] = {}, grad[3][BLOCK] = {};
    for (int b = 0; b < n; ++b)
      for (int c = 0; c < p.c; ++c) g[c][b] = grad_y[(o + b) * p.c + c];
    over_taps(p, block, [&](const Tap<T>& tap, int i, int j, int k) {
      T share[BLOCK] = {};
      for (int c = 0; c < p.c; ++c)
        for (int b = 0; b < BLOCK; ++b) share[b] += picture[std::max(tap.at[b], 0) + c] * g[c][b];
      for (int b = 0; b < BLOCK; ++b) {
        const T s = tap.at[b] < 0 ? T(0) : share[b];
        grad[0][b] += d.weight[i][b] * h.weight[j][b] * w.slope[k][b] * s;
        grad[1][b] += d.weight[i][b] * h.slope[j][b] * w.weight[k][b] * s;
        grad[2][b] += d.slope[i][b] * h.weight[j][b] * w.weight[k][b] * s;
      }
    });
    for (int b = 0; b < n; ++b)
      for (int a = 0; a < p.axes; ++a) grad_grid[(o + b) * p.axes + a] = grad[a][b];
  });
}

}  // namespace TCN_ISA

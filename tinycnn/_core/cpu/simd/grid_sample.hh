// Sampling with channels last: for each place the taps along each axis, then vectors over channels.
//
//     place    t          taps     (1 - s)(1 - t)   (1 - s) t      weights
//           +--x---+ s             a0 a1 a2 ..      b0 b1 b2 ..
//           |      |               s (1 - t)        s t
//           +------+               c0 c1 c2 ..      d0 d1 d2 ..    y = sum of weight * pixel
//
// The gradient of x adds what each place hands back to its taps, place after place: threads share
// images and blocks of channels, never places, so that sums have one order.
#pragma once
#include "grid_few.hh"

namespace TCN_ISA {

constexpr int AT_ONCE = 4;  // vectors taken together where there are so many

// --- forward ---------------------------------------------------------------------------------

// Lanes behind the last channel belong to the next place, which is written afterwards.
template <class T, class P>
TCN_INLINE void sample(const P& r, const T* x, const T* x_end, int64_t channels, T* y, T* y_end) {
  int64_t c = 0;
  for (; c + AT_ONCE * LANES<T> <= channels; c += AT_ONCE * LANES<T>) {
    Vec<T> sum[AT_ONCE] = {};
    for (int i = 0; i < r.count; ++i)
      TCN_UNROLL for (int u = 0; u < AT_ONCE; ++u) sum[u] +=
          load(x + r.at[i] + c + u * LANES<T>) * broadcast(r.weight[i]);
    TCN_UNROLL for (int u = 0; u < AT_ONCE; ++u) store(y + c + u * LANES<T>, sum[u]);
  }
  for (; c < channels; c += LANES<T>) {
    const int lanes = int(channels - c < LANES<T> ? channels - c : LANES<T>);
    Vec<T> sum = {};
    for (int i = 0; i < r.count; ++i) {
      const T* at = x + r.at[i] + c;
      sum += (at + LANES<T> <= x_end ? load(at) : load_some(at, lanes)) * broadcast(r.weight[i]);
    }
    if (y + c + LANES<T> <= y_end)
      store(y + c, sum);
    else
      store_some(y + c, sum, int(y_end - y - c));
  }
}

template <class T, int TAPS>
void grid_forward(const GridPlan* plan, int64_t task, const void* x_, const void* grid_, void* y_) {
  const GridPlan& p = *plan;
  const int64_t from = task * p.row, all = p.images * p.places;
  const int64_t to = from + p.row < all ? from + p.row : all;
  const T *x = static_cast<const T*>(x_), *grid = static_cast<const T*>(grid_);
  if (few_channels(p)) {
    forward_few<T, TAPS>(p, from, to, x, grid, static_cast<T*>(y_));
    return;
  }
  const T* x_end = x + p.images * numbers_of_image(p);
  T *y = static_cast<T*>(y_) + from * p.c, *y_end = static_cast<T*>(y_) + to * p.c;
  Block<T, TAPS> block(p);
  Place<T, TAPS, false> r{};
  int64_t image = from / p.places;
  for (int64_t o = from; o < to; ++o, y += p.c) {
    const int b = int(o - from) % BLOCK;
    if (b == 0) block.find(p, grid + o * p.axes, to - o);
    if (o == (image + 1) * p.places) ++image;
    r.find(p, image, block, b);
    sample(r, x, x_end, p.c, y, y_end);
  }
}

// --- backward --------------------------------------------------------------------------------

template <class T>
TCN_INLINE void add_some(T* to, const Vec<T>& v, int n) {
  if (n == LANES<T>)
    store(to, load(to) + v);
  else
    store_some(to, load_some(to, n) + v, n);
}

template <class T, int TAPS>
void grid_scatter(const GridPlan* plan, int64_t task, const void* grid_, const void* grad_y_,
                  void* grad_x_) {
  const GridPlan& p = *plan;
  const int64_t blocks = (p.c + GRID_CHANNELS - 1) / GRID_CHANNELS, image = task / blocks;
  const int64_t first = task % blocks * GRID_CHANNELS;
  const int64_t last = first + GRID_CHANNELS < p.c ? first + GRID_CHANNELS : p.c;
  const int64_t pixels = p.size[0] * p.size[1] * p.size[2];
  const T *grid = static_cast<const T*>(grid_), *grad_y = static_cast<const T*>(grad_y_);
  T* grad_x = static_cast<T*>(grad_x_);
  if (few_channels(p)) {
    scatter_few<T, TAPS>(p, image, grid, grad_y, grad_x);
    return;
  }
  grid += image * p.places * p.axes;
  grad_y += image * p.places * p.c;
  for (int64_t i = 0; i < pixels; ++i)
    std::memset(grad_x + (image * pixels + i) * p.c + first, 0, (last - first) * sizeof(T));
  Block<T, TAPS> block(p);
  Place<T, TAPS, false> r{};
  for (int64_t o = 0; o < p.places; ++o, grad_y += p.c) {
    const int b = int(o % BLOCK);
    if (b == 0) block.find(p, grid + o * p.axes, p.places - o);
    r.find(p, image, block, b);
    for (int64_t c = first; c < last; c += LANES<T>) {
      const int n = int(last - c < LANES<T> ? last - c : LANES<T>);
      const Vec<T> g = n == LANES<T> ? load(grad_y + c) : load_some(grad_y + c, n);
      for (int i = 0; i < r.count; ++i)
        add_some(grad_x + r.at[i] + c, g * broadcast(r.weight[i]), n);
    }
  }
}

// grad[a] = sum over the taps and the channels of slope * x * grad_y.
template <class T, class P>
TCN_INLINE void sum_slopes(const P& r, const T* x, const T* grad_y, int64_t channels, T* grad) {
  Vec<T> sum[3] = {};
  for (int64_t c = 0; c < channels; c += LANES<T>) {
    const int n = int(channels - c < LANES<T> ? channels - c : LANES<T>);
    const Vec<T> g = n == LANES<T> ? load(grad_y + c) : load_some(grad_y + c, n);
    for (int i = 0; i < r.count; ++i) {
      const T* at = x + r.at[i] + c;
      const Vec<T> share = (n == LANES<T> ? load(at) : load_some(at, n)) * g;
      TCN_UNROLL for (int a = 0; a < 3; ++a) sum[a] += share * broadcast(r.slope[i][a]);
    }
  }
  for (int a = 0; a < 3; ++a) grad[a] = sum_lanes<T>(sum[a]);
}

template <class T, int TAPS>
void grid_slopes(const GridPlan* plan, int64_t task, const void* x_, const void* grid_,
                 const void* grad_y_, void* grad_grid_) {
  const GridPlan& p = *plan;
  const int64_t from = task * p.row, all = p.images * p.places;
  const int64_t to = from + p.row < all ? from + p.row : all;
  const T *x = static_cast<const T*>(x_), *grid = static_cast<const T*>(grid_);
  const T* grad_y = static_cast<const T*>(grad_y_);
  T* grad_grid = static_cast<T*>(grad_grid_);
  if (few_channels(p)) {
    slopes_few<T, TAPS>(p, from, to, x, grid, grad_y, grad_grid);
    return;
  }
  grad_y += from * p.c;
  grad_grid += from * p.axes;
  Block<T, TAPS> block(p);
  Place<T, TAPS, true> r{};
  int64_t image = from / p.places;
  for (int64_t o = from; o < to; ++o, grad_grid += p.axes, grad_y += p.c) {
    T grad[3] = {};
    if (TAPS > 1) {  // the nearest pixel stays the nearest
      const int b = int(o - from) % BLOCK;
      if (b == 0) block.find(p, grid + o * p.axes, to - o);
      if (o == (image + 1) * p.places) ++image;
      r.find(p, image, block, b);
      sum_slopes(r, x, grad_y, p.c, grad);
    }
    for (int a = 0; a < p.axes; ++a) grad_grid[a] = grad[a];
  }
}

}  // namespace TCN_ISA

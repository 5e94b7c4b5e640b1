// Depthwise 3x3 convolution, stride 1, in patches of ROWS x 4 outputs, and its gradient of the
// weights.
//
//     x: 6 x 6 pixels              y: 4 x 4 outputs        for a vector of channels (ROWS = 4):
//     +-----------+                +-------+
//     | . . . . . |   9 weights    |       |               36 loads, 144 multiply-adds, 16 stores;
//     | . . . . . |  ----------->  |       |               row by row: 80, 144, 16
//     | . . . . . |                +-------+
//     +-----------+
//
// 16 sums and 9 weights stay in registers (gradient: 9 sums, 16 gradients). What counts more: a row
// of x is read for 1.5 rows of y instead of 3, and where three rows of x are more than the first
// cache holds, it comes from the second one each time. Pixels outside of x are zeros (pixels.hh).
#pragma once
#include "im2col.hh"
#include "pixels.hh"
#include "winograd_api.hh"

namespace TCN_ISA {

// Outputs of a patch: as many as there are registers for.
#if TCN_VECTOR_BYTES == 64 || defined(__aarch64__)
constexpr int PATCH_ROWS = 4;
#else
constexpr int PATCH_ROWS = 2;
#endif
constexpr int PATCH = 4;
template <class T>
using PatchIn = Pixels<const T, PATCH_ROWS + 2, PATCH + 2>;
template <class T>
using PatchOut = Pixels<T, PATCH_ROWS, PATCH>;

template <class T>
TCN_INLINE bool in_patches(const Gather& g) {
  const Axis &h = g.axis[1], &w = g.axis[2];
  Gather one = g;
  one.groups = 1;
  return g.c == 1 && g.oc == 1 && g.y_channels() >= LANES<T> && h.taps == 3 && h.delta == 1 &&
         w.delta == 1 && winograd_fits(one);
}

// Rows of a task: whole patches, and maps cut evenly.
TCN_INLINE int64_t patch_rows(const Gather& g) {
  int64_t rows = most(1, least(PATCH_ROWS, g.axis[1].out));
  while (g.axis[1].out % rows) ++rows;
  return rows;
}

// The patches of output rows [from, to), which may be of several maps, with channels from c on.
template <class T, class Y, class F>
TCN_INLINE void each_patch(const Gather& g, int64_t from, int64_t to, int64_t c, const T* x, Y* y,
                           Y* outside, F patch) {
  const Axis &ah = g.axis[1], &aw = g.axis[2];
  const int64_t C = g.y_channels();
  for (int64_t row = from, end; row < to; row = end) {
    const int64_t map = row / ah.out, top = row % ah.out;
    end = least(to, (map + 1) * ah.out);
    const T* x_map = x + map * ah.in * aw.in * C + c;
    Y* y_map = y + map * ah.out * aw.out * C + c;
    const int64_t bottom = top + end - row;
    for (int64_t h = top; h < bottom; h += PATCH_ROWS)
      for (int64_t w = 0; w < aw.out; w += PATCH) {
        PatchIn<T> in;
        PatchOut<Y> out;
        in.find(x_map, ah.in, aw.in, C, h + ah.first, w + aw.first, NOTHING<T>);
        out.find(y_map, bottom, aw.out, C, h, w, outside);
        patch(in, out);
      }
  }
}

// Calls use(x, row, column, tap) for each product of a patch: x sees output (row, column) by `tap`.
template <class T, class F>
TCN_INLINE void each_product(const PatchIn<T>& in, int64_t c, F use) {
  TCN_UNROLL for (int i = 0; i < PATCH_ROWS + 2; ++i)
      TCN_UNROLL for (int j = 0; j < PATCH + 2; ++j) {
    Vec<T> x = load(in.at[i * (PATCH + 2) + j] + c);
    TCN_KEEP(x);
    TCN_UNROLL for (int t = 0; t < 3; ++t)
        TCN_UNROLL for (int u = 0; u < 3; ++u) if (i >= t && i - t < PATCH_ROWS && j >= u &&
                                                   j - u < PATCH) use(x, i - t, j - u, t * 3 + u);
  }
}

template <class T>
void patch_forward(const PatchIn<T>& in, const PatchOut<T>& out, int64_t c, const T* weights,
                   const Vec<T>& bias, bool relu) {
  Vec<T> w[9], sum[PATCH_ROWS][PATCH];
  TCN_UNROLL for (int t = 0; t < 9; ++t) w[t] = load(weights + t * LANES<T>);
  TCN_UNROLL for (int i = 0; i < PATCH_ROWS; ++i) TCN_UNROLL for (int j = 0; j < PATCH; ++j)
      sum[i][j] = bias;
  each_product<T>(in, c, [&](const Vec<T>& x, int i, int j, int t) { sum[i][j] += x * w[t]; });
  TCN_UNROLL for (int i = 0; i < PATCH_ROWS; ++i) TCN_UNROLL for (int j = 0; j < PATCH; ++j)
      store(out.at[i * PATCH + j] + c, relu ? rectified(sum[i][j]) : sum[i][j]);
}

template <class T>
void patch_weight(const PatchIn<T>& in, const PatchOut<const T>& out, int64_t c, T* sums) {
  Vec<T> sum[9], grad[PATCH_ROWS][PATCH];
  TCN_UNROLL for (int t = 0; t < 9; ++t) sum[t] = load(sums + t * LANES<T>);
  TCN_UNROLL for (int i = 0; i < PATCH_ROWS; ++i) TCN_UNROLL for (int j = 0; j < PATCH; ++j)
      grad[i][j] = load(out.at[i * PATCH + j] + c);
  each_product<T>(in, c, [&](const Vec<T>& x, int i, int j, int t) { sum[t] += x * grad[i][j]; });
  TCN_UNROLL for (int t = 0; t < 9; ++t) store(sums + t * LANES<T>, sum[t]);
}

// Vectors of channels that share addresses: f(first vector, behind the last, first channel).
template <class T, class Vectors, class F>
TCN_INLINE void each_slice(const Vectors& vectors, F slice) {
  constexpr int64_t STEP = SLICE / LANES<T>;
  for (int64_t v = 0; v < vectors.count; v += STEP)
    slice(v, least(v + STEP, vectors.count), vectors.first(v));
}

// Output rows [from, to). Weights as pack_narrow lays them.
template <class T, class Vectors>
void depthwise_forward(const Gather& g, const Vectors& vectors, int64_t from, int64_t to,
                       const T* x, const T* packed, const T* bias, T* y) {
  T nowhere[SLICE];
  each_slice<T>(vectors, [&](int64_t v0, int64_t v1, int64_t c0) {
    each_patch(g, from, to, c0, x, y, nowhere, [&](const PatchIn<T>& in, const PatchOut<T>& out) {
      for (int64_t v = v0; v < v1; ++v) {
        const int64_t c = vectors.first(v);
        patch_forward<T>(in, out, c - c0, packed + v * 9 * LANES<T>,
                         bias ? load(bias + c) : Vec<T>{}, g.relu);
      }
    });
  });
}

// The same rows' part of the gradient, added to partial [vector][9][LANES].
template <class T, class Vectors>
void depthwise_weight(const Gather& g, const Vectors& vectors, int64_t from, int64_t to, const T* x,
                      const T* grad_y, T* partial) {
  each_slice<T>(vectors, [&](int64_t v0, int64_t v1, int64_t c0) {
    each_patch(g, from, to, c0, x, grad_y, NOTHING<T>,
               [&](const PatchIn<T>& in, const PatchOut<const T>& out) {
                 for (int64_t v = v0; v < v1; ++v)
                   patch_weight<T>(in, out, vectors.first(v) - c0, partial + v * 9 * LANES<T>);
               });
  });
}

}  // namespace TCN_ISA

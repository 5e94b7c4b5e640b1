// Depthwise convolution: each channel has its own kernel and sees only itself. There is no matrix
// product in it, so no tile either: vectors run over channels, and each output is a sum over taps.
//
//     y[o][c]  =  bias[c]  +  sum over taps t of  x[o * step + first + t * delta][c] * w[t][c]
//
// for a vector of channels c at a time; o and t run along all axes (see Axis in conv_api.hh).
// One tap of one vector costs two loads and a multiply-add. Taps in the padding are skipped.
#pragma once
#include "im2col.hh"

namespace TCN_ISA {

TCN_INLINE bool is_depthwise(const Gather& g) { return g.c == 1 && g.oc == 1 && g.groups > 1; }

// Weights as [taps][channels].
template <class T>
void pack_depthwise(const Gather& g, const T* weight, T* to) {
  for (int64_t d = 0; d < g.axis[0].taps; ++d)
    for (int64_t h = 0; h < g.axis[1].taps; ++h)
      for (int64_t w = 0; w < g.axis[2].taps; ++w, to += g.groups) {
        const T* tap = weight + g.w_offset(d, h, w);
        for (int64_t c = 0; c < g.groups; ++c) to[c] = tap[c * g.w_group];
      }
}

// Calls tap(x of this pixel and tap, number of the tap) for every tap of a pixel that lies inside.
template <class T, class F>
TCN_INLINE void each_tap(const Gather& g, const Pixel& p, const T* x, F tap) {
  const Inside d = Inside::of(g.axis[0], p.d), h = Inside::of(g.axis[1], p.h),
               w = Inside::of(g.axis[2], p.w);
  for (int64_t td = d.lo; td < d.hi; ++td)
    for (int64_t th = h.lo; th < h.hi; ++th) {
      const int64_t row = (p.n * g.axis[0].in + d.start + td * g.axis[0].delta) * g.axis[1].in +
                          h.start + th * g.axis[1].delta;
      const T* x_row = x + (row * g.axis[2].in + w.start) * g.groups;
      const int64_t first = (td * g.axis[1].taps + th) * g.axis[2].taps;
      for (int64_t tw = w.lo; tw < w.hi; ++tw)
        tap(x_row + tw * g.axis[2].delta * g.groups, first + tw);
    }
}

// NV vectors of channels of one output pixel; `rest` lanes of the last one.
template <class T, int NV>
TCN_INLINE void depthwise_pixel(const Gather& g, const Pixel& p, const T* x, const T* packed,
                                const T* bias, T* y, int64_t c, int rest) {
  constexpr int L = LANES<T>;
  Vec<T> sum[NV] = {};
  if (bias)
    TCN_UNROLL for (int j = 0; j < NV; ++j) sum[j] =
        j < NV - 1 || rest == L ? load(bias + c + j * L) : load_some(bias + c + j * L, rest);
  each_tap(g, p, x + c, [&](const T* from, int64_t tap) {
    const T* w = packed + tap * g.groups + c;
    TCN_UNROLL for (int j = 0; j < NV; ++j) {
      if (j < NV - 1 || rest == L)
        sum[j] += load(from + j * L) * load(w + j * L);
      else
        sum[j] += load_some(from + j * L, rest) * load_some(w + j * L, rest);
    }
  });
  TCN_UNROLL for (int j = 0; j < NV; ++j) {
    if (j < NV - 1 || rest == L)
      store(y + c + j * L, sum[j]);
    else
      store_some(y + c + j * L, sum[j], rest);
  }
}

// One row of output pixels.
template <class T>
void gather_depthwise(const Gather& g, int64_t row, const T* x, const T* packed, const T* bias,
                      T* y) {
  constexpr int L = LANES<T>;
  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
  Pixel p = Pixel::at(g, row * aw.out);
  const int64_t d = ad.store0 + p.d * ad.store_step, h = ah.store0 + p.h * ah.store_step;
  y += (((p.n * ad.store_size + d) * ah.store_size + h) * aw.store_size + aw.store0) * g.groups;
  for (; p.w < aw.out; ++p.w, y += aw.store_step * g.groups) {
    int64_t c = 0;
    for (; c + 4 * L <= g.groups; c += 4 * L) depthwise_pixel<T, 4>(g, p, x, packed, bias, y, c, L);
    for (; c < g.groups; c += L)
      depthwise_pixel<T, 1>(g, p, x, packed, bias, y, c, int(least(L, g.groups - c)));
  }
}

// Gradient of the weights over the rows of output [from, to), into partial [taps][channels].
template <class T>
void weight_depthwise(const Gather& g, int64_t from, int64_t to, const T* x, const T* grad_y,
                      T* partial) {
  constexpr int L = LANES<T>;
  const int64_t channels = g.groups, whole = channels / L * L;
  for (int64_t i = 0; i < g.taps() * channels; ++i) partial[i] = T(0);
  Pixel p = Pixel::at(g, from * g.axis[2].out);
  grad_y += from * g.axis[2].out * channels;
  for (int64_t i = (to - from) * g.axis[2].out; i > 0; --i, p.next(g), grad_y += channels)
    each_tap(g, p, x, [&](const T* seen, int64_t tap) {
      T* sum = partial + tap * channels;
      for (int64_t c = 0; c < whole; c += L)
        store(sum + c, load(sum + c) + load(seen + c) * load(grad_y + c));
      for (int64_t c = whole; c < channels; ++c) sum[c] += seen[c] * grad_y[c];
    });
}

// Adds the chunks of a weight gradient and writes them where the weights have them.
template <class T>
void finish_depthwise(const Gather& g, int64_t chunks, const T* partial, T* grad_weight) {
  const int64_t size = g.taps() * g.groups;
  int64_t tap = 0;
  for (int64_t d = 0; d < g.axis[0].taps; ++d)
    for (int64_t h = 0; h < g.axis[1].taps; ++h)
      for (int64_t w = 0; w < g.axis[2].taps; ++w, ++tap)
        for (int64_t c = 0; c < g.groups; ++c) {
          T sum = T(0);
          for (int64_t i = 0; i < chunks; ++i) sum += partial[i * size + tap * g.groups + c];
          grad_weight[c * g.w_group + d * g.w_tap[0] + h * g.w_tap[1] + w * g.w_tap[2]] = sum;
        }
}

}  // namespace TCN_ISA

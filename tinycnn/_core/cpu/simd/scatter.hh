// Gradient of an input of few channels, by scattering: each pixel of grad_y hands its share to
// every pixel that its window saw.
//
//     shares [pixels][taps * C]  =  grad_y [pixels][OC]  x  weights [OC][taps * C]
//     grad_x [pixel + tap][C]   +=  shares [pixel][tap][C]
//
// The gather (conv.hh) would run its vectors along the C channels of grad_x, most lanes empty; here
// they run along taps * C. An image is one task, and adds in one order.
#pragma once
#include "im2col.hh"

namespace TCN_ISA {

// The plan is that of the forward pass: c channels of x, oc of y. Worth it where half of a vector
// and more would be empty, the runs that are added are not too short, and the product is deep
// enough to pay for them.
template <class T>
int64_t scatters(const Gather* g) {
  const int64_t run = g->axis[2].delta == 1 ? g->axis[2].taps * g->c : g->c;
  return g->algorithm == AUTO && g->groups == 1 && g->c <= LANES<T> / 2 &&
         4 * run >= 3 * LANES<T> && g->oc >= 8;
}

template <class T>
int64_t scatter_panels(const Gather* g) {
  return ceil_div(g->depth(), NR<T>);
}

template <class T>
int64_t scatter_packed_size(const Gather* g) {
  return scatter_panels<T>(g) * g->oc * NR<T>;
}

// One panel of weights: [OC][width], columns are (tap, channel).
template <class T>
void scatter_pack(const Gather* g, int64_t panel, const void* weight, void* packed) {
  const int64_t first = panel * NR<T>, kw = g->axis[2].taps, kh = g->axis[1].taps;
  const int width = panel_width<T>(g->depth() - first);
  T* to = static_cast<T*>(packed) + panel * g->oc * NR<T>;
  for (int j = 0; j < width; ++j) {
    const int64_t column = first + j, tap = column / g->c, c = column % g->c;
    const bool there = column < g->depth();
    const T* w = static_cast<const T*>(weight) + c * g->w_in +
                 g->w_offset(tap / kw / kh, tap / kw % kh, tap % kw);
    for (int64_t k = 0; k < g->oc; ++k) to[k * width + j] = there ? w[k * g->w_out] : T(0);
  }
}

template <class T>
int64_t scatter_scratch(const Gather* g) {
  return 4 * MR * g->depth() + NR<T>;
}

// to[0 .. n) += from[0 .. n): whole vectors, then powers of two, each of a constant length.
template <class T, int STEP = LANES<T> / 2>
TCN_INLINE void add_some(T* to, const T* from, int64_t n) {
  if constexpr (STEP > 0) {
    if (n & STEP) {
      for (int i = 0; i < STEP; ++i) to[i] += from[i];
      to += STEP;
      from += STEP;
    }
    add_some<T, STEP / 2>(to, from, n);
  }
}

template <class T>
TCN_INLINE void add_run(T* to, const T* from, int64_t n) {
  int64_t i = 0;
  for (; i + LANES<T> <= n; i += LANES<T>) store(to + i, load(to + i) + load(from + i));
  add_some(to + i, from + i, n - i);
}

// Adds the shares of one pixel to the image.
template <class T>
TCN_INLINE void scatter_pixel(const Gather& g, const Pixel& p, const T* shares, T* image) {
  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
  const Inside d = Inside::of(ad, p.d), h = Inside::of(ah, p.h), w = Inside::of(aw, p.w);
  for (int64_t td = d.lo; td < d.hi; ++td)
    for (int64_t th = h.lo; th < h.hi; ++th) {
      const int64_t row = (d.start + td * ad.delta) * ah.in + h.start + th * ah.delta;
      T* to = image + (row * aw.in + w.start) * g.c;
      const T* from = shares + (td * ah.taps + th) * aw.taps * g.c;
      if (aw.delta == 1) {
        add_run(to + w.lo * g.c, from + w.lo * g.c, (w.hi - w.lo) * g.c);
      } else {
        for (int64_t t = w.lo; t < w.hi; ++t) add_run(to + t * aw.delta * g.c, from + t * g.c, g.c);
      }
    }
}

// One image.
template <class T>
void scatter(const Gather* plan, int64_t n, const void* grad_y, const void* packed, void* grad_x,
             void* scratch) {
  const Gather& g = *plan;
  const int64_t pixels = g.axis[0].out * g.axis[1].out * g.axis[2].out, width = g.depth();
  const int64_t size = g.axis[0].in * g.axis[1].in * g.axis[2].in * g.c;
  T *image = static_cast<T*>(grad_x) + n * size, *shares = static_cast<T*>(scratch);
  for (int64_t i = 0; i < size; ++i) image[i] = T(0);
  Pixel p = Pixel::at(g, 0);
  for (int64_t from = 0; from < pixels; from += 4 * MR) {
    const int64_t count = least(4 * MR, pixels - from);
    for (int64_t first = 0; first < width; first += NR<T>)
      multiply_rows<T, true>(
          count,
          Tile<T>{g.oc, static_cast<const T*>(grad_y) + (n * pixels + from) * g.oc, g.oc,
                  static_cast<const T*>(packed) + first * g.oc, panel_width<T>(width - first),
                  nullptr, false, shares + first, width, int(least(NR<T>, width - first))});
    for (int64_t i = 0; i < count; ++i, p.next(g)) scatter_pixel(g, p, shares + i * width, image);
  }
}

}  // namespace TCN_ISA

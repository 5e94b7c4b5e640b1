// A strip: the rows of the input that a few rows of output see, zeros around them, in one piece of
// the cache. The window of output pixel w is not copied: it lies in the strip, one segment for each
// row of the window, and the window of pixel w + 1 lies `step` pixels further on.
//
//     strip     | 0 | p p p p p p p p | 0 |         pixel w: segments of KW * C numbers
//               | 0 | p[w w w]p p p p | 0 |             a + th * row, th = 0 .. KH-1
//               | 0 | p[w w w]p p p p | 0 |         pixel w + 1: step * C further on
//               | 0 | p[w w w]p p p p | 0 |
//
// So each number of x is copied once for a tile, not KH * KW times; and not at all where no window
// reaches into the padding: then the strip is x itself.
#pragma once
#include "im2col.hh"

namespace TCN_ISA {

struct Strip {
  int64_t height;  // rows of output in a tile
  int64_t tiles;   // tiles in all images and planes, of one group
  int64_t rows;    // rows of input for them
  int64_t row;     // numbers from one row to the next
  bool in_place;   // the strip is x itself
  bool joined;     // the taps of a window's row lie side by side
};

// Output pixels in a row below which a tile is better filled from several rows, by im2col.
constexpr int64_t STRIP_PIXELS = 7;

TCN_INLINE bool stays_inside(const Axis& a) {
  return a.first >= 0 && (a.out - 1) * a.step + a.first + (a.taps - 1) * a.delta < a.in;
}

template <class T>
TCN_INLINE Strip strip_of(const Gather& g) {
  const Axis &h = g.axis[1], &w = g.axis[2];
  Strip s;
  s.in_place = g.groups == 1 && stays_inside(h) && stays_inside(w);
  s.joined = w.delta == 1 || w.taps == 1;
  s.row = s.in_place ? w.in * g.c : ((w.out - 1) * w.step + (w.taps - 1) * w.delta + 1) * g.c;
  const int64_t fit = (TILE_NUMBERS<T> / s.row - (h.taps - 1) * h.delta - 1) / h.step + 1;
  s.height = most(1, least(least(fit, h.out), ceil_div(256, w.out)));
  s.height = ceil_div(h.out, ceil_div(h.out, s.height));  // no low tile at the end of a map
  s.rows = (s.height - 1) * h.step + (h.taps - 1) * h.delta + 1;
  s.tiles = g.images * g.axis[0].out * ceil_div(h.out, s.height);
  return s;
}

// Weights that do not stay in the second cache.
constexpr int64_t MANY_WEIGHTS = 1 << 21;  // bytes

template <class T>
TCN_INLINE bool weights_pass_by(const Gather& g) {
  return g.depth() * g.oc * int64_t(sizeof(T)) > MANY_WEIGHTS;
}

// More than one tap (a window of one pixel is better copied: it is read only once), and rows of a
// tile not 4 KB apart, where they would all fall into the same set of the first cache. Taps that a
// dilation moves apart are segments of their own, which should be a vector long. Of three axes, the
// planes of a window come one after the other, each in a strip. Weights that pass by for every tile
// want tiles of many pixels, as im2col has them.
template <class T>
TCN_INLINE bool uses_strip(const Gather& g) {
  const Axis& w = g.axis[2];
  if (g.algorithm == IM2COL || g.pixels() * g.depth() == 0) return false;
  if (w.delta != 1 && w.taps > 1 && g.c < LANES<T>) return false;
  if (g.algorithm == DIRECT) return true;
  if (g.taps() == 1 || w.out < STRIP_PIXELS || w.step * g.c * int64_t(sizeof(T)) % 4096 == 0)
    return false;
  return !weights_pass_by<T>(g) || strip_of<T>(g).height * w.out >= 4 * MR;
}

// A tile: output rows [from, from + height) of plane d of image n.
struct StripTile {
  int64_t n, d, from, height;
  static TCN_INLINE StripTile at(const Gather& g, const Strip& s, int64_t tile) {
    const int64_t in_plane = ceil_div(g.axis[1].out, s.height), from = tile % in_plane * s.height;
    const int64_t plane = tile / in_plane, planes = g.axis[0].out;
    return StripTile{plane / planes, plane % planes, from, least(s.height, g.axis[1].out - from)};
  }
};

// Fills the strip of a tile from plane `plane` of x, and returns where it lies: in `memory`, or x.
template <class T>
const T* fill_strip(const Gather& g, const Strip& s, const StripTile& t, int64_t plane,
                    int64_t group, const T* x, T* memory) {
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const int64_t xc = g.x_channels(), image = h.in * w.in * xc, top = t.from * h.step + h.first;
  const T *x_image = x + (t.n * d.in + plane) * image, *x_end = x + g.images * d.in * image;
  if (s.in_place) return x_image + top * s.row + w.first * xc;
  const int64_t columns = s.row / g.c;
  const int64_t lo = least(most(-w.first, 0), columns),
                hi = most(least(w.in - w.first, columns), lo);
  const int64_t rows = (t.height - 1) * h.step + (h.taps - 1) * h.delta + 1;
  for (int64_t r = 0; r < rows; ++r) {
    T* to = memory + r * s.row;
    if (top + r < 0 || top + r >= h.in) {
      zero_run(to, s.row);
      continue;
    }
    const T* from = x_image + ((top + r) * w.in + w.first) * xc + group * g.c;
    zero_run(to, lo * g.c);
    if (g.groups == 1) {
      copy_run(to + lo * g.c, from + lo * xc, (hi - lo) * g.c, x_end);
    } else {
      for (int64_t i = lo; i < hi; ++i) copy_run(to + i * g.c, from + i * xc, g.c, x_end);
    }
    zero_run(to + hi * g.c, (columns - hi) * g.c);
  }
  return memory;
}

// What the strip of tile `tile` reads of the plane of its window that tap `td` sees.
template <class T>
TCN_INLINE Ahead strip_ahead(const Gather& g, const Strip& s, int64_t tile, int64_t td,
                             const T* x) {
  if (g.groups > 1 || tile >= s.tiles) return {};
  const StripTile t = StripTile::at(g, s, tile);
  const Axis &d = g.axis[0], &h = g.axis[1];
  const int64_t plane = t.d * d.step + d.first + td * d.delta, row = g.axis[2].in * g.c;
  const int64_t top = t.from * h.step + h.first, bottom = least(top + s.rows, h.in);
  if (plane < 0 || plane >= d.in || bottom <= top) return {};
  const T* from = x + ((t.n * d.in + plane) * h.in + most(top, 0)) * row;
  return Ahead{reinterpret_cast<const char*>(from),
               (bottom - most(top, 0)) * row * int64_t(sizeof(T))};
}

template <class T>
TCN_INLINE int64_t strip_scratch(const Strip& s) {
  return s.in_place ? 0 : s.rows * s.row + LANES<T>;
}

}  // namespace TCN_ISA

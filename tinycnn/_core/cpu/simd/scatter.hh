// Gradient of an input of few channels, by scattering: each pixel of grad_y hands its share to
// every pixel that its window saw.
//
//     share of pixel p, row th of the window  =  grad_y[p][OC]  x  weights [OC][KW * C]
//     grad_x[p * step + (th, 0 .. KW-1)][C]  +=  share
//
// The gather (conv.hh) would run its vectors along the C channels of grad_x, most lanes empty; here
// they run along a row of the window, KW * C numbers that lie side by side in grad_x. The sums of a
// tile start from what grad_x holds and go back there. So its rows must be pixels whose shares do
// not overlap: those below each other in grad_y, for one th at a time.
//
//     grad_y            grad_x, KH = 3, stride 1              K = OC
//     . p0 . .          . [share of p0, th = 0] . .           C tile: MR rows of KW * C numbers,
//     . p1 . .     ->   . [         p1        ] . .           add; then th = 1 one row below, ...;
//     . p2 . .          . [         p2        ] . .           then the next column of pixels
//
// A step of k costs what it costs in tile.hh, and a tile reads and writes grad_x once for OC steps.
// With padding, or where rows would fall into the same sets of the cache, grad_x is a copy with a
// border. An image is one task, and adds in one order.
#pragma once
#include "planar.hh"

namespace TCN_ISA {

// The plan is that of the forward pass: c channels of x, oc of y. What a pixel of grad_y costs for
// a row of the window and a channel of grad_y, in vectors: here those that hold KW * C numbers; in
// the gather one for each tap, or, along pixels (planar.hh), about (KW + q - 1) / q, where q pixels
// of C channels fill a vector: less than one, but x is copied, and its padding multiplied.
template <class T>
int64_t scatters(const Gather* g) {
  const Axis& w = g->axis[2];
  if (g->algorithm != AUTO || g->groups != 1 || w.delta != 1 || g->oc < 8 || g->c < 1) return 0;
  const int64_t q = w.step == 1 && 2 * g->c <= LANES<T> ? LANES<T> / g->c : 1;
  const int64_t gathered = (w.taps + q - 1) * ceil_div(g->c, LANES<T>);
  return 5 * q * ceil_div(w.taps * g->c, LANES<T>) <= 4 * gathered;
}

TCN_INLINE int64_t window_rows(const Gather& g) { return g.axis[0].taps * g.axis[1].taps; }

// Numbers of a row of the window, and the panels that hold them.
TCN_INLINE int64_t window_row(const Gather& g) { return g.axis[2].taps * g.c; }

template <class T>
TCN_INLINE int64_t row_panels(const Gather& g) {
  return ceil_div(window_row(g), NR<T>);
}

template <class T>
int64_t scatter_panels(const Gather* g) {
  return window_rows(*g) * row_panels<T>(*g);
}

template <class T>
int64_t scatter_packed_size(const Gather* g) {
  return scatter_panels<T>(g) * g->oc * NR<T>;
}

// One panel of a row of the window: [OC][width], columns are (tap, channel).
template <class T>
void scatter_pack(const Gather* g, int64_t task, const void* weight, void* packed) {
  const int64_t panels = row_panels<T>(*g), row = task / panels, first = task % panels * NR<T>;
  const int64_t kh = g->axis[1].taps, size = window_row(*g);
  const int width = panel_width<T>(size - first);
  T* to = static_cast<T*>(packed) + task * g->oc * NR<T>;
  for (int j = 0; j < width; ++j) {
    const int64_t tap = (first + j) / g->c, c = (first + j) % g->c;
    const T* w = static_cast<const T*>(weight) + c * g->w_in + g->w_offset(row / kh, row % kh, tap);
    for (int64_t k = 0; k < g->oc; ++k)
      to[k * width + j] = first + j < size ? w[k * g->w_out] : T(0);
  }
}

// What the windows of an image cover, from the first to the last: grad_x itself, or a copy of it.
struct Cover {
  int64_t d, h, w;  // pixels
  int64_t row;      // numbers from one row to the next
  bool in_place;
  template <class T>
  static TCN_INLINE Cover of(const Gather& g) {
    const auto pixels = [](const Axis& a) {
      return (a.out - 1) * a.step + (a.taps - 1) * a.delta + 1;
    };
    Cover r{pixels(g.axis[0]), pixels(g.axis[1]), pixels(g.axis[2]), g.axis[2].in * g.c, true};
    for (const Axis& a : g.axis) r.in_place &= stays_inside(a);
    r.in_place &= row_stride<T>(r.row) == r.row;
    if (r.in_place)
      r.d = g.axis[0].in, r.h = g.axis[1].in, r.w = g.axis[2].in;
    else
      r.row = row_stride<T>(r.w * g.c);
    return r;
  }
};

// Rows of grad_y that are taken together.
TCN_INLINE int64_t scatter_rows(const Gather& g) {
  return ceil_div(g.axis[1].out, ceil_div(g.axis[1].out, 2 * MR));
}

template <class T>
int64_t scatter_scratch(const Gather* g) {
  if (g->pixels() == 0) return 1;
  const Cover cover = Cover::of<T>(*g);
  return scatter_rows(*g) * row_stride<T>(g->oc) + LANES<T> +
         (cover.in_place ? 0 : cover.d * cover.h * cover.row);
}

// Adds the shares of a column of pixels, `apart` numbers from one to the next, to what their
// windows cover.
template <class T>
TCN_INLINE void add_shares(const Gather& g, const Cover& cover, int64_t rows, const T* pixels,
                           int64_t apart, const T* packed, T* covered) {
  const Axis &ad = g.axis[0], &ah = g.axis[1];
  const int64_t size = window_row(g);
  Tile<T> tile{g.oc, pixels, apart, packed, 0, nullptr, true, nullptr, ah.step * cover.row, 0};
  for (int64_t td = 0; td < ad.taps; ++td)
    for (int64_t th = 0; th < ah.taps; ++th)
      for (int64_t first = 0; first < size; first += NR<T>, tile.b += g.oc * NR<T>) {
        tile.ldb = panel_width<T>(size - first);
        tile.columns = int(least(NR<T>, size - first));
        tile.c = covered + (td * ad.delta * cover.h + th * ah.delta) * cover.row + first;
        multiply_rows<T, true>(rows, tile);
      }
}

// From the copy to grad_x, zeros where no window reaches.
template <class T>
void uncover(const Gather& g, const Cover& cover, const T* covered, T* image) {
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const int64_t lo = least(most(w.first, 0), w.in), hi = most(least(w.first + cover.w, w.in), lo);
  for (int64_t i = 0; i < d.in; ++i)
    for (int64_t j = 0; j < h.in; ++j, image += w.in * g.c) {
      const int64_t z = i - d.first, y = j - h.first;
      const bool some = z >= 0 && z < cover.d && y >= 0 && y < cover.h;
      const T* from = covered + (z * cover.h + y) * cover.row - w.first * g.c;
      for (int64_t p = 0; p < w.in * g.c; ++p)
        image[p] = some && p >= lo * g.c && p < hi * g.c ? from[p] : T(0);
    }
}

// One image.
template <class T>
void scatter(const Gather* plan, int64_t n, const void* grad_y_, const void* packed_, void* grad_x,
             void* scratch) {
  const Gather& g = *plan;
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const int64_t row = w.out * g.oc, block = scatter_rows(g), apart = row_stride<T>(g.oc);
  const Cover cover = Cover::of<T>(g);
  const T *grad_y = static_cast<const T*>(grad_y_), *packed = static_cast<const T*>(packed_);
  const T* end = grad_y + g.pixels() * g.oc;
  const bool in_place = row_stride<T>(row) == row;  // else pixels of a column are copied apart
  T* image = static_cast<T*>(grad_x) + n * d.in * h.in * w.in * g.c;
  T *column = static_cast<T*>(scratch), *covered = image;
  if (!cover.in_place) covered = column + block * apart + LANES<T>;
  std::memset(covered, 0, cover.d * cover.h * cover.row * sizeof(T));
  if (cover.in_place) covered += (d.first * h.in + h.first) * cover.row + w.first * g.c;
  for (int64_t z = 0; z < d.out; ++z)
    for (int64_t y = 0; y < h.out; y += block) {
      const int64_t rows = least(block, h.out - y);
      const T* from = grad_y + ((n * d.out + z) * h.out + y) * row;
      T* to = covered + (z * d.step * cover.h + y * h.step) * cover.row;
      for (int64_t p = 0; p < w.out; ++p, from += g.oc, to += w.step * g.c) {
        if (in_place) {
          add_shares(g, cover, rows, from, row, packed, to);
          continue;
        }
        for (int64_t i = 0; i < rows; ++i) copy_run(column + i * apart, from + i * row, g.oc, end);
        add_shares(g, cover, rows, column, apart, packed, to);
      }
    }
  if (!cover.in_place) uncover(g, cover, covered, image);
}

}  // namespace TCN_ISA

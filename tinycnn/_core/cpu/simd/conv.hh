// Convolution, and the gradient of its input: rows of numbers, made of the pixels of a tile, times
// packed weights, by the micro-kernel (tile.hh).
//
//     rows [pixels][taps * C]   x   panel of weights [taps * C][NR]   =   y [pixels][NR]
//
// Rows come from one of two places: a strip (strip.hh) where the pixels of an output row are many
// enough to fill a tile, else im2col (im2col.hh). Where few channels are written, vectors run along
// pixels instead (planar.hh). Narrow groups (grouped.hh) have no rows.
#pragma once
#include "grouped.hh"
#include "im2col.hh"
#include "planar.hh"
#include "strip.hh"
#include "transpose.hh"

namespace TCN_ISA {

// --- weights ---------------------------------------------------------------------------------

template <class T>
int64_t panels(const Gather* g) {
  return narrow<T>(*g) ? ChannelVectors<T>(*g).count : g->groups * ceil_div(g->oc, NR<T>);
}

template <class T>
int64_t packed_size(const Gather* g) {
  if (planar<T>(*g)) return g->depth() * g->oc;
  return panels<T>(g) * g->depth() * (narrow<T>(*g) ? LANES<T> : NR<T>);
}

// Forward, and weights as they lie in a layer: the numbers that make one written channel lie side
// by side, those of a read channel tap by tap.
TCN_INLINE bool taps_lie_in_order(const Gather& g) {
  int64_t step = 1;
  for (int i = 2; i >= 0; --i) {
    const Axis& a = g.axis[i];
    if (a.taps > 1 && (a.tap0 != 0 || a.tap_step * g.w_tap[i] != step)) return false;
    step *= a.taps;
  }
  return g.w_in == step && g.w_offset(0, 0, 0) == 0;
}

// Packs one panel: [taps * C][width], channels beyond the last are zero.
template <class T>
void pack(const Gather* gather, int64_t task, const void* weight, void* packed) {
  const Gather& g = *gather;
  if (narrow<T>(g))
    return pack_narrow(g, task, static_cast<const T*>(weight), static_cast<T*>(packed));
  if (planar<T>(g)) return pack_planar(g, static_cast<const T*>(weight), static_cast<T*>(packed));
  const int64_t in_group = ceil_div(g.oc, NR<T>);
  const int64_t group = task / in_group, from = task % in_group * NR<T>;
  const int width = panel_width<T>(g.oc - from);
  const int64_t columns = least(width, g.oc - from);
  const T* w = static_cast<const T*>(weight) + group * g.w_group + from * g.w_out;
  T* to = static_cast<T*>(packed) + task * g.depth() * NR<T>;
  if (taps_lie_in_order(g))
    return pack_columns(w, columns, g.w_out, g.depth(), width, Places{g.taps(), g.c * width, width},
                        to);
  for (int64_t td = 0; td < g.axis[0].taps; ++td)
    for (int64_t th = 0; th < g.axis[1].taps; ++th)
      for (int64_t tw = 0; tw < g.axis[2].taps; ++tw) {
        const T* tap = w + g.w_offset(td, th, tw);
        for (int64_t c = 0; c < g.c; ++c, to += width) {
          for (int64_t j = 0; j < columns; ++j) to[j] = tap[c * g.w_in + j * g.w_out];
          for (int64_t j = columns; j < width; ++j) to[j] = T(0);
        }
      }
}

// --- forward, and gradient of the input ------------------------------------------------------

// im2col: pixels of a tile, so that its rows fill a part of the second cache.
template <class T>
int64_t tile_pixels(const Gather& g) {
  const int64_t rows = TILE_NUMBERS<T> / most(g.depth(), 1);
  const int64_t height = g.taps() == 1 ? 4 : 16;  // one tap: results are the larger part
  return round_up(most(least(rows, height * MR), 4 * MR), MR);
}

template <class T>
int64_t tasks(const Gather* g) {
  if (g->pixels() == 0) return 0;
  if (narrow<T>(*g)) return ceil_div(output_rows(*g), narrow_rows(*g));
  if (planar<T>(*g)) return Planes::of<T>(*g).strip.tiles;
  return g->groups *
         (uses_strip<T>(*g) ? strip_of<T>(*g).tiles : ceil_div(g->pixels(), tile_pixels<T>(*g)));
}

template <class T>
int64_t task_scratch(const Gather* g) {
  if (narrow<T>(*g)) return 1;
  if (planar<T>(*g)) return Planes::of<T>(*g).size(*g, LANES<T>);
  if (uses_strip<T>(*g)) return strip_scratch<T>(strip_of<T>(*g));
  return tile_pixels<T>(*g) * (row_stride<T>(g->depth()) + g->oc) + 2 * NR<T>;
}

// Outputs that do not follow one another in y (a phase of a strided gradient): moved to their
// places.
template <class T>
void place_rows(const Gather& g, int64_t group, int64_t from, int64_t count, const T* rows, T* y) {
  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
  Pixel p = Pixel::at(g, from);
  for (int64_t i = 0; i < count; ++i, p.next(g)) {
    const int64_t d = ad.store0 + p.d * ad.store_step, h = ah.store0 + p.h * ah.store_step,
                  w = aw.store0 + p.w * aw.store_step;
    TCN_ASSERT(d < ad.store_size && h < ah.store_size && w < aw.store_size);
    T* to =
        y + (((p.n * ad.store_size + d) * ah.store_size + h) * aw.store_size + w) * g.y_channels();
    std::memcpy(to + group * g.oc, rows + i * g.oc, g.oc * sizeof(T));
  }
}

TCN_INLINE bool stored_in_order(const Gather& g) {
  for (const Axis& a : g.axis)
    if (a.store_step != 1 || a.store0 != 0 || a.out != a.store_size) return false;
  return true;
}

// 1x1, stride 1, no padding: the rows are the pixels of x where they lie.
TCN_INLINE bool rows_lie_in_x(const Gather& g) {
  for (const Axis& a : g.axis)
    if (a.taps != 1 || a.step != 1 || a.first != 0 || a.in != a.out) return false;
  return true;
}

// The bias of a panel, padded with zeros; null if there is none.
template <class T>
TCN_INLINE const T* panel_bias(const void* bias, int64_t from, int columns, T* padded) {
  if (!bias) return nullptr;
  for (int j = 0; j < NR<T>; ++j)
    padded[j] = j < columns ? static_cast<const T*>(bias)[from + j] : T(0);
  return padded;
}

// All weights of a panel.
template <class T>
TCN_INLINE Ahead panel_ahead(const T* panel, int64_t numbers) {
  return Ahead{reinterpret_cast<const char*>(panel), numbers * int64_t(sizeof(T))};
}

// One tile of pixels of one group by im2col, then every panel of weights.
template <class T>
void gather_rows(const Gather& g, int64_t task, const T* x, const T* packed, const void* bias, T* y,
                 T* scratch) {
  const int64_t pixels = g.pixels(), tile = tile_pixels<T>(g), tiles = ceil_div(pixels, tile);
  const int64_t group = task / tiles, from = task % tiles * tile,
                count = least(tile, pixels - from);
  const int64_t depth = g.depth(), in_group = ceil_div(g.oc, NR<T>);
  T *result = scratch, *rows = result + round_up(tile * g.oc, LANES<T>), padded[NR<T>];
  int64_t stride = row_stride<T>(depth);
  const T* a = rows;
  if (rows_lie_in_x(g)) {
    a = x + from * g.x_channels() + group * g.c;
    stride = g.x_channels();
  } else if (depth > 0) {
    fill_tile(g, x, group, from, count, 0, g.taps(), rows, stride);
  }
  const bool in_order = stored_in_order(g), passing = weights_pass_by<T>(g);
  const Ahead ahead = windows_ahead(g, from + count, from + count + tile, x);
  for (int64_t panel = 0; panel < in_group; ++panel) {
    const int64_t first = panel * NR<T>, next = (panel + 1) % in_group;
    const T* b = packed + group * in_group * depth * NR<T>;
    const int columns = int(least(NR<T>, g.oc - first));
    multiply_rows<T, true>(
        count, Tile<T>{depth,
                       a,
                       stride,
                       b + panel * depth * NR<T>,
                       panel_width<T>(g.oc - first),
                       panel_bias(bias, group * g.oc + first, columns, padded),
                       false,
                       in_order ? y + from * g.y_channels() + group * g.oc + first : result + first,
                       in_order ? g.y_channels() : g.oc,
                       columns,
                       1,
                       0,
                       g.relu,
                       {passing ? panel_ahead(b + next * depth * NR<T>, depth * NR<T>)
                                : ahead.part(panel, in_group)}});
  }
  if (!in_order) place_rows(g, group, from, count, result, y);
}

// A few rows of output of one group, plane by plane of the window, each from a strip, for every
// panel of weights. Planes and rows of the window that lie in the padding are skipped; the first
// plane starts the sums, be it all padding.
template <class T>
void gather_strip(const Gather& g, int64_t task, const T* x, const T* packed, const void* bias,
                  T* y, T* scratch) {
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const Strip s = strip_of<T>(g);
  const int64_t group = task / s.tiles, in_group = ceil_div(g.oc, NR<T>), yc = g.y_channels();
  const StripTile t = StripTile::at(g, s, task % s.tiles);
  const Inside planes = Inside::of(d, t.d);
  const int64_t y_plane = t.n * d.store_size + d.store0 + t.d * d.store_step;
  T padded[NR<T>];
  for (int64_t td = planes.lo; td < most(planes.hi, planes.lo + 1); ++td) {
    const bool some = td < planes.hi;
    const T* strip = scratch;
    if (some) strip = fill_strip(g, s, t, planes.start + td * d.delta, group, x, scratch);
    const Ahead ahead = strip_ahead(g, s, task + 1, td, x);
    for (int64_t panel = 0; panel < in_group; ++panel) {
      const int64_t first = panel * NR<T>;
      const int columns = int(least(NR<T>, g.oc - first)), width = panel_width<T>(g.oc - first);
      Tile<T> tile{};
      tile.depth = s.joined ? w.taps * g.c : g.c;
      tile.lda = w.step * g.c;
      tile.ldb = width;
      tile.bias = panel_bias(bias, group * g.oc + first, columns, padded);
      tile.ldc = w.store_step * yc;
      tile.columns = columns;
      tile.a_segment = s.joined ? h.delta * s.row : w.delta * g.c;
      const T* b = packed + (group * in_group + panel) * g.depth() * NR<T>;
      for (int64_t o = t.from; o < t.from + t.height; ++o) {
        const Inside rows = Inside::of(h, o);
        const int64_t row = y_plane * h.store_size + h.store0 + o * h.store_step;
        tile.c = y + (row * w.store_size + w.store0) * yc + group * g.oc + first;
        const int64_t seen = some ? rows.hi - rows.lo : 0, products = s.joined ? 1 : most(seen, 1);
        for (int64_t i = 0; i < products; ++i) {
          tile.segments = s.joined ? seen : least(seen, 1) * w.taps;
          tile.a = strip + ((o - t.from) * h.step + (rows.lo + i) * h.delta) * s.row;
          tile.b = b + ((td * h.taps + rows.lo + i) * w.taps) * g.c * width;
          tile.add = td > planes.lo || i > 0;
          tile.relu = g.relu && td + 1 >= planes.hi && i + 1 == products;
          tile.ahead[0] = ahead.part((panel * t.height + o - t.from) * products + i,
                                     in_group * t.height * products);
          multiply_rows<T, true>(w.out, tile);
        }
      }
    }
  }
}

// What the algorithm of a gather is called.
template <class T>
const char* name(const Gather* g) {
  return narrow<T>(*g)       ? "direct, by groups"
         : planar<T>(*g)     ? "planar"
         : uses_strip<T>(*g) ? "direct"
                             : "im2col";
}

// One task of a gather, whichever way is taken.
template <class T>
void gather(const Gather* g, int64_t task, const void* x, const void* packed, const void* bias,
            void* y, void* scratch) {
  if (const int G = narrow<T>(*g))
    return with_group(G, [&](auto group) {
      gather_narrow<T, decltype(group)::value>(*g, task, static_cast<const T*>(x),
                                               static_cast<const T*>(packed),
                                               static_cast<const T*>(bias), static_cast<T*>(y));
    });
  if (planar<T>(*g))
    return with_written<T>(g->oc, [&](auto written) {
      gather_planar<T, decltype(written)::value>(
          *g, task, static_cast<const T*>(x), static_cast<const T*>(packed),
          static_cast<const T*>(bias), static_cast<T*>(y), static_cast<T*>(scratch));
    });
  const auto run = uses_strip<T>(*g) ? gather_strip<T> : gather_rows<T>;
  run(*g, task, static_cast<const T*>(x), static_cast<const T*>(packed), bias, static_cast<T*>(y),
      static_cast<T*>(scratch));
}

}  // namespace TCN_ISA

// Gradient of the weights: the same outer product as the forward pass, with k running over pixels.
//
//     grad_weight [taps * C][OC]  =  sum over pixels p of   rows[p][taps * C] (outer) grad_y[p][OC]
//
// Columns of the rows are what the micro-kernel multiplies, read where they lie (tile.hh, columns),
// be it in a strip or an im2col tile; grad_y is packed. Pixels are summed in chunks and the chunks
// in order, so the sum is the same for any number of threads.
#pragma once
#include "conv.hh"
#include "grouped_weight.hh"
#include "planar_weight.hh"

namespace TCN_ISA {

// Up to 8 chunks of pixels while the partial sums are small, 2 when they are large; blocks of taps
// that keep a tile of rows, and its sums, in the second cache. In a strip a block is whole rows of
// the window, and a tile is a number of output rows; else a tile is a number of pixels.
template <class T>
WeightTasks weight_tasks(const Gather* g) {
  WeightTasks t;
  if (narrow<T>(*g)) {  // tiles are rows of output, panels vectors of channels
    t.tiles = output_rows(*g);
    t.chunk_tiles = ceil_div(t.tiles, 8);
    t.chunks = ceil_div(t.tiles, t.chunk_tiles);
    t.tile_pixels = t.tap_blocks = 1;
    t.panels = ChannelVectors<T>(*g).count;
    t.block_taps = g->taps();
    t.group_tasks = 1;
    return t;
  }
  if (weight_planar<T>(*g)) {
    t.tiles = Planes::of<T>(*g).strip.tiles;
    t.chunk_tiles = ceil_div(t.tiles, 8);
    t.chunks = ceil_div(t.tiles, t.chunk_tiles);
    t.tile_pixels = t.tap_blocks = t.panels = t.group_tasks = 1;
    t.block_taps = g->taps();
    return t;
  }
  t.group_tasks = g->groups;
  const int64_t taps = g->taps(), row = g->axis[2].taps;
  const bool strip = uses_strip<T>(*g), small = g->depth() * round_up(g->oc, NR<T>) <= 65536;
  t.panels = ceil_div(g->oc, NR<T>);
  t.block_taps = most(1, least(taps, 768 / g->c));
  if (strip) t.block_taps = small ? taps : row * most(1, t.block_taps / row);
  t.tap_blocks = ceil_div(taps, t.block_taps);
  t.tile_pixels = strip ? strip_of<T>(*g).height * g->axis[2].out
                        : most(64, least(256, 65536 / (t.block_taps * g->c)));
  t.tiles = strip ? strip_of<T>(*g).tiles : ceil_div(g->pixels(), t.tile_pixels);
  t.chunk_tiles = ceil_div(t.tiles, small ? 8 : 2);
  t.chunks = ceil_div(t.tiles, t.chunk_tiles);
  return t;
}

template <class T>
int64_t weight_scratch(const Gather* g, const WeightTasks* t) {
  if (narrow<T>(*g)) return 1;
  if (weight_planar<T>(*g)) return weight_planar_scratch<T>(*g);
  const int64_t rows = uses_strip<T>(*g) ? strip_scratch<T>(strip_of<T>(*g))
                                         : t->tile_pixels * row_stride<T>(t->block_taps * g->c);
  return rows + t->tile_pixels * NR<T> + 3 * NR<T>;
}

template <class T>
int64_t weight_partial(const Gather* g, const WeightTasks* t) {
  if (weight_planar<T>(*g)) return t->chunks * planar_sums(*g, LANES<T>);
  return t->chunks * t->group_tasks * t->panels * g->depth() * (narrow<T>(*g) ? LANES<T> : NR<T>);
}

// A panel of grad_y, [pixels][width]: packed, since pixels a multiple of 1 KB apart would fall into
// the same few sets of the first cache. Lanes past the last channel hold whatever follows; their
// sums are not used.
template <class T>
void copy_panel(const T* from, int64_t stride, int64_t pixels, int64_t columns, int width, T* to,
                const T* end) {
  for (int64_t p = 0; p < pixels; ++p, from += stride, to += width)
    for (int j = 0; j < width; j += LANES<T>) {
      const bool whole = from + j + LANES<T> <= end;
      store(to + j, whole ? load(from + j) : load_some(from + j, int(columns - j)));
    }
}

// The sums of one tile: `tile` multiplies its rows with every panel of grad_y.
template <class T, class F>
TCN_INLINE void each_panel(const Gather& g, const WeightTasks& t, int64_t group, int64_t from,
                           int64_t count, const T* grad_y, T* panel, F tile) {
  const T* end = grad_y + g.pixels() * g.y_channels();
  grad_y += from * g.y_channels() + group * g.oc;
  for (int64_t p = 0; p < t.panels; ++p) {
    const int64_t first = p * NR<T>;
    const int width = panel_width<T>(g.oc - first);
    copy_panel(grad_y + first, g.y_channels(), count, least(width, g.oc - first), width, panel,
               end);
    tile(p, width);
  }
}

// grad_y of the tile that follows pixel `from`.
template <class T>
Ahead grad_ahead(const Gather& g, const WeightTasks& t, int64_t from, const T* grad_y) {
  const int64_t pixels = least(t.tile_pixels, g.pixels() - from);
  if (g.groups > 1 || pixels <= 0) return {};
  return Ahead{reinterpret_cast<const char*>(grad_y + from * g.oc),
               pixels * g.oc * int64_t(sizeof(T))};
}

// Tile number `index`, taps [tap0, tap1), by im2col.
template <class T>
void weight_rows(const Gather& g, const WeightTasks& t, int64_t group, int64_t index, int64_t tap0,
                 int64_t tap1, bool add, const T* x, const T* grad_y, T* partial, T* panel,
                 T* rows) {
  const int64_t from = index * t.tile_pixels, count = least(t.tile_pixels, g.pixels() - from);
  const int64_t stride = row_stride<T>(t.block_taps * g.c);
  fill_tile(g, x, group, from, count, tap0, tap1, rows, stride);
  const int64_t next = from + count, panel_size = g.depth() * NR<T>;
  const Ahead x_ahead = windows_ahead(g, next, next + t.tile_pixels, x);
  const Ahead y_ahead = grad_ahead(g, t, next, grad_y);
  each_panel(g, t, group, from, count, grad_y, panel, [&](int64_t p, int width) {
    Tile<T> product{count, rows, stride, panel, width, nullptr, add, partial + p * panel_size,
                    NR<T>, width};
    product.ahead[0] = x_ahead.part(p, t.panels);
    product.ahead[1] = y_ahead.part(p, t.panels);
    multiply_rows<T, false>((tap1 - tap0) * g.c, product);
  });
}

// Tile number `index`, the window rows of taps [tap0, tap1), from a strip for each plane of the
// window. A plane that lies in the padding adds nothing, but the first tile starts the sums.
template <class T>
void weight_strip(const Gather& g, const WeightTasks& t, int64_t group, int64_t index, int64_t tap0,
                  int64_t tap1, bool add, const T* x, const T* grad_y, T* partial, T* panel,
                  T* memory) {
  const Axis &d = g.axis[0], &h = g.axis[1], &w = g.axis[2];
  const Strip s = strip_of<T>(g);
  const StripTile tile = StripTile::at(g, s, index);
  const Inside planes = Inside::of(d, tile.d);
  const int64_t from = ((tile.n * d.out + tile.d) * h.out + tile.from) * w.out;
  const int64_t pixels = tile.height * w.out;
  for (int64_t row = tap0 / w.taps, end = tap1 / w.taps, next; row < end; row = next) {
    const int64_t td = row / h.taps;
    next = least(end, (td + 1) * h.taps);
    const bool some = td >= planes.lo && td < planes.hi;
    if (!some && add) continue;
    const T* strip = memory;
    if (some) strip = fill_strip(g, s, tile, planes.start + td * d.delta, group, x, memory);
    const Ahead x_ahead = strip_ahead(g, s, index + 1, td, x);
    const Ahead y_ahead = grad_ahead(g, t, from + pixels, grad_y);
    each_panel(g, t, group, from, pixels, grad_y, panel, [&](int64_t p, int width) {
      Tile<T> product{
          w.out, nullptr, w.step * g.c,           panel,         width, nullptr, add, nullptr,
          NR<T>, width,   some ? tile.height : 0, h.step * s.row};
      const int64_t pieces = s.joined ? 1 : w.taps, height = (s.joined ? w.taps : 1) * g.c;
      const int64_t products = (next - row) * pieces;
      for (int64_t i = 0; i < products; ++i) {
        const int64_t r = row + i / pieces, tap = i % pieces;
        product.a = strip + (r - td * h.taps) * h.delta * s.row + tap * w.delta * g.c;
        product.c = partial + (p * g.depth() + (r * w.taps + tap - tap0) * g.c) * NR<T>;
        product.ahead[0] = x_ahead.part(p * products + i, t.panels * products);
        product.ahead[1] = y_ahead.part(p * products + i, t.panels * products);
        multiply_rows<T, false>(height, product);
      }
    });
  }
}

// One task: a chunk of pixels and a block of taps of one group, into its own part of `partial`,
// [group][chunk][panel][taps * C][NR].
template <class T>
void weight_gather(const Gather* plan, const WeightTasks* t, int64_t task, const void* x,
                   const void* grad_y, void* partial_, void* scratch) {
  const Gather& g = *plan;
  if (const int G = narrow<T>(g))
    return with_group(G, [&](auto group) {
      weight_narrow<T, decltype(group)::value>(
          g, task * t->chunk_tiles, least(t->tiles, (task + 1) * t->chunk_tiles),
          static_cast<const T*>(x), static_cast<const T*>(grad_y),
          static_cast<T*>(partial_) + task * t->panels * g.depth() * LANES<T>);
    });
  if (weight_planar<T>(g))
    return with_written<T>(g.oc, [&](auto written) {
      gather_weight_planar<T, decltype(written)::value>(
          g, task * t->chunk_tiles, least(t->tiles, (task + 1) * t->chunk_tiles),
          static_cast<const T*>(x), static_cast<const T*>(grad_y),
          static_cast<T*>(partial_) + task * planar_sums(g, LANES<T>), static_cast<T*>(scratch));
    });
  const int64_t block = task % t->tap_blocks, chunk = task / t->tap_blocks % t->chunks,
                group = task / t->tap_blocks / t->chunks;
  const int64_t tap0 = block * t->block_taps, tap1 = least(g.taps(), tap0 + t->block_taps);
  T* partial = static_cast<T*>(partial_) +
               ((group * t->chunks + chunk) * t->panels * g.taps() + tap0) * g.c * NR<T>;
  T* panel = static_cast<T*>(scratch);
  T* rows = panel + round_up(t->tile_pixels * NR<T>, NR<T>);
  const auto tile = uses_strip<T>(g) ? weight_strip<T> : weight_rows<T>;
  const int64_t first = chunk * t->chunk_tiles, end = least(t->tiles, first + t->chunk_tiles);
  for (int64_t index = first; index < end; ++index)
    tile(g, *t, group, index, tap0, tap1, index > first, static_cast<const T*>(x),
         static_cast<const T*>(grad_y), partial, panel, rows);
}

// Adds the chunks, for a panel of written channels, and writes them where the weights have them:
// for each channel a row of (C, KH, KW), from front to back.
template <class T>
void weight_finish(const Gather* plan, const WeightTasks* t, int64_t task, const void* partial_,
                   void* grad_weight) {
  const Gather& g = *plan;
  if (narrow<T>(g))
    return finish_narrow(g, t->chunks, task, static_cast<const T*>(partial_),
                         static_cast<T*>(grad_weight));
  if (weight_planar<T>(g))
    return finish_planar(g, t->chunks, static_cast<const T*>(partial_),
                         static_cast<T*>(grad_weight));
  const int64_t group = task / t->panels, panel = task % t->panels, panel_size = g.depth() * NR<T>;
  const T* sums =
      static_cast<const T*>(partial_) + (group * t->chunks * t->panels + panel) * panel_size;
  const int64_t end = least(g.oc, (panel + 1) * NR<T>);
  for (int64_t first = panel * NR<T>; first < end; first += LANES<T>, sums += LANES<T>) {
    T* to = static_cast<T*>(grad_weight) + group * g.w_group + first * g.w_out;
    const int64_t lanes = least(LANES<T>, g.oc - first);
    for (int64_t c = 0; c < g.c; ++c) {
      int64_t tap = 0;
      for (int64_t d = 0; d < g.axis[0].taps; ++d)
        for (int64_t h = 0; h < g.axis[1].taps; ++h)
          for (int64_t w = 0; w < g.axis[2].taps; ++w, ++tap) {
            const T* from = sums + (tap * g.c + c) * NR<T>;
            Vec<T> sum = load(from);
            for (int64_t i = 1; i < t->chunks; ++i) sum += load(from + i * t->panels * panel_size);
            T* place = to + c * g.w_in + d * g.w_tap[0] + h * g.w_tap[1] + w * g.w_tap[2];
            for (int64_t l = 0; l < lanes; ++l) place[l * g.w_out] = sum[l];
          }
    }
  }
}

// --- gradient of the bias --------------------------------------------------------------------

// Rows of C numbers, less than a vector: L rows, C whole vectors, at a time. Lane l of vector v is
// column (v * L + l) % C.
template <class T, int C = LANES<T> - 1>
void sum_narrow(const T* x, int64_t rows, int64_t c, T* out) {
  if constexpr (C > 0) {
    if (c < C) return sum_narrow<T, C - 1>(x, rows, c, out);
    constexpr int L = LANES<T>;
    Vec<T> sum[C] = {};
    for (; rows >= L; rows -= L, x += C * L)
      TCN_UNROLL for (int v = 0; v < C; ++v) sum[v] += load(x + v * L);
    for (int i = 0; i < C * L; ++i) out[i % C] += sum[i / L][i % L];
    for (; rows > 0; --rows, x += C)
      for (int j = 0; j < C; ++j) out[j] += x[j];
  }
}

// U vectors of columns of rows of c numbers, even rows and odd ones apart: sums that do not wait.
template <class T, int U>
TCN_INLINE void sum_wide(const T* x, int64_t rows, int64_t c, T* out, int lanes) {
  constexpr int L = LANES<T>;
  const auto read = [&](int64_t row, int u) {
    const T* at = x + row * c + u * L;
    return U > 1 || lanes == L ? load(at) : load_some(at, lanes);
  };
  Vec<T> even[U] = {}, odd[U] = {};
  int64_t r = 0;
  for (; r + 2 <= rows; r += 2) TCN_UNROLL for (int u = 0; u < U; ++u) {
      even[u] += read(r, u);
      odd[u] += read(r + 1, u);
    }
  if (r < rows) TCN_UNROLL for (int u = 0; u < U; ++u) even[u] += read(r, u);
  TCN_UNROLL for (int u = 0; u < U; ++u) {
    if (lanes == L)
      store(out + u * L, even[u] + odd[u]);
    else
      store_some(out + u * L, even[u] + odd[u], lanes);
  }
}

// Sum of `rows` rows of c numbers, for each column, into partial[c] of chunk `chunk`.
template <class T>
void sum_rows(const void* x_, int64_t rows, int64_t c, int64_t chunk, void* partial_) {
  constexpr int L = LANES<T>;
  const T* x = static_cast<const T*>(x_);
  T* out = static_cast<T*>(partial_) + chunk * c;
  if (c < L) {
    for (int64_t j = 0; j < c; ++j) out[j] = T(0);
    return sum_narrow(x, rows, c, out);
  }
  int64_t j = 0;
  for (; j + 4 * L <= c; j += 4 * L) sum_wide<T, 4>(x + j, rows, c, out + j, L);
  for (; j < c; j += L) sum_wide<T, 1>(x + j, rows, c, out + j, int(least(L, c - j)));
}

template <class T>
void sum_partials(const void* partial, int64_t partials, int64_t c, void* out_) {
  T* out = static_cast<T*>(out_);
  for (int64_t j = 0; j < c; ++j) out[j] = T(0);
  for (int64_t i = 0; i < partials; ++i)
    for (int64_t j = 0; j < c; ++j) out[j] += static_cast<const T*>(partial)[i * c + j];
}

}  // namespace TCN_ISA

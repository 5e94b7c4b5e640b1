// Winograd's convolution, forward and gradient of the input (winograd_transform.hh has the
// algebra).
//
//   x: tiles of 6 x 6 pixels, 4 apart       seen [36][tiles][C]     each tile: B^T d B
//      +------+
//      |   +------+          B^T . B       36 products of matrices
//      +---|--+   |   --->   [tiles][C]  x  [C][OC]  =  [tiles][OC]   for each of the 36 positions
//          +------+
//   y: tiles of 4 x 4 pixels, side by side  <---  A^T . A  of what the 36 products give a tile
//
// A task is a block of tiles and a group of panels of written channels. It transforms its tiles
// once, multiplies position by position, panel by panel (a position's tiles stay in the first cache
// while the panels of its weights pass by), and writes its outputs once. Per tile and vector of
// channels the input costs 36 loads, 36 stores and about 200 multiply-adds, the output 36 loads and
// 16 stores, against 36 multiply-adds for every *pair* of channels: the wider the layer, the
// smaller their part. A window of 5 x 5 sees as many pixels and writes 2 x 2; one that is dilated
// by two does the same on each of four interleaved grids of every second pixel.
#pragma once
#include "im2col.hh"
#include "winograd_api.hh"
#include "winograd_transform.hh"

namespace TCN_ISA {

// Numbers from one row of channels to the next, and from one position to the next: moved apart by
// vectors, so that rows and positions do not fall into the same sets of a cache.
template <class T>
TCN_INLINE int64_t row_of(int64_t channels) {
  return round_up(channels, LANES<T>) + LANES<T>;
}
template <class T>
TCN_INLINE int64_t seen_step(const Gather& g, const Winograd& w) {
  return w.block * row_of<T>(g.c);
}
template <class T>
TCN_INLINE int64_t made_step(const Winograd& w) {
  return w.block * w.group * NR<T> + LANES<T>;
}
template <class T>
TCN_INLINE int64_t weight_step(const Winograd& w) {
  return (w.packs ? w.panels : w.group) * w.depth * NR<T> + 5 * LANES<T>;
}

// Bytes that the tiles of a block see; channels written by a task. Tiles that are so few are one
// block, whose tasks transform their weights themselves, so many bytes at a time. These, and tasks
// of several threads, which share the third cache, write fewer channels.
constexpr int64_t WINOGRAD_BLOCK = 1 << 19, WINOGRAD_COLUMNS = 256, WINOGRAD_FEW = 64,
                  WINOGRAD_WEIGHTS = 1 << 20, WINOGRAD_SHARED_COLUMNS = 128;

// Blocks of tiles that keep what they see in the second cache, as many for each thread; where they
// are too few, tasks are groups of written channels, too, and see the same tiles.
template <class T>
Winograd winograd_plan(const Gather* g, int64_t threads) {
  Winograd w(*g);
  const int64_t positions = w.positions(), size = sizeof(T);
  w.packs = w.tiles > WINOGRAD_FEW;
  w.blocks = w.tiles > 0;
  if (w.packs) {
    const int64_t fit = WINOGRAD_BLOCK / (positions * row_of<T>(g->c) * size);
    const int64_t block = round_up(most(least(fit, 8 * MR), 2 * MR), MR);
    w.blocks = ceil_div(w.cost(), positions * block);
    if (w.blocks < 8 * threads) w.blocks = round_up(w.blocks, threads);
  }
  w.block = 0;
  for (int64_t i = 0; i < w.blocks; ++i)
    w.block = most(w.block, w.part(i + 1, w.blocks) - w.part(i, w.blocks));
  w.panels = ceil_div(g->oc, NR<T>);
  const int64_t columns = w.packs && threads == 1 ? WINOGRAD_COLUMNS : WINOGRAD_SHARED_COLUMNS;
  w.groups = most(ceil_div(w.panels * NR<T>, columns), w.blocks < threads ? threads : 1);
  w.group = ceil_div(w.panels, w.groups);
  w.groups = ceil_div(w.panels, most(w.group, 1));
  const int64_t depth = WINOGRAD_WEIGHTS / (positions * most(w.group, 1) * NR<T> * size);
  w.depth = w.packs ? g->c : least(g->c, most(16, depth));
  return w;
}

template <class T>
int64_t winograd_packed_size(const Gather*, const Winograd* w) {
  return w->packs ? w->positions() * weight_step<T>(*w) : 1;
}

template <class T>
int64_t winograd_scratch(const Gather* g, const Winograd* w) {
  const int64_t weights = w->packs ? 0 : weight_step<T>(*w);
  return w->positions() * (seen_step<T>(*g, *w) + made_step<T>(*w) + weights);
}

// Weights of one panel for the channels [c0, c1): G g G^T, to [positions][...][c][width]; channels
// beyond the last are zero.
template <class T, int M, int R>
void pack_weights(const Gather& g, const Winograd& w, int64_t panel, int64_t c0, int64_t c1,
                  const T* weight, T* packed) {
  constexpr int L = LANES<T>;
  const int64_t from = panel * NR<T>, position = weight_step<T>(w);
  const int width = panel_width<T>(g.oc - from);
  const int64_t columns = least(width, g.oc - from);
  int64_t offset[R * R];
  for (int t = 0; t < R * R; ++t) offset[t] = g.w_offset(0, t / R, t % R);
  T tap[R * R][NR<T>] = {};
  for (int64_t c = c0; c < c1; ++c, packed += width) {
    const T* pair = weight + from * g.w_out + c * g.w_in;
    for (int64_t j = 0; j < columns; ++j) {
      prefetch(pair + j * g.w_out + 8 * g.w_in);
      TCN_UNROLL for (int t = 0; t < R * R; ++t) tap[t][j] = pair[j * g.w_out + offset[t]];
    }
    for (int j = 0; j < width; j += L)
      both_sides<T>(
          FILTERING<M, R>.weight, [&](int r, int s) { return load(tap[r * R + s] + j); },
          [&](int r, int s, const Vec<T>& v) {
            T* to = packed + (r * (M + R - 1) + s) * position + j;
            prefetch_to_write(to + 4 * NR<T>);  // of a later channel
            store(to, v);
          });
  }
}

// The pixels i of a tile for which 0 <= start + i * apart < size.
struct InMap {
  int64_t lo, hi;
  TCN_INLINE InMap(int64_t start, int64_t apart, int64_t size, int64_t pixels)
      : lo(start < 0 ? ceil_div(-start, apart) : 0),
        hi(size > start ? least(ceil_div(size - start, apart), pixels) : 0) {}
  TCN_INLINE bool has(int64_t i) const { return i >= lo && i < hi; }
};

// MAP d MAP^T for the pixels d that a tile sees of a map of H x W, from (h, w) on, and channels
// [c0, c1), to [positions][.][channels]. Pixels outside the map are zero. Inlined, so that the
// compiler sees the matrices.
template <class T, template <int, int> class Map, int M, int R>
TCN_INLINE void see(const MapTiles& t, const MapTile& at, const T* map, int64_t H, int64_t W,
                    int64_t channels, int64_t h, int64_t w, int64_t c0, int64_t c1, T* seen,
                    int64_t position) {
  constexpr int L = LANES<T>, N = M + R - 1, COLUMNS = Map<M, R>::matrix.columns();
  const InMap high(h, t.high.apart, H, COLUMNS), across(w, t.across.apart, W, COLUMNS);
  const T* corner = map + (h * W + w) * channels;
  const int64_t down = t.high.apart * W * channels, right = t.across.apart * channels;
  const int64_t next = row_of<T>(c1 - c0);  // tile
  for (int64_t c = c0; c < c1; c += L) {
    const int rest = int(least(L, c1 - c));
    both_sides<T, Map, M, R>(
        at.high, at.across,
        [&](int r, int s) {
          if (!high.has(r) || !across.has(s)) return Vec<T>{};
          const T* pixel = corner + r * down + s * right + c;
          if (s >= COLUMNS - M) prefetch(pixel + M * right);  // of the next tile
          return rest == L ? load(pixel) : load_some(pixel, rest);
        },
        [&](int r, int s, const Vec<T>& v) {
          T* to = seen + (r * N + s) * position + c - c0;
          prefetch_to_write(to + next);
          store(to, v);
        });
  }
}

// What one tile sees of x, B^T d B, for channels [c0, c1).
template <class T, int M, int R>
TCN_INLINE void see_input(const Gather& g, const MapTiles& tiles, int64_t tile, const T* x,
                          int64_t c0, int64_t c1, T* seen, int64_t position) {
  const Axis &ah = g.axis[1], &aw = g.axis[2];
  const MapTile at(tiles, tile);
  see<T, Input, M, R>(tiles, at, x + at.map * ah.in * aw.in * g.c, ah.in, aw.in, g.c,
                      at.h + ah.first, at.w + aw.first, c0, c1, seen, position);
}

// The outputs of one tile: A^T m A + bias, perhaps rectified, from [positions][.][columns], for
// channels from `first`.
template <class T, int M, int R>
void finish(const Gather& g, const Winograd& w, int64_t tile, int64_t first, int64_t columns,
            const T* made, int64_t position, const T* bias, T* y) {
  constexpr int L = LANES<T>;
  const Axis &ah = g.axis[1], &aw = g.axis[2];
  const MapTile at(w, tile);
  const InMap high(at.h, w.high.apart, ah.out, M), across(at.w, w.across.apart, aw.out, M);
  T* corner = y + ((at.map * ah.out + at.h) * aw.out + at.w) * g.oc + first;
  const int64_t down = w.high.apart * aw.out * g.oc, right = w.across.apart * g.oc;
  for (int64_t c = 0; c < columns; c += L) {
    const int rest = int(least(L, columns - c));
    const Vec<T> start = !bias       ? Vec<T>{}
                         : rest == L ? load(bias + first + c)
                                     : load_some(bias + first + c, rest);
    both_sides<T, Output, M, R>(
        at.high, at.across,
        [&](int r, int s) { return load(made + (r * (M + R - 1) + s) * position + c); },
        [&](int r, int s, const Vec<T>& sum) {
          if (!high.has(r) || !across.has(s)) return;
          const Vec<T> v = g.relu ? rectified(Vec<T>(sum + start)) : sum + start;
          T* pixel = corner + r * down + s * right + c;
          prefetch_to_write(pixel + M * right);  // of the next tile
          if (rest == L)
            store(pixel, v);
          else
            store_some(pixel, v, rest);
        });
  }
}

// The 36 products of what the tiles [from, to) see and the weights, for the channels
// [c0, c0 + w.depth). Weights that are transformed beforehand are more than a cache holds, and each
// product asks for those of the next.
template <class T>
void multiply_positions(const Gather& g, const Winograd& w, int64_t from, int64_t to,
                        int64_t panel0, int64_t panel1, int64_t c0, const T* seen, const T* weights,
                        T* made) {
  const int64_t panels = panel1 - panel0;
  const auto weights_of = [&](int64_t p, int64_t panel) {
    return weights + p * weight_step<T>(w) + ((w.packs ? panel0 : 0) + panel) * w.depth * NR<T>;
  };
  Tile<T> t{};
  t.depth = least(w.depth, g.c - c0);
  t.lda = row_of<T>(g.c);
  t.add = c0 > 0;
  t.ldc = w.group * NR<T>;
  int64_t next = 0;
  for (int64_t p = 0; p < w.positions(); p = next) {
    const TileRange rows = w.rows(p, from, to);
    for (next = p + 1; next < w.positions() && !w.rows(next, from, to).count();) ++next;
    for (int64_t panel = 0; rows.count() && panel < panels; ++panel) {
      t.a = seen + p * seen_step<T>(g, w) + rows.from * t.lda + c0;
      t.b = weights_of(p, panel);
      t.ldb = t.columns = panel_width<T>(g.oc - (panel0 + panel) * NR<T>);
      t.c = made + p * made_step<T>(w) + rows.from * t.ldc + panel * NR<T>;
      const T* ahead = panel + 1 < panels ? weights_of(p, panel + 1) : weights_of(next, 0);
      if (w.packs && (panel + 1 < panels || next < w.positions()))
        t.ahead[0] =
            Ahead{reinterpret_cast<const char*>(ahead), t.depth * t.ldb * int64_t(sizeof(T))};
      multiply_rows<T, true>(rows.count(), t);
    }
  }
}

template <class T, int M, int R>
void winograd_task(const Gather& g, const Winograd& w, int64_t task, const T* x, const T* weight,
                   const T* packed, const T* bias, T* y, T* scratch) {
  constexpr int POSITIONS = (M + R - 1) * (M + R - 1);
  const int64_t block = task / w.groups, group = task % w.groups;
  const int64_t from = w.part(block, w.blocks), to = w.part(block + 1, w.blocks);
  const int64_t panel0 = group * w.group, panel1 = least(panel0 + w.group, w.panels);
  T *seen = scratch, *made = seen + POSITIONS * seen_step<T>(g, w);
  T* own = made + POSITIONS * made_step<T>(w);
  for (int64_t i = from; i < to; ++i)
    see_input<T, M, R>(g, w, i, x, 0, g.c, seen + (i - from) * row_of<T>(g.c), seen_step<T>(g, w));
  for (int64_t c = 0; c < g.c; c += w.depth) {
    if (!w.packs)
      for (int64_t panel = panel0; panel < panel1; ++panel)
        pack_weights<T, M, R>(g, w, panel, c, least(c + w.depth, g.c), weight,
                              own + (panel - panel0) * w.depth * NR<T>);
    multiply_positions(g, w, from, to, panel0, panel1, c, seen, w.packs ? packed : own, made);
  }
  const int64_t first = panel0 * NR<T>, columns = least(g.oc, panel1 * NR<T>) - first;
  for (int64_t i = from; i < to; ++i)
    finish<T, M, R>(g, w, i, first, columns, made + (i - from) * w.group * NR<T>, made_step<T>(w),
                    bias, y);
}

// Calls `run` with the outputs of a full tile and the taps of a window, along each axis, as
// constants.
template <class F>
TCN_INLINE void with_tile(const MapTiles& t, F run) {
  using std::integral_constant;
  if (t.taps == 5)
    run(integral_constant<int, 2>(), integral_constant<int, 5>());
  else
    run(integral_constant<int, 4>(), integral_constant<int, 3>());
}

// Weights of one panel, beforehand; nothing if the tasks do it.
template <class T>
void winograd_pack(const Gather* g, const Winograd* w, int64_t panel, const void* weight,
                   void* packed) {
  if (!w->packs) return;
  with_tile(*w, [&](auto m, auto r) {
    pack_weights<T, m(), r()>(*g, *w, panel, 0, g->c, static_cast<const T*>(weight),
                              static_cast<T*>(packed) + panel * g->c * NR<T>);
  });
}

template <class T>
void winograd_tile(const Gather* g, const Winograd* w, int64_t task, const void* x,
                   const void* weight, const void* packed, const void* bias, void* y,
                   void* scratch) {
  with_tile(*w, [&](auto m, auto r) {
    winograd_task<T, m(), r()>(*g, *w, task, static_cast<const T*>(x),
                               static_cast<const T*>(weight), static_cast<const T*>(packed),
                               static_cast<const T*>(bias), static_cast<T*>(y),
                               static_cast<T*>(scratch));
  });
}

}  // namespace TCN_ISA

// Winograd's F(4x4, 3x3) for groups of G channels (winograd_transform.hh has the algebra).
//
// Each group is a small convolution of its own; channels of neighbouring groups lie side by side,
// so transforms run over vectors of channels whatever G is. What differs is the product of a
// position, [tiles][G] x [G][G] for each group. Where G fills a vector or half of one, G weights
// stay in registers while tiles pass by, and channel k of each group is spread over its lanes
// (grouped.hh):
//
//     seen of a tile   | a0 a1 .. a7 | b0 b1 .. b7 |         G loads or shuffles,
//     k = 1            | a1 a1 .. a1 | b1 b1 .. b1 | * w1    G multiply-adds, 1 store
//
// Wider groups go through the micro-kernel. A task transforms a block of tiles for some 64
// channels, at all 36 positions, and then goes unit by unit (a group, or a vector of two): 36
// products, and the outputs. Per tile and vector of channels the transforms cost 36 + 36 loads and
// some 260 + 180 multiply-adds, the products 36 * G, against 144 * G of the direct convolution:
// even at G = 4.
#pragma once
#include "grouped.hh"
#include "grouped_winograd_api.hh"
#include "pixels.hh"
#include "winograd.hh"

namespace TCN_ISA {

// Tiles that are seen at a time, so that what a unit sees of them stays in the first cache, or, in
// a weight gradient, in the second; and how many tasks there should be, of how many tiles at least.
constexpr int64_t GROUPED_BLOCK = 8, GROUPED_SUMS_BLOCK = 16, GROUPED_TASKS = 8, GROUPED_TILES = 64;

// Vectors must not cut a group in two.
template <class T>
int64_t grouped_fits(const Gather* g) {
  const bool whole = g->c % LANES<T> == 0 && g->c <= SLICE;
  return grouped_winograd_fits(*g) && (whole || (g->c == 8 && g->y_channels() % LANES<T> == 0));
}

template <class T>
GroupedWinograd grouped_plan(const Gather* g, int64_t block) {
  GroupedWinograd w(*g, false);
  w.unit = most(g->c, LANES<T>);
  w.units = g->y_channels() / w.unit;
  w.unit_block = least(w.units, SLICE / w.unit);
  w.unit_blocks = ceil_div(w.units, w.unit_block);
  w.block = block;
  const int64_t blocks = ceil_div(w.tiles, block);
  const int64_t wanted =
      most(1, least(w.tiles / GROUPED_TILES, ceil_div(GROUPED_TASKS, w.unit_blocks)));
  w.chunk = most(1, ceil_div(blocks, wanted)) * block;
  w.chunks = ceil_div(w.tiles, w.chunk);
  return w;
}

// A task: tiles [from, to), units from `unit` on, channels from `c` on.
struct GroupedTask {
  int64_t from, to, unit, units, c;
  TCN_INLINE GroupedTask(const GroupedWinograd& w, int64_t task)
      : from(task % w.chunks * w.chunk),
        to(least(from + w.chunk, w.tiles)),
        unit(task / w.chunks * w.unit_block),
        units(least(w.unit_block, w.units - unit)),
        c(unit * w.unit) {}
};

// Numbers from one position to the next, for rows of so many: an odd number of vectors, so that
// positions spread over all sets of a cache.
template <class T>
TCN_INLINE int64_t apart(int64_t rows, int64_t row) {
  return (ceil_div(rows * row, LANES<T>) | 1) * LANES<T>;
}

// From one position to the next in a unit's weights, [G][unit]; in what it sees, [tiles][unit].
template <class T>
TCN_INLINE int64_t unit_weights(const Gather& g, const GroupedWinograd& w) {
  return apart<T>(g.c, w.unit);
}
template <class T>
TCN_INLINE int64_t unit_seen(const GroupedWinograd& w) {
  return apart<T>(w.block, w.unit);
}

// Where the 9 weights lie with which channel k of its group adds to channel c of the result.
struct WeightPlaces {
  int64_t tap[9];
  explicit TCN_INLINE WeightPlaces(const Gather& g) {
    for (int t = 0; t < 9; ++t) tap[t] = g.w_offset(0, t / 3, t % 3);
  }
  TCN_INLINE int64_t pair(const Gather& g, int64_t k, int64_t c) const {
    return c / g.oc * g.w_group + c % g.oc * g.w_out + k * g.w_in;
  }
};

// Weights of one unit: G g G^T, to [positions][G][unit]. They are gathered for some channels k at a
// time: a vector of numbers that were written one by one a moment ago would be waited for.
template <class T>
void grouped_pack(const Gather& g, const GroupedWinograd& w, int64_t unit, const T* weight, T* to) {
  constexpr int L = LANES<T>, KS = 8;
  const int64_t position = unit_weights<T>(g, w);
  const WeightPlaces places(g);
  for (int64_t c = 0; c < w.unit; c += L)
    for (int64_t k0 = 0; k0 < g.c; k0 += KS) {
      T tap[KS][9][L];
      for (int j = 0; j < L; ++j) {
        const T* pair = weight + places.pair(g, k0, unit * w.unit + c + j);
        for (int k = 0; k < KS; ++k, pair += g.w_in)
          TCN_UNROLL for (int t = 0; t < 9; ++t) tap[k][t][j] = pair[places.tap[t]];
      }
      for (int k = 0; k < KS; ++k)
        both_sides<T>(
            FILTERING<4, 3>.weight, [&](int r, int s) { return load(tap[k][r * 3 + s]); },
            [&](int r, int s, const Vec<T>& v) {
              store(to + (r * 6 + s) * position + (k0 + k) * w.unit + c, v);
            });
    }
}

// The pixels of tiles [from, from + tiles) of x, or of y; a tile's first one lies at its first
// output + (first_h, first_w).
template <class T, int N>
void find_pixels(const MapTiles& w, int64_t from, int64_t tiles, T* x, int64_t high, int64_t across,
                 int64_t channels, int64_t first_h, int64_t first_w, T* outside,
                 Pixels<T, N, N>* pixels) {
  for (int64_t i = 0; i < tiles; ++i) {
    const MapTile at(w, from + i);
    pixels[i].find(x + at.map * high * across * channels, high, across, channels, at.h + first_h,
                   at.w + first_w, outside);
  }
}

// MATRIX d MATRIX^T of tiles, `unit` channels from `c` on, to [positions][tiles][unit].
template <class T, int N>
TCN_INLINE void grouped_see(const Matrix<6, N>& matrix, const Pixels<const T, N, N>* pixels,
                            int64_t tiles, int64_t c, int64_t unit, int64_t position, T* seen) {
  for (int64_t i = 0; i < tiles; ++i)
    for (int64_t j = 0; j < unit; j += LANES<T>, seen += LANES<T>)
      both_sides<T>(
          matrix, [&](int r, int s) { return load(pixels[i].at[r * N + s] + c + j); },
          [&](int r, int s, const Vec<T>& v) { store(seen + (r * 6 + s) * position, v); });
}

// Channels k of each group times their weights w[k], for P tiles.
template <class T, int G, int P, int K = 0>
TCN_INLINE void spread_products(const T* seen, int64_t row, const Vec<T> (&w)[G],
                                Vec<T> (&sum)[P]) {
  TCN_UNROLL for (int i = 0; i < P; ++i) {
    const Vec<T> product = spread<T, G, K, false>(seen + i * row, LANES<T>) * w[K];
    sum[i] = K == 0 ? product : sum[i] + product;
  }
  if constexpr (K + 1 < G) spread_products<T, G, P, K + 1>(seen, row, w, sum);
}

template <class T, int G>
void multiply_spread(int64_t tiles, const T* seen, int64_t row, const T* weights, T* made) {
  constexpr int P = 4;
  Vec<T> w[G];
  TCN_UNROLL for (int k = 0; k < G; ++k) w[k] = load(weights + k * LANES<T>);
  int64_t i = 0;
  for (; i + P <= tiles; i += P) {
    Vec<T> sum[P];
    spread_products<T, G, P>(seen + i * row, row, w, sum);
    TCN_UNROLL for (int j = 0; j < P; ++j) store(made + (i + j) * LANES<T>, sum[j]);
  }
  for (; i < tiles; ++i) {
    Vec<T> sum[1];
    spread_products<T, G, 1>(seen + i * row, row, w, sum);
    store(made + i * LANES<T>, sum[0]);
  }
}

// Calls f with the channels of a group, known at compile time, if G weights fit the registers.
template <class T, class F>
TCN_INLINE bool with_spread_group(int64_t G, F f) {
  if (G == LANES<T>) f(std::integral_constant<int, LANES<T>>());
  if constexpr (LANES < T >> 8)
    if (G == 8) f(std::integral_constant<int, 8>());
  return G <= LANES<T>;
}

// The product of one position for one unit: [tiles][G] x [G][unit].
template <class T>
TCN_INLINE void multiply_unit(const Gather& g, const GroupedWinograd& w, int64_t tiles,
                              const T* seen, const T* weights, T* made) {
  if (with_spread_group<T>(g.c, [&](auto group) {
        multiply_spread<T, decltype(group)::value>(tiles, seen, w.unit, weights, made);
      }))
    return;
  for (int64_t c = 0; c < w.unit; c += NR<T>) {
    Tile<T> t{};
    t.depth = g.c;
    t.a = seen;
    t.b = weights + c;
    t.lda = t.ldb = t.ldc = w.unit;
    t.columns = int(least(NR<T>, w.unit - c));
    t.c = made + c;
    multiply_rows<T, true>(tiles, t);
  }
}

// The outputs of tiles, `unit` channels from `c` on: A^T m A + bias, perhaps rectified.
template <class T>
void grouped_finish(bool relu, const Pixels<T, 4, 4>* pixels, int64_t tiles, int64_t c,
                    int64_t unit, const T* made, int64_t position, const T* bias) {
  for (int64_t i = 0; i < tiles; ++i)
    for (int64_t j = 0; j < unit; j += LANES<T>, made += LANES<T>) {
      const Vec<T> start = bias ? load(bias + j) : Vec<T>{};
      both_sides<T>(
          FILTERING<4, 3>.output, [&](int r, int s) { return load(made + (r * 6 + s) * position); },
          [&](int r, int s, const Vec<T>& sum) {
            store(pixels[i].at[r * 4 + s] + c + j,
                  relu ? rectified(Vec<T>(sum + start)) : sum + start);
          });
    }
}

// Asks for share p of 36 of the pixels of tiles, `unit` channels from `c` on.
template <bool WRITE, class T, int N>
TCN_INLINE void ask(const Pixels<T, N, N>* pixels, int64_t tiles, int64_t c, int64_t unit,
                    int64_t p) {
  T* const* at = pixels->at;
  for (int64_t i = tiles * N * N * p / 36; i < tiles * N * N * (p + 1) / 36; ++i)
    for (int64_t j = 0; j < unit; j += LANES<T>) {
      if (WRITE)
        prefetch_to_write(at[i] + c + j);
      else
        prefetch(at[i] + c + j);
    }
}

// What a task sees of x, and where its outputs go: the places of pixels of a block of tiles.
template <class T, class Y>
struct BlockPixels {
  Pixels<const T, 6, 6>* in;
  Pixels<Y, 4, 4>* out;
  static int64_t size(const GroupedWinograd& w) {  // in numbers
    return ceil_div(w.block * (sizeof *in + sizeof *out), sizeof(T));
  }
  TCN_INLINE BlockPixels(const GroupedWinograd& w, T* memory)
      : in(reinterpret_cast<decltype(in)>(memory)),
        out(reinterpret_cast<decltype(out)>(in + w.block)) {}
  void find(const Gather& g, const GroupedWinograd& w, int64_t from, int64_t tiles, const T* x,
            Y* y, Y* outside) const {
    const Axis &ah = g.axis[1], &aw = g.axis[2];
    find_pixels(w, from, tiles, x, ah.in, aw.in, g.x_channels(), ah.first, aw.first, NOTHING<T>,
                in);
    find_pixels(w, from, tiles, y, ah.out, aw.out, g.y_channels(), 0, 0, outside, out);
  }
};

template <class T>
int64_t grouped_scratch(const Gather* g, const GroupedWinograd* w) {
  return w->positions() * (w->unit_block * unit_weights<T>(*g, *w) + 2 * unit_seen<T>(*w)) + SLICE +
         2 * BlockPixels<T, T>::size(*w);
}

// One task. Pixels of x that the next unit, or block of tiles, sees and those that this one writes
// are asked for between the products.
template <class T>
void grouped_tiles(const Gather* plan, const GroupedWinograd* gw, int64_t task, const void* x_,
                   const void* weight, const void* bias, void* y_, void* scratch) {
  const Gather& g = *plan;
  const GroupedWinograd& w = *gw;
  const GroupedTask t(w, task);
  const int64_t position = unit_seen<T>(w), step = unit_weights<T>(g, w);
  const T* x = static_cast<const T*>(x_) + t.c;
  T *y = static_cast<T*>(y_) + t.c, *packed = static_cast<T*>(scratch);
  T *seen = packed + t.units * w.positions() * step, *made = seen + w.positions() * position;
  T* nowhere = made + w.positions() * position;
  BlockPixels<T, T> here(w, nowhere + SLICE), next(w, nowhere + SLICE + BlockPixels<T, T>::size(w));
  if (g.c <= NR<T>) made = seen;  // a product reads all of a tile before it writes
  for (int64_t unit = 0; unit < t.units; ++unit)
    grouped_pack(g, w, t.unit + unit, static_cast<const T*>(weight),
                 packed + unit * w.positions() * step);
  const auto tiles_from = [&](int64_t i) { return most(0, least(w.block, t.to - i)); };
  here.find(g, w, t.from, tiles_from(t.from), x, y, nowhere);
  for (int64_t i = t.from; i < t.to; i += w.block, std::swap(here, next)) {
    const int64_t tiles = tiles_from(i), more = tiles_from(i + w.block);
    next.find(g, w, i + w.block, more, x, y, nowhere);
    for (int64_t unit = 0; unit < t.units; ++unit) {
      const int64_t c = unit * w.unit;
      const bool last = unit + 1 == t.units;
      grouped_see(FILTERING<4, 3>.input, here.in, tiles, c, w.unit, position, seen);
      for (int64_t p = 0; p < w.positions(); ++p) {
        ask<true>(here.out, tiles, c, w.unit, p);
        ask<false>(last ? next.in : here.in, last ? more : tiles, last ? 0 : c + w.unit, w.unit, p);
        multiply_unit(g, w, tiles, seen + p * position, packed + (unit * w.positions() + p) * step,
                      made + p * position);
      }
      grouped_finish(g.relu, here.out, tiles, c, w.unit, made, position,
                     bias ? static_cast<const T*>(bias) + t.c + c : nullptr);
    }
  }
}

}  // namespace TCN_ISA

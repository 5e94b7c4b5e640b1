// Winograd's gradient of the weights of narrow groups: as in winograd_weight.hh,
//
//     grad_g  =  G^T [ sum over tiles of (B^T d B) * (A grad_Y A^T) ] G,
//
// where the sum of a position is a product [G][tiles] x [tiles][G] for each group: by the
// micro-kernel, or, where G fills a vector or half of one, with G sums in registers while tiles
// pass:
//
//     sum k  +=  channel k of each group, spread over its lanes  *  grads of the tile
//
// A task sums a chunk of all tiles for some 64 channels; chunks are added in order.
#pragma once
#include "grouped_winograd.hh"

namespace TCN_ISA {

// Sums of a unit: [positions][G][unit]; of a task.
template <class T>
TCN_INLINE int64_t unit_sums(const Gather& g, const GroupedWinograd& w) {
  return w.positions() * g.c * w.unit;
}
template <class T>
TCN_INLINE int64_t task_sums(const Gather& g, const GroupedWinograd& w) {
  return w.unit_block * unit_sums<T>(g, w);
}

template <class T>
int64_t grouped_weight_partial(const Gather* g, const GroupedWinograd* w) {
  return w->chunks > 1 ? w->chunks * w->unit_blocks * task_sums<T>(*g, *w) : 1;
}

template <class T>
int64_t grouped_weight_scratch(const Gather* g, const GroupedWinograd* w) {
  return task_sums<T>(*g, *w) + 2 * w->positions() * unit_seen<T>(*w) +
         BlockPixels<T, const T>::size(*w);
}

template <class T, int G, int K = 0>
TCN_INLINE void add_spread(const T* seen, const Vec<T>& grads, Vec<T> (&sum)[G]) {
  sum[K] += spread<T, G, K, false>(seen, LANES<T>) * grads;
  if constexpr (K + 1 < G) add_spread<T, G, K + 1>(seen, grads, sum);
}

template <class T, int G>
void sum_spread(int64_t tiles, const T* seen, const T* grads, int64_t row, bool add, T* sums) {
  Vec<T> sum[G];
  TCN_UNROLL for (int k = 0; k < G; ++k) sum[k] = add ? load(sums + k * LANES<T>) : Vec<T>{};
  for (int64_t i = 0; i < tiles; ++i, seen += row, grads += row)
    add_spread<T, G>(seen, load(grads), sum);
  TCN_UNROLL for (int k = 0; k < G; ++k) store(sums + k * LANES<T>, sum[k]);
}

// The sums of one position for one unit: [G][tiles] x [tiles][unit].
template <class T>
TCN_INLINE void sum_unit(const Gather& g, const GroupedWinograd& w, int64_t tiles, const T* seen,
                         const T* grads, bool add, T* sums) {
  if (with_spread_group<T>(g.c, [&](auto group) {
        sum_spread<T, decltype(group)::value>(tiles, seen, grads, w.unit, add, sums);
      }))
    return;
  for (int64_t c = 0; c < w.unit; c += NR<T>) {
    Tile<T> t{};
    t.depth = tiles;
    t.a = seen;
    t.b = grads + c;
    t.lda = t.ldb = t.ldc = w.unit;
    t.columns = int(least(NR<T>, w.unit - c));
    t.add = add;
    t.c = sums + c;
    multiply_rows<T, false>(g.c, t);
  }
}

// The gradient of one unit, G^T sums G; the sums of chunks, `chunk` numbers apart, are added in
// order.
template <class T>
void finish_unit(const Gather& g, const GroupedWinograd& w, int64_t unit, const T* sums,
                 int64_t chunks, int64_t chunk, T* grad_weight) {
  constexpr int L = LANES<T>;
  const int64_t position = g.c * w.unit;
  const WeightPlaces places(g);
  for (int64_t c = 0; c < w.unit; c += L)
    for (int64_t k = 0; k < g.c; ++k) {
      T tap[9][L];
      both_sides<T>(
          FILTERING<4, 3>.weight.transposed(),
          [&](int r, int s) {
            const T* from = sums + (r * 6 + s) * position + k * w.unit + c;
            Vec<T> sum = load(from);
            for (int64_t i = 1; i < chunks; ++i) sum += load(from + i * chunk);
            return sum;
          },
          [&](int r, int s, const Vec<T>& v) { store(tap[r * 3 + s], v); });
      for (int j = 0; j < L; ++j) {
        T* pair = grad_weight + places.pair(g, k, unit * w.unit + c + j);
        TCN_UNROLL for (int t = 0; t < 9; ++t) pair[places.tap[t]] = tap[t][j];
      }
    }
}

template <class T>
void grouped_weight_sum(const Gather* plan, const GroupedWinograd* gw, int64_t task, const void* x_,
                        const void* grad_y_, void* partial, void* grad_weight, void* scratch) {
  const Gather& g = *plan;
  const GroupedWinograd& w = *gw;
  const GroupedTask t(w, task);
  const int64_t position = unit_seen<T>(w);
  const T *x = static_cast<const T*>(x_) + t.c, *grad_y = static_cast<const T*>(grad_y_) + t.c;
  T *seen = static_cast<T*>(scratch), *grads = seen + w.positions() * position;
  T* own = grads + w.positions() * position;
  const BlockPixels<T, const T> pixels(w, own + task_sums<T>(g, w));
  T* all = w.chunks == 1 ? own : static_cast<T*>(partial) + task * task_sums<T>(g, w);
  for (int64_t from = t.from; from < t.to; from += w.block) {
    const int64_t tiles = least(w.block, t.to - from);
    pixels.find(g, w, from, tiles, x, grad_y, NOTHING<T>);
    for (int64_t unit = 0; unit < t.units; ++unit) {
      const int64_t c = unit * w.unit, rest = unit + 1 < t.units ? tiles : 0;
      T* sums = all + unit * unit_sums<T>(g, w);
      grouped_see(FILTERING<4, 3>.input, pixels.in, tiles, c, w.unit, position, seen);
      grouped_see(FILTERING<4, 3>.output.transposed(), pixels.out, tiles, c, w.unit, position,
                  grads);
      for (int64_t p = 0; p < w.positions(); ++p) {
        ask<false>(pixels.in, rest, c + w.unit, w.unit, p);
        ask<false>(pixels.out, rest, c + w.unit, w.unit, p);
        sum_unit(g, w, tiles, seen + p * position, grads + p * position, from > t.from,
                 sums + p * g.c * w.unit);
      }
    }
  }
  for (int64_t unit = 0; w.chunks == 1 && unit < t.units; ++unit)
    finish_unit(g, w, t.unit + unit, own + unit * unit_sums<T>(g, w), 1, 0,
                static_cast<T*>(grad_weight));
}

template <class T>
void grouped_weight_finish(const Gather* plan, const GroupedWinograd* w, int64_t block,
                           const void* partial, void* grad_weight) {
  const GroupedTask t(*w, block * w->chunks);
  for (int64_t unit = 0; unit < t.units; ++unit)
    finish_unit(*plan, *w, t.unit + unit,
                static_cast<const T*>(partial) + block * w->chunks * task_sums<T>(*plan, *w) +
                    unit * unit_sums<T>(*plan, *w),
                w->chunks, task_sums<T>(*plan, *w), static_cast<T*>(grad_weight));
}

}  // namespace TCN_ISA

// Winograd's gradient of the weights.
//
// Y = A^T [(G g G^T) * (B^T d B)] A is linear in g; its transpose, summed over all tiles, is
//
//     grad_g  =  G^T [ sum over tiles of (B^T d B) * (A grad_Y A^T) ] G
//
//   tiles of x:      B^T d B          seen  [36][tiles][C]
//   tiles of grad_y: A grad_Y A^T     grads [36][tiles][OC]
//
// and the sum is a product of matrices, seen^T grads, [C][tiles] x [tiles][OC], for each of the 36
// positions. A task holds the sums of a block of C and a block of OC in its second cache, and lets
// a chunk of all tiles pass by, a block of them at a time. Where there is one chunk it also
// transforms the sums; where there are more, the chunks are added first, in order.
#pragma once
#include "winograd.hh"

namespace TCN_ISA {

// Channels of a task and tiles of a block, so that the sums and what a block sees lie in the second
// cache; and how many tasks there should be, of how many tiles at least.
constexpr int64_t SUMS_C = 64, SUMS_OC = 64, SUMS_BLOCK = 3 * MR, SUMS_TASKS = 16, SUMS_TILES = 128;

template <class T>
WinogradSums winograd_weight_plan(const Gather* g, int64_t out) {
  WinogradSums s(*g, out);
  s.c_blocks = ceil_div(g->c, SUMS_C);
  s.c_block = ceil_div(g->c, s.c_blocks);
  s.oc_block = least(round_up(g->oc, LANES<T>), SUMS_OC);
  s.oc_blocks = ceil_div(g->oc, s.oc_block);
  s.block = least(s.tiles, SUMS_BLOCK);
  const int64_t blocks = ceil_div(s.tiles, s.block);
  const int64_t wanted = least(SUMS_TASKS / (s.c_blocks * s.oc_blocks), s.tiles / SUMS_TILES);
  s.chunk_blocks = ceil_div(blocks, most(wanted, 1));
  s.chunks = ceil_div(blocks, s.chunk_blocks);
  return s;
}

template <class T>
TCN_INLINE int64_t sums_size(const WinogradSums& s) {
  return s.positions() * (s.c_block * s.oc_block + LANES<T>);
}

template <class T>
int64_t winograd_weight_partial(const WinogradSums* s) {
  return s->chunks > 1 ? s->chunks * s->c_blocks * s->oc_blocks * sums_size<T>(*s) : 1;
}

template <class T>
int64_t winograd_weight_scratch(const WinogradSums* s) {
  return s->positions() * s->block * (row_of<T>(s->c_block) + row_of<T>(s->oc_block)) +
         sums_size<T>(*s);
}

// The channels of a task.
struct ChannelBlock {
  int64_t c0, c1, oc0, oc1;
  TCN_INLINE ChannelBlock(const Gather& g, const WinogradSums& s, int64_t task)
      : c0(task / s.oc_blocks % s.c_blocks * s.c_block),
        c1(least(c0 + s.c_block, g.c)),
        oc0(task % s.oc_blocks * s.oc_block),
        oc1(least(oc0 + s.oc_block, g.oc)) {}
};

// grad_weight = G^T sums G, the chunks' sums added in order: [chunks] of [positions][C][OC].
template <class T, int M, int R>
void finish_weights(const Gather& g, const WinogradSums& s, const ChannelBlock& at, const T* sums,
                    int64_t chunks, int64_t chunk_step, T* grad_weight) {
  constexpr int L = LANES<T>;
  const int64_t position = s.c_block * s.oc_block + L;
  int64_t offset[R * R];
  for (int t = 0; t < R * R; ++t) offset[t] = g.w_offset(0, t / R, t % R);
  for (int64_t oc = at.oc0; oc < at.oc1; oc += L) {
    const int64_t lanes = least(L, at.oc1 - oc);
    for (int64_t c = at.c0; c < at.c1; ++c) {
      const T* from = sums + (c - at.c0) * s.oc_block + oc - at.oc0;
      T tap[R * R][L];
      both_sides<T>(
          FILTERING<M, R>.weight.transposed(),
          [&](int r, int q) {
            const T* chunk = from + (r * (M + R - 1) + q) * position;
            Vec<T> sum = load(chunk);
            for (int64_t i = 1; i < chunks; ++i) sum += load(chunk + i * chunk_step);
            return sum;
          },
          [&](int r, int q, const Vec<T>& v) { store(tap[r * R + q], v); });
      T* to = grad_weight + oc * g.w_out + c * g.w_in;
      for (int64_t j = 0; j < lanes; ++j)
        TCN_UNROLL for (int t = 0; t < R * R; ++t) to[j * g.w_out + offset[t]] = tap[t][j];
    }
  }
}

template <class T, int M, int R>
void sum_weights(const Gather& g, const WinogradSums& s, int64_t task, const T* x, const T* grad_y,
                 T* partial, T* grad_weight, T* scratch) {
  constexpr int POSITIONS = (M + R - 1) * (M + R - 1);
  const Axis &ah = g.axis[1], &aw = g.axis[2];
  const ChannelBlock at(g, s, task);
  const int64_t chunk = task / (s.oc_blocks * s.c_blocks);
  const int64_t end = least((chunk + 1) * s.chunk_blocks * s.block, s.tiles);
  const int64_t lda = row_of<T>(s.c_block), ldb = row_of<T>(s.oc_block);
  T *seen = scratch, *grads = seen + POSITIONS * s.block * lda;
  T* sums = s.chunks > 1 ? partial + task * sums_size<T>(s) : grads + POSITIONS * s.block * ldb;
  for (int64_t from = chunk * s.chunk_blocks * s.block; from < end; from += s.block) {
    const int64_t tiles = least(s.block, end - from);
    for (int64_t i = 0; i < tiles; ++i) {
      see_input<T, M, R>(g, s, from + i, x, at.c0, at.c1, seen + i * lda, s.block * lda);
      const MapTile tile(s, from + i);
      see<T>(FILTERING<M, R>.output.transposed(), s, grad_y + tile.map * ah.out * aw.out * g.oc,
             ah.out, aw.out, g.oc, tile.h, tile.w, at.oc0, at.oc1, grads + i * ldb, s.block * ldb);
    }
    for (int p = 0; p < POSITIONS; ++p)
      for (int64_t oc = at.oc0; oc < at.oc1; oc += NR<T>) {
        Tile<T> t{};
        t.depth = tiles;
        t.a = seen + p * s.block * lda;
        t.lda = lda;
        t.b = grads + p * s.block * ldb + oc - at.oc0;
        t.ldb = ldb;
        t.add = from > chunk * s.chunk_blocks * s.block;
        t.c = sums + p * (s.c_block * s.oc_block + LANES<T>)+oc - at.oc0;
        t.ldc = s.oc_block;
        t.columns = int(least(round_up(at.oc1 - oc, LANES<T>), NR<T>));
        multiply_rows<T, false>(at.c1 - at.c0, t);
      }
  }
  if (s.chunks == 1) finish_weights<T, M, R>(g, s, at, sums, 1, 0, grad_weight);
}

template <class T>
void winograd_weight_sum(const Gather* g, const WinogradSums* s, int64_t task, const void* x,
                         const void* grad_y, void* partial, void* grad_weight, void* scratch) {
  with_tile(*s, [&](auto m, auto r) {
    sum_weights<T, m(), r()>(*g, *s, task, static_cast<const T*>(x), static_cast<const T*>(grad_y),
                             static_cast<T*>(partial), static_cast<T*>(grad_weight),
                             static_cast<T*>(scratch));
  });
}

template <class T>
void winograd_weight_finish(const Gather* g, const WinogradSums* s, int64_t task,
                            const void* partial, void* grad_weight) {
  const ChannelBlock at(*g, *s, task);
  const T* sums = static_cast<const T*>(partial) + task * sums_size<T>(*s);
  with_tile(*s, [&](auto m, auto r) {
    finish_weights<T, m(), r()>(*g, *s, at, sums, s->chunks,
                                s->c_blocks * s->oc_blocks * sums_size<T>(*s),
                                static_cast<T*>(grad_weight));
  });
}

}  // namespace TCN_ISA

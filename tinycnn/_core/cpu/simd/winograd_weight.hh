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
// tiles pass by, a block of them at a time. Where channels are one block, tasks share the tiles,
// see them themselves, and their sums are added in order. Where they are more, tiles are seen once
// for all tasks, in rounds that the caches hold. At last the sums are transformed.
#pragma once
#include "winograd.hh"

namespace TCN_ISA {

// Channels of a task, so that its sums lie in the second cache; tiles of a block, where it sees
// them itself and where they are seen before; how many tasks there should be, of how many tiles at
// least; bytes that a round sees, and tiles that are seen at a time.
constexpr int64_t SUMS_C = 64, SUMS_OC = 64, SUMS_BLOCK = 3 * MR, SUMS_SHARED = 128,
                  SUMS_TASKS = 16, SUMS_TILES = 128, SUMS_SEEN = 1 << 22, SUMS_SEE = 8;

// Numbers that one tile sees, of all blocks of x and of grad_y.
template <class T>
TCN_INLINE int64_t sums_row(const WinogradSums& s) {
  return s.c_blocks * row_of<T>(s.c_block) + s.oc_blocks * row_of<T>(s.oc_block);
}

template <class T>
WinogradSums winograd_weight_plan(const Gather* g) {
  WinogradSums s(*g);
  s.c_blocks = ceil_div(g->c, SUMS_C);
  s.c_block = ceil_div(g->c, s.c_blocks);
  s.oc_block = least(round_up(g->oc, LANES<T>), SUMS_OC);
  s.oc_blocks = ceil_div(g->oc, s.oc_block);
  s.shares = s.blocks() > 1;
  const int64_t fit = SUMS_SEEN / (s.positions() * sums_row<T>(s) * int64_t(sizeof(T)));
  s.rounds = s.shares ? ceil_div(s.tiles, most(fit, SUMS_SHARED)) : 1;
  s.round = ceil_div(s.tiles, s.rounds);
  s.block = least(s.round, s.shares ? SUMS_SHARED : SUMS_BLOCK);
  const int64_t blocks = ceil_div(s.round, s.block);
  const int64_t wanted = s.shares ? 1 : least(SUMS_TASKS, s.round / SUMS_TILES);
  s.chunk = ceil_div(blocks, most(wanted, 1)) * s.block;
  s.chunks = ceil_div(s.round, s.chunk);
  s.part = ceil_div(s.positions(), s.shares ? ceil_div(SUMS_TASKS, s.blocks()) : 1);
  s.parts = ceil_div(s.positions(), s.part);
  s.see_block = SUMS_SEE;
  s.see_blocks = ceil_div(s.round, s.see_block);
  return s;
}

template <class T>
TCN_INLINE int64_t sums_size(const WinogradSums& s) {
  return s.positions() * (s.c_block * s.oc_block + LANES<T>);
}

template <class T>
int64_t winograd_weight_seen(const WinogradSums* s) {
  return s->shares ? s->positions() * s->round * sums_row<T>(*s) : 1;
}

template <class T>
int64_t winograd_weight_partial(const WinogradSums* s) {
  return s->finishes() ? 1 : s->chunks * s->blocks() * sums_size<T>(*s);
}

template <class T>
int64_t winograd_weight_scratch(const WinogradSums* s) {
  return s->shares ? sums_size<T>(*s)
                   : s->positions() * s->block * sums_row<T>(*s) + sums_size<T>(*s);
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

// What tile `tile` sees of grad_y, A grad_Y A^T, for the channels [c0, c1).
template <class T, int M, int R>
TCN_INLINE void see_grad(const Gather& g, const MapTiles& tiles, int64_t tile, const T* grad_y,
                         int64_t c0, int64_t c1, T* grads, int64_t position) {
  const Axis &ah = g.axis[1], &aw = g.axis[2];
  const MapTile at(tiles, tile);
  see<T, OutputGradient, M, R>(tiles, at, grad_y + at.map * ah.out * aw.out * g.oc, ah.out, aw.out,
                               g.oc, at.h, at.w, c0, c1, grads, position);
}

// Where a round keeps what blocks of channels see: [positions][tiles][channels] for each.
template <class T>
TCN_INLINE T* seen_of(const WinogradSums& s, T* seen, int64_t c_block) {
  return seen + s.positions() * s.round * row_of<T>(s.c_block) * c_block;
}
template <class T>
TCN_INLINE T* grads_of(const WinogradSums& s, T* seen, int64_t oc_block) {
  return seen_of<T>(s, seen, s.c_blocks) +
         s.positions() * s.round * row_of<T>(s.oc_block) * oc_block;
}

// Some tiles of a round, for a block of channels of x or of grad_y.
template <class T, int M, int R>
void see_round(const Gather& g, const WinogradSums& s, int64_t round, int64_t task, const T* x,
               const T* grad_y, T* seen) {
  const int64_t block = task / s.see_blocks, first = task % s.see_blocks * s.see_block;
  const int64_t start = round * s.round, end = least(s.round, s.tiles - start);
  for (int64_t i = first; i < least(first + s.see_block, end); ++i)
    if (block < s.c_blocks) {
      const int64_t lda = row_of<T>(s.c_block), c = block * s.c_block;
      see_input<T, M, R>(g, s, start + i, x, c, least(c + s.c_block, g.c),
                         seen_of(s, seen, block) + i * lda, s.round * lda);
    } else {
      const int64_t ldb = row_of<T>(s.oc_block), oc = (block - s.c_blocks) * s.oc_block;
      see_grad<T, M, R>(g, s, start + i, grad_y, oc, least(oc + s.oc_block, g.oc),
                        grads_of(s, seen, block - s.c_blocks) + i * ldb, s.round * ldb);
    }
}

// What the tiles [from, to) see of a block of channels of x and of one of grad_y.
template <class T>
struct SeenTiles {
  const T *seen, *grads;
  int64_t seen_step, grads_step;  // from one position to the next
  int64_t from, to;
};

// sums (+)= seen^T grads, for the positions [p0, p1). Each product asks for the tiles of the next
// position.
template <class T>
void multiply_sums(const WinogradSums& s, const ChannelBlock& at, const SeenTiles<T>& in,
                   int64_t p0, int64_t p1, bool add, T* sums) {
  Tile<T> t{};
  t.lda = row_of<T>(s.c_block);
  t.ldb = row_of<T>(s.oc_block);
  t.ldc = s.oc_block;
  t.add = add;
  const int64_t panels = ceil_div(at.oc1 - at.oc0, NR<T>);
  const auto bytes = [](const T* p, int64_t numbers) {
    return Ahead{reinterpret_cast<const char*>(p), numbers * int64_t(sizeof(T))};
  };
  for (int64_t p = p0; p < p1; ++p) {
    const TileRange rows = s.rows(p, in.from, in.to);
    const T* seen = in.seen + p * in.seen_step + rows.from * t.lda;
    const T* grads = in.grads + p * in.grads_step + rows.from * t.ldb;
    t.depth = rows.count();
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t from = panel * NR<T>, rest = at.oc1 - at.oc0 - from;
      t.a = seen;
      t.b = grads + from;
      t.c = sums + p * (s.c_block * s.oc_block + LANES<T>)+from;
      t.columns = int(least(round_up(rest, LANES<T>), NR<T>));
      if (s.shares && p + 1 < p1) {
        t.ahead[0] = bytes(seen + in.seen_step, t.depth * t.lda).part(panel, panels);
        t.ahead[1] = bytes(grads + in.grads_step, t.depth * t.ldb).part(panel, panels);
      }
      multiply_rows<T, false>(at.c1 - at.c0, t);
    }
  }
}

// A block of channels, where tasks share the tiles' positions and what they see.
template <class T>
void sum_shared(const WinogradSums& s, const ChannelBlock& at, int64_t round, int64_t part, T* seen,
                T* sums) {
  const int64_t start = round * s.round, tiles = least(s.round, s.tiles - start);
  const int64_t lda = row_of<T>(s.c_block), ldb = row_of<T>(s.oc_block);
  const T* a = seen_of(s, seen, at.c0 / s.c_block);
  const T* b = grads_of(s, seen, at.oc0 / s.oc_block);
  for (int64_t from = 0; from < tiles; from += s.block)
    multiply_sums(s, at,
                  SeenTiles<T>{a + from * lda, b + from * ldb, s.round * lda, s.round * ldb,
                               start + from, start + least(from + s.block, tiles)},
                  part * s.part, least((part + 1) * s.part, s.positions()), round > 0 || from > 0,
                  sums);
}

// All channels, for a chunk of the tiles.
template <class T, int M, int R>
void sum_chunk(const Gather& g, const WinogradSums& s, const ChannelBlock& at, int64_t chunk,
               const T* x, const T* grad_y, T* seen, T* sums) {
  const int64_t lda = row_of<T>(s.c_block), ldb = row_of<T>(s.oc_block);
  T* grads = seen + s.positions() * s.block * lda;
  const int64_t first = chunk * s.chunk, end = least(first + s.chunk, s.tiles);
  for (int64_t from = first; from < end; from += s.block) {
    const SeenTiles<T> in{seen,          grads, s.block * lda,
                          s.block * ldb, from,  least(from + s.block, end)};
    for (int64_t i = in.from; i < in.to; ++i) {
      const int64_t row = i - in.from;
      see_input<T, M, R>(g, s, i, x, at.c0, at.c1, seen + row * lda, in.seen_step);
      see_grad<T, M, R>(g, s, i, grad_y, at.oc0, at.oc1, grads + row * ldb, in.grads_step);
    }
    multiply_sums(s, at, in, 0, s.positions(), from > first, sums);
  }
}

template <class T, int M, int R>
void sum_weights(const Gather& g, const WinogradSums& s, int64_t round, int64_t task, const T* x,
                 const T* grad_y, T* seen, T* partial, T* grad_weight, T* scratch) {
  const ChannelBlock at(g, s, task);
  const int64_t block = task % s.blocks(), part = task / s.blocks();  // or chunk
  T* sums = s.finishes() ? scratch : partial + (s.shares ? block : part) * sums_size<T>(s);
  if (s.shares)
    sum_shared(s, at, round, part, seen, sums);
  else
    sum_chunk<T, M, R>(g, s, at, part, x, grad_y, scratch + sums_size<T>(s), sums);
  if (s.finishes()) finish_weights<T, M, R>(g, s, at, sums, 1, 0, grad_weight);
}

template <class T>
void winograd_weight_see(const Gather* g, const WinogradSums* s, int64_t round, int64_t task,
                         const void* x, const void* grad_y, void* seen) {
  with_tile(*s, [&](auto m, auto r) {
    see_round<T, m(), r()>(*g, *s, round, task, static_cast<const T*>(x),
                           static_cast<const T*>(grad_y), static_cast<T*>(seen));
  });
}

template <class T>
void winograd_weight_sum(const Gather* g, const WinogradSums* s, int64_t round, int64_t task,
                         const void* x, const void* grad_y, void* seen, void* partial,
                         void* grad_weight, void* scratch) {
  with_tile(*s, [&](auto m, auto r) {
    sum_weights<T, m(), r()>(*g, *s, round, task, static_cast<const T*>(x),
                             static_cast<const T*>(grad_y), static_cast<T*>(seen),
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
    finish_weights<T, m(), r()>(*g, *s, at, sums, s->chunks, s->blocks() * sums_size<T>(*s),
                                static_cast<T*>(grad_weight));
  });
}

}  // namespace TCN_ISA

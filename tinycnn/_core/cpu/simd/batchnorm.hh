// Batch norm over the rows of x (M, C): see batchnorm_api.hh for how rows are cut and folded.
//
// Statistics of a chunk, in the number type, twice over while it is in the cache:
//
//     guess = sum(x) / n            as good as a plain sum is
//     s1 = sum(x - guess)           small: what the guess is off by
//     s2 = sum((x - guess)^2)
//     mean = guess + s1 / n,  sum of squared deviations = s2 - s1^2 / n      in double
//
// The subtraction cancels nothing, because guess is close to the mean, not because the mean is
// small. Two sets (n, mean, squares) combine as (Chan, Golub & LeVeque 1983, "Algorithms for
// computing the sample variance", eq. 2.1):
//   delta = mean_b - mean_a,   mean = mean_a + delta * n_b / n,
//                        squares = squares_a + squares_b + delta^2 * n_a * n_b / n.
// A chunk is read in groups of rows that fit the first cache, and a group in blocks of columns:
//
//            |<- 4 vectors ->|                numbers of one per channel (mean, scale, ...) are
//     row 0  | x x x x x x x | . . . . .      loaded once for a block and stay in registers while
//     row 1  | x x x x x x x | . . . . .      its rows pass; so do the sums, which wait in
//     ...    |       v       |                scratch from one group to the next
//
#pragma once
#include "batchnorm_api.hh"
#include "vec.hh"

namespace TCN_ISA {

constexpr int BLOCK = 4;                 // vectors of columns that are held in registers
constexpr int64_t GROUP_NUMBERS = 4096;  // of a group of rows, about: 16 or 32 KB
template <class T>
constexpr int64_t COLUMNS = BLOCK* LANES<T>;

// The rows of a chunk as folded rows, and the columns of the last, incomplete one.
struct NormChunk {
  int64_t first, count, rows,
      rest;  // place of its first number; rows; whole folded rows; columns left
};

TCN_INLINE NormChunk norm_chunk(const NormPlan& p, int64_t chunk) {
  const int64_t from = chunk * p.chunk_rows;
  const int64_t count = p.rows - from < p.chunk_rows ? p.rows - from : p.chunk_rows;
  return NormChunk{from * p.c, count, count / p.fold, count % p.fold * p.c};
}

// Calls op(first number, column, rows, number of the block) for all blocks of all groups. The last
// block may overlap the one before it, which only computes some columns twice.
template <class T, class Op>
TCN_INLINE void walk_groups(const NormPlan& p, const NormChunk& k, int64_t group, const Op& op) {
  for (int64_t r = 0; r < k.rows; r += group) {
    const int64_t rows = k.rows - r < group ? k.rows - r : group;
    for (int64_t block = 0, j = 0; j < p.width; ++block, j += COLUMNS<T>) {
      const int64_t column = j + COLUMNS<T> <= p.width ? j : p.width - COLUMNS<T>;
      op(r * p.width + column, column, rows, block * COLUMNS<T>);
    }
  }
}

template <class T, class Op>
TCN_INLINE void walk(const NormPlan& p, const NormChunk& k, const Op& op) {
  const int64_t fit = GROUP_NUMBERS / (p.width > 0 ? p.width : 1);
  walk_groups<T>(p, k, fit > 8 ? fit : 8, op);
}

// The same where memory is read for the first time, or written: a row at a time, which is its order
// in memory. In groups of rows backward over three arrays of 6 MB took 2.3 ms, so it takes 1.3 ms
// (one thread, 256 channels).
template <class T, class Op>
TCN_INLINE void walk_rows(const NormPlan& p, const NormChunk& k, const Op& op) {
  if (p.width > COLUMNS<T>)
    walk_groups<T>(p, k, 1, op);
  else
    walk<T>(p, k, op);
}

// Asks for what comes soon: backward over three arrays of 26 MB took 6.4 ms without it, 4.5 ms with
// it (one thread, 64 channels).
constexpr int64_t AHEAD = 1024;

template <class T>
TCN_INLINE Vec<T> stream(const T* p) {
  prefetch(p + AHEAD);
  return load(p);
}

template <class T>
TCN_INLINE void stream_to(T* p, const Vec<T>& v) {
  prefetch(p + AHEAD);
  store(p, v);
}

// BLOCK vectors side by side.
template <class T>
struct Block {
  Vec<T> v[BLOCK];
  TCN_INLINE static Block of(const T* p) {
    Block b;
    TCN_UNROLL for (int u = 0; u < BLOCK; ++u) b.v[u] = load(p + u * LANES<T>);
    return b;
  }
  TCN_INLINE void to(T* p) const {
    TCN_UNROLL for (int u = 0; u < BLOCK; ++u) store(p + u * LANES<T>, v[u]);
  }
};

// Sums of a chunk lie block after block while they grow: NORM_ROOM more numbers than columns. This
// moves the last, overlapping block to its columns.
template <class T>
TCN_INLINE void settle(const NormPlan& p, T* sums) {
  const int64_t over = p.width % COLUMNS<T>;
  if (over)
    std::memmove(sums + p.width - COLUMNS<T>, sums + p.width - over, COLUMNS<T> * sizeof(T));
}

TCN_INLINE int64_t sums_size(const NormPlan& p) { return p.width + NORM_ROOM; }

template <class T>
TCN_INLINE void clear(T* sums, int64_t n) {
  for (int64_t j = 0; j < n; ++j) sums[j] = T(0);
}

// total[j] = sum over rows of x[row][j]
template <class T>
void sum_columns(const NormPlan& p, const NormChunk& k, const T* x, T* total) {
  clear(total, sums_size(p));
  walk_rows<T>(p, k, [&](int64_t at, int64_t, int64_t rows, int64_t place) {
    Block<T> sum = Block<T>::of(total + place);
    for (int64_t r = 0; r < rows; ++r, at += p.width)
      TCN_UNROLL for (int u = 0; u < BLOCK; ++u) sum.v[u] += stream(x + at + u * LANES<T>);
    sum.to(total + place);
  });
  settle(p, total);
  for (int64_t j = 0; j < k.rest; ++j) total[j] += x[k.rows * p.width + j];
}

// first[j] = sum of x - mean[j], second[j] = sum of (x - mean[j])^2
template <class T>
void sum_squares(const NormPlan& p, const NormChunk& k, const T* x, const T* mean, T* first,
                 T* second) {
  clear(first, sums_size(p));
  clear(second, sums_size(p));
  walk<T>(p, k, [&](int64_t at, int64_t j, int64_t rows, int64_t place) {
    const Block<T> centre = Block<T>::of(mean + j);
    Block<T> sum = Block<T>::of(first + place), square = Block<T>::of(second + place);
    for (int64_t r = 0; r < rows; ++r, at += p.width) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const Vec<T> deviation = load(x + at + u * LANES<T>) - centre.v[u];
        sum.v[u] += deviation;
        square.v[u] += deviation * deviation;
      }
    sum.to(first + place);
    square.to(second + place);
  });
  settle(p, first);
  settle(p, second);
  for (int64_t j = 0; j < k.rest; ++j) {
    const T deviation = x[k.rows * p.width + j] - mean[j];
    first[j] += deviation;
    second[j] += deviation * deviation;
  }
}

// Sums of tiled numbers over their `fold` places; the loop over channels is inside, as vectors.
template <class T>
TCN_INLINE void unfold(const NormPlan& p, const T* tiled, double* sums) {
  for (int64_t c = 0; c < p.c; ++c) sums[c] = double(tiled[c]);
  for (int64_t f = 1; f < p.fold; ++f)
    for (int64_t c = 0; c < p.c; ++c) sums[c] += double(tiled[f * p.c + c]);
}

// The first c of `tiled` to all its places.
template <class T>
TCN_INLINE void repeat(const NormPlan& p, T* tiled) {
  for (int64_t j = p.c; j < p.width; ++j) tiled[j] = tiled[j - p.c];
}

// --- statistics ------------------------------------------------------------------------------

template <class T>
void norm_statistics(const NormPlan* p, int64_t chunk, const void* x_, double* partial,
                     void* scratch) {
  const NormChunk k = norm_chunk(*p, chunk);
  const T* x = static_cast<const T*>(x_) + k.first;
  T *s1 = static_cast<T*>(scratch), *s2 = s1 + sums_size(*p), *guess = s2 + sums_size(*p);
  double *mean = partial + chunk * 2 * p->c, *squares = mean + p->c;
  const double n = double(k.count);
  sum_columns(*p, k, x, s1);
  unfold(*p, s1, mean);
  for (int64_t c = 0; c < p->c; ++c) guess[c] = T(mean[c] / n);
  repeat(*p, guess);
  sum_squares(*p, k, x, guess, s1, s2);
  unfold(*p, s1, mean);
  unfold(*p, s2, squares);
  for (int64_t c = 0; c < p->c; ++c) {
    const double off = mean[c];
    mean[c] = double(guess[c]) + off / n;
    squares[c] -= off * off / n;
  }
}

template <class T>
void norm_merge_statistics(const NormPlan* p, int64_t from, int64_t to, double* partial,
                           void* mean_, void* var_) {
  T *mean_out = static_cast<T*>(mean_), *var = static_cast<T*>(var_);
  double *mean = partial, *squares = partial + p->c;
  double n = p->chunks ? double(norm_chunk(*p, 0).count) : 1;
  for (int64_t chunk = 1; chunk < p->chunks; ++chunk) {
    const double* other = partial + chunk * 2 * p->c;
    const double more = double(norm_chunk(*p, chunk).count), all = n + more;
    const double share = more / all, weight = n * more / all;
    for (int64_t c = from; c < to; ++c) {
      const double delta = other[c] - mean[c];
      mean[c] += delta * share;
      squares[c] += other[p->c + c] + delta * delta * weight;
    }
    n = all;
  }
  for (int64_t c = from; c < to; ++c) {
    mean_out[c] = p->chunks ? T(mean[c]) : T(0);
    var[c] = p->chunks && !(squares[c] <= 0) ? T(squares[c] / n) : T(0);  // NaN stays
  }
}

// --- forward ---------------------------------------------------------------------------------

template <class T>
void norm_tile_apply(const NormPlan* p, const void* mean, const void* invstd, const void* weight,
                     const void* bias, void* tiled) {
  T* to = static_cast<T*>(tiled);
  for (int64_t c = 0; c < p->c; ++c) {
    to[MEAN * p->width + c] = static_cast<const T*>(mean)[c];
    to[SCALE * p->width + c] = static_cast<const T*>(invstd)[c];
    if (weight) to[SCALE * p->width + c] *= static_cast<const T*>(weight)[c];
    to[BIAS * p->width + c] = bias ? static_cast<const T*>(bias)[c] : T(0);
  }
  for (int block = MEAN; block <= BIAS; ++block) repeat(*p, to + block * p->width);
}

// y = (x - mean) * scale + bias, of a vector or of one number.
template <class V>
TCN_INLINE V normal(V x, V mean, V scale, V bias) {
  return (x - mean) * scale + bias;
}

template <bool RESIDUAL, bool RELU, class T>
void apply_chunk(const NormPlan& p, const NormChunk& k, const T* x, const T* residual, const T* t,
                 T* y) {
  const T *mean = t + MEAN * p.width, *scale = t + SCALE * p.width, *bias = t + BIAS * p.width;
  walk_rows<T>(p, k, [&](int64_t at, int64_t j, int64_t rows, int64_t) {
    const Block<T> m = Block<T>::of(mean + j), s = Block<T>::of(scale + j),
                   b = Block<T>::of(bias + j);
    for (int64_t r = 0; r < rows; ++r, at += p.width) TCN_UNROLL for (int u = 0; u < BLOCK; ++u) {
        const int64_t i = at + u * LANES<T>;
        Vec<T> v = normal(stream(x + i), m.v[u], s.v[u], b.v[u]);
        if constexpr (RESIDUAL) v += stream(residual + i);
        stream_to(y + i, RELU ? rectified(v) : v);
      }
  });
  for (int64_t j = 0, i = k.rows * p.width; j < k.rest; ++j, ++i) {
    T v = normal(x[i], mean[j], scale[j], bias[j]);
    if constexpr (RESIDUAL) v += residual[i];
    y[i] = RELU ? rectified(v) : v;
  }
}

template <class T>
void norm_apply(const NormPlan* p, int64_t from, int64_t to, const void* x, const void* residual,
                const void* tiled, int relu, void* y) {
  const auto run = residual ? (relu ? apply_chunk<true, true, T> : apply_chunk<true, false, T>)
                            : (relu ? apply_chunk<false, true, T> : apply_chunk<false, false, T>);
  for (int64_t chunk = to - 1; chunk >= from; --chunk) {
    const NormChunk k = norm_chunk(*p, chunk);
    run(*p, k, static_cast<const T*>(x) + k.first,
        residual ? static_cast<const T*>(residual) + k.first : nullptr,
        static_cast<const T*>(tiled), static_cast<T*>(y) + k.first);
  }
}

}  // namespace TCN_ISA

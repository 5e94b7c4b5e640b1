// Norms of rows: an image is one row, which is one group (layer norm, RMS norm). Sums run along the
// row, which stays in the first cache while it is read again: for a sum that makes a guess at the
// mean, for the deviations from it (see batchnorm.hh), and for the result.
#pragma once
#include "group_norm.hh"
#include "rows.hh"

namespace TCN_ISA {

constexpr int64_t PIECE = 4096;  // numbers that are added up in T; pieces are added up in double

// totals[k] = sum over the columns of what f(c, n, sums) adds to sums[k], a vector of n columns
// from c on; four sums grow side by side, for one would wait for itself.
template <int K, class T, class F>
TCN_INLINE void sum_row(int64_t C, double* totals, F f) {
  constexpr int64_t SIDE = 4 * LANES<T>;
  for (int k = 0; k < K; ++k) totals[k] = 0;
  for (int64_t from = 0; from < C; from += PIECE) {
    const int64_t to = C - from < PIECE ? C : from + PIECE;
    Vec<T> sums[4][K];
    TCN_UNROLL for (int u = 0; u < 4; ++u)
      TCN_UNROLL for (int k = 0; k < K; ++k) sums[u][k] = broadcast(T(0));
    int64_t c = from;
    for (; c + SIDE <= to; c += SIDE)
      TCN_UNROLL for (int u = 0; u < 4; ++u) f(c + u * LANES<T>, LANES<T>, sums[u]);
    for (; c + LANES<T> <= to; c += LANES<T>) f(c, LANES<T>, sums[0]);
    if (c < to) f(c, int(to - c), sums[1]);
    TCN_UNROLL for (int k = 0; k < K; ++k)
      totals[k] += double(sum_lanes<T>((sums[0][k] + sums[1][k]) + (sums[2][k] + sums[3][k])));
  }
}

// weight, or 1 where there is none.
template <class T>
TCN_INLINE Vec<T> factor(const Rows<T>& weight, int64_t c, int n) {
  return weight.data ? weight.at(0, c, n, T(0)) : broadcast(T(1));
}

template <class T>
TCN_INLINE void row_statistics(const Rows<T>& x, int64_t r, int centered, T* mean, T* var) {
  const double count = double(x.C);
  double first = 0, sums[2];
  if (centered)
    sum_row<1, T>(x.C, &first, [&](int64_t c, int n, Vec<T>* s) { s[0] += x.at(r, c, n, T(0)); });
  const T guess = T(first / count);
  const Vec<T> centre = broadcast(guess);
  sum_row<2, T>(x.C, sums, [&](int64_t c, int n, Vec<T>* s) {
    const Vec<T> deviation = x.at(r, c, n, guess) - centre;
    s[0] += deviation;
    s[1] += deviation * deviation;
  });
  const double squares = centered ? sums[1] - sums[0] * sums[0] / count : sums[1];
  if (centered) *mean = T(double(guess) + sums[0] / count);
  *var = squares <= 0 ? T(0) : T(squares / count);
}

template <class T>
void row_forward(const GroupNorm* p, int64_t from, int64_t to, const GroupNormArrays* a,
                 int centered) {
  const int64_t C = p->image.c;
  const Rows<T> x(a->x, p->images, C), weight(a->weight, a->weight ? 1 : 0, C),
      bias(a->bias, a->bias ? 1 : 0, C);
  T *means = static_cast<T*>(a->mean), *vars = static_cast<T*>(a->var);
  for (int64_t r = from; r < to; ++r) {
    T* y = static_cast<T*>(a->y) + r * C;
    row_statistics(x, r, centered, means + r, vars + r);
    const Vec<T> mean = broadcast(centered ? means[r] : T(0)),
                 invstd = broadcast(invstd_of(vars[r], p->eps));
    const auto apply = [&](auto weighted, auto biased) {
      over_columns<T>(C, [&](int64_t c, int n) {
        Vec<T> v = x.at(r, c, n, T(0)) - mean;
        v = v * (weighted ? invstd * weight.at(0, c, n, T(0)) : invstd);
        put<T>(y + c, biased ? v + bias.at(0, c, n, T(0)) : v, n);
      });
    };
    using yes = std::true_type;
    using no = std::false_type;
    a->weight ? (a->bias ? apply(yes{}, yes{}) : apply(yes{}, no{}))
              : (a->bias ? apply(no{}, yes{}) : apply(no{}, no{}));
  }
}

// Rows whose numbers of one per row wait together: grad_x = g * weight * invstd +
// (x - mean) * slope + shift.
constexpr int64_t TEAM = 64;

template <class T>
struct RowTeam {
  T mean[TEAM], invstd[TEAM], slope[TEAM], shift[TEAM];
};

template <class T>
struct RowGradient {
  const GroupNorm& p;
  const GroupNormArrays& a;
  const Rows<T> x, g, weight;
  const int centered;

  RowGradient(const GroupNorm& p, const GroupNormArrays& a, int centered)
      : p(p),
        a(a),
        x(a.x, p.images, p.image.c),
        g(a.grad_y, p.images, p.image.c),
        weight(a.weight, a.weight ? 1 : 0, p.image.c),
        centered(centered) {}

  // Numbers of row r as the i-th of a team.
  TCN_INLINE void prepare(int64_t r, int64_t i, RowTeam<T>& team) const {
    const T mean = centered ? static_cast<const T*>(a.mean)[r] : T(0);
    const double count = double(x.C),
                 invstd = invstd_of(static_cast<const T*>(a.var)[r], p.eps);
    const Vec<T> centre = broadcast(mean);
    double sums[2] = {0, 0};
    if (a.grad_x)
      sum_row<2, T>(x.C, sums, [&](int64_t c, int n, Vec<T>* s) {
        const Vec<T> v = g.at(r, c, n, T(0)) * factor(weight, c, n);
        s[0] += v;
        s[1] += v * (x.at(r, c, n, mean) - centre);
      });
    team.mean[i] = mean;
    team.invstd[i] = T(invstd);
    team.slope[i] = T(-invstd * invstd * invstd * sums[1] / count);
    team.shift[i] = centered ? T(-invstd * sums[0] / count) : T(0);
  }

  // n columns from c on of `rows` rows from r on: grad_x, and the sums of g and g * normal.
  template <bool X, bool SUMS>
  TCN_INLINE void columns(int64_t r, int64_t rows, int64_t c, int n, const RowTeam<T>& team,
                          T* sums) const {
    const Vec<T> w = factor(weight, c, n);
    T* grad_x = static_cast<T*>(a.grad_x);
    Vec<T> sum = w, product = w;
    if constexpr (SUMS) sum = load(sums + c), product = load(sums + x.C + LANES<T> + c);
    for (int64_t i = 0; i < rows; ++i) {
      const Vec<T> grad = g.at(r + i, c, n, T(0)),
                   deviation = x.at(r + i, c, n, T(0)) - broadcast(team.mean[i]),
                   invstd = broadcast(team.invstd[i]);
      if constexpr (X)
        put<T>(grad_x + (r + i) * x.C + c,
               grad * (w * invstd) + (deviation * broadcast(team.slope[i]) +
                                      broadcast(team.shift[i])),
               n);
      if constexpr (SUMS) {
        sum += grad;
        product += grad * (deviation * invstd);
      }
    }
    if constexpr (SUMS) {
      store(sums + c, sum);
      store(sums + x.C + LANES<T> + c, product);
    }
  }
};

// sums: two rows of C + LANES numbers, what is beyond C is not used.
template <bool X, bool SUMS, class T>
void backward_rows(const RowGradient<T>& gradient, int64_t from, int64_t to, T* sums) {
  const int64_t C = gradient.x.C, fit = GROUP_NUMBERS / C;
  const int64_t most = fit < 1 ? 1 : fit < TEAM ? fit : TEAM;
  RowTeam<T> team;
  for (int64_t r = from; r < to; r += most) {
    const int64_t rows = to - r < most ? to - r : most;
    for (int64_t i = 0; i < rows; ++i) gradient.prepare(r + i, i, team);
    over_columns<T>(C, [&](int64_t c, int n) {
      gradient.template columns<X, SUMS>(r, rows, c, n, team, sums);
    });
  }
}

template <class T>
void row_backward(const GroupNorm* p, int64_t from, int64_t to, const GroupNormArrays* a,
                  int centered, double* total, void* memory) {
  const int64_t C = p->image.c;
  T *sum = static_cast<T*>(memory), *product = sum + C + LANES<T>;
  const RowGradient<T> gradient(*p, *a, centered);
  if (total) clear(sum, 2 * (C + LANES<T>));
  const auto run = !total      ? backward_rows<true, false, T>
                   : a->grad_x ? backward_rows<true, true, T>
                               : backward_rows<false, true, T>;
  run(gradient, from, to, sum);
  if (!total) return;
  for (int64_t c = 0; c < C; ++c) {
    total[c] = double(sum[c]);
    total[C + c] = double(product[c]);
  }
}

}  // namespace TCN_ISA

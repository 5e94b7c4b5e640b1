// Winograd's minimal filtering: M outputs of a filter of R taps from M + R - 1 multiplications, not
// M R.
//
// A filter g of R taps over N = M + R - 1 numbers d is a product of polynomials read backwards. A
// polynomial of degree N - 1 is known by its values at N points, and the value of a product is the
// product of the values. So: evaluate both at N - 1 points (and at infinity: the leading
// coefficient), multiply point by point, interpolate. With the matrices of these three linear maps
//
//     y  =  A^T [ (G g) * (B^T d) ]                      1-D, * point by point
//     Y  =  A^T [ (G g G^T) * (B^T d B) ] A              2-D, along columns and rows
//
// so that a tile of M x M outputs costs N^2 multiplications a channel in place of R^2 M^2:
//
//     F(2x2, 3x3)   16 for  36    2.25 times fewer
//     F(4x4, 3x3)   36 for 144    4    times fewer
//     F(2x2, 5x5)   36 for 100    2.8  times fewer
//
// The matrices follow from the points alone. Points +-p share their even and odd parts, and powers
// of points near 1 stay near 1, which is what keeps the rounding errors small: with 0, +-1/sqrt(2),
// +-sqrt(2) the largest error is a fifth of that with 0, +-1, +-2. F(6x6) would need 5.1 times
// fewer multiplications, but its error goes beyond 1e-5.
//
// At the edge of a map fewer outputs are left, m < M. Then the product has a lower degree, and the
// first m + R - 1 points tell it, infinity being the first. Its weights are the first rows of those
// of M outputs: the same numbers serve both, as what a smaller set of points changes in their scale
// is left to B^T.
//
// Sources: Winograd 1980, "Arithmetic complexity of computations"; Lavin & Gray 2016, "Fast
// algorithms for convolutional neural networks"; Barabasz et al. 2020, "Error analysis and
// improving the accuracy of Winograd convolution for deep neural networks".
#pragma once
#include <type_traits>

#include "vec.hh"

namespace TCN_ISA {

// A constant matrix; a transform leaves out its zeros when it is compiled.
template <int ROWS, int COLUMNS>
struct Matrix {
  double at[ROWS][COLUMNS] = {};

  static constexpr int rows() { return ROWS; }
  static constexpr int columns() { return COLUMNS; }
  constexpr Matrix<COLUMNS, ROWS> transposed() const {
    Matrix<COLUMNS, ROWS> t;
    for (int i = 0; i < ROWS; ++i)
      for (int j = 0; j < COLUMNS; ++j) t.at[j][i] = at[i][j];
    return t;
  }
};

template <int M, int R>
struct Filtering {
  static constexpr int N = M + R - 1;
  Matrix<N, N> input;   // B^T
  Matrix<N, R> weight;  // G
  Matrix<M, N> output;  // A^T
};

// The matrices of M outputs for infinity and given points, of which the first M + R - 2 count
// (Toom & Cook); G is scaled for all of them.
template <int M, int R, int POINTS>
constexpr Filtering<M, R> filtering_at(const double (&point)[POINTS]) {
  constexpr int N = M + R - 1;
  Filtering<M, R> f;
  for (int i = 0; i < N; ++i) {  // row 0 belongs to infinity
    const double x = i > 0 ? point[i - 1] : 0;
    double polynomial[N] = {1}, scale = 1;  // product of (x - point) over the other points
    int degree = 0;
    for (int j = 0; j < (i > 0 ? POINTS : N - 1); ++j) {
      if (j == i - 1) continue;
      if (i > 0) scale *= x - point[j];
      if (j < N - 1) {
        ++degree;
        for (int k = degree; k > 0; --k)
          polynomial[k] = polynomial[k - 1] - point[j] * polynomial[k];
        polynomial[0] *= -point[j];
      } else {  // a point that does not count
        for (int k = 0; k <= degree; ++k) polynomial[k] *= x - point[j];
      }
    }
    for (int k = 0; k < N; ++k) f.input.at[i][k] = polynomial[k];
    double power = 1;
    for (int k = 0; k < (M > R ? M : R); ++k, power *= x) {
      if (k < M) f.output.at[k][i] = i > 0 ? power : k == M - 1;
      if (k < R) f.weight.at[i][k] = i > 0 ? power / scale : k == R - 1;
    }
  }
  return f;
}

constexpr double SQRT2 = 1.41421356237309504880;
template <int M, int R>
constexpr Filtering<M, R> FILTERING = filtering_at<M, R>({0, SQRT2 / 2, -SQRT2 / 2, SQRT2, -SQRT2});

// The linear maps of a tile, for M outputs along an axis: what it sees of x, what it writes, and
// what it sees of the gradient of what it writes.
template <int M, int R>
struct Input {
  static constexpr auto matrix = FILTERING<M, R>.input;
};
template <int M, int R>
struct Output {
  static constexpr auto matrix = FILTERING<M, R>.output;
};
template <int M, int R>
struct OutputGradient {
  static constexpr auto matrix = FILTERING<M, R>.output.transposed();
};

// y = MATRIX x for vectors of numbers: to(i, y[i]), with x[j] = from(j).
template <class T, int ROWS, int COLUMNS, class From, class To>
TCN_INLINE void times(const Matrix<ROWS, COLUMNS>& matrix, From from, To to) {
  Vec<T> x[COLUMNS];
  TCN_UNROLL for (int j = 0; j < COLUMNS; ++j) x[j] = from(j);
  TCN_UNROLL for (int i = 0; i < ROWS; ++i) {
    Vec<T> sum{};
    bool empty = true;
    TCN_UNROLL for (int j = 0; j < COLUMNS; ++j) {
      if (matrix.at[i][j] == 0) continue;
      const Vec<T> term = broadcast(T(matrix.at[i][j])) * x[j];
      sum = empty ? term : sum + term;
      empty = false;
    }
    to(i, sum);
  }
}

// y = MATRIX x MATRIX^T: to(i, j, y[i][j]), with x[i][j] = from(i, j). Columns first, then rows.
template <class T, int ROWS, int COLUMNS, class From, class To>
TCN_INLINE void both_sides(const Matrix<ROWS, COLUMNS>& matrix, From from, To to) {
  Vec<T> half[ROWS][COLUMNS];
  for (int j = 0; j < COLUMNS; ++j)
    times<T>(
        matrix, [&](int i) { return from(i, j); }, [&](int i, const Vec<T>& v) { half[i][j] = v; });
  for (int i = 0; i < ROWS; ++i)
    times<T>(
        matrix, [&](int j) { return half[i][j]; }, [&](int j, const Vec<T>& v) { to(i, j, v); });
}

// Calls run with m = 1 .. M as a constant.
template <int M, class F>
TCN_INLINE void with_constant(int m, F run) {
  if (m == M) return run(std::integral_constant<int, M>());
  if constexpr (M > 1) with_constant<M - 1>(m, run);
}

// The same for a tile of so many outputs high and across, each 1 .. M: with the matrix MAP of as
// many on either side.
template <class T, template <int, int> class Map, int M, int R, class From, class To>
TCN_INLINE void both_sides(int high, int across, From from, To to) {
  if (high == M && across == M) return both_sides<T>(Map<M, R>::matrix, from, to);
  Vec<T> half[M + R - 1][M + R - 1];
  int rows = 0, columns = 0;
  with_constant<M>(across, [&](auto m) { columns = Map<m(), R>::matrix.columns(); });
  with_constant<M>(high, [&](auto m) {
    rows = Map<m(), R>::matrix.rows();
    for (int j = 0; j < columns; ++j)
      times<T>(
          Map<m(), R>::matrix, [&](int i) { return from(i, j); },
          [&](int i, const Vec<T>& v) { half[i][j] = v; });
  });
  with_constant<M>(across, [&](auto m) {
    for (int i = 0; i < rows; ++i)
      times<T>(
          Map<m(), R>::matrix, [&](int j) { return half[i][j]; },
          [&](int j, const Vec<T>& v) { to(i, j, v); });
  });
}

}  // namespace TCN_ISA

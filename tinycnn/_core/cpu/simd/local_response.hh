// Local response normalisation. Squares of a few rows are written between zeros,
//
//     0 0 | s s s s s s s s s s s | 0 0 0 ...      s = x^2
//     |<- before                   after ->|       the window of channel 0 starts at the first 0
//
// and a window is summed by loads that start one number later each: no case for the ends of a row.
// A few rows at once, because a number that was just stored in one vector and is loaded in another
// comes late.
#pragma once
#include <limits>

#include "exp.hh"
#include "local_response_api.hh"
#include "rows.hh"

namespace TCN_ISA {

constexpr int64_t TILE_NUMBERS = 2048;  // of rows whose squares are written at once: 8 or 16 KB

template <class T>
TCN_INLINE int64_t padded(const LocalResponse& p) {
  return p.before + (p.c + LANES<T> - 1) / LANES<T> * LANES<T> + p.after + LANES<T>;
}

template <class T>
TCN_INLINE int64_t rows_of_tile(const LocalResponse& p) {
  const int64_t fit = TILE_NUMBERS / padded<T>(p);
  return fit < 1 ? 1 : fit;
}

template <class T>
int64_t local_response_scratch(const LocalResponse* p) {
  return 2 * rows_of_tile<T>(*p) * padded<T>(*p) * int64_t(sizeof(T));
}

// 1 / d^beta
template <int POWER, class T>
TCN_INLINE Vec<T> inverse_power(Vec<T> d, T beta) {
  const Vec<T> one = broadcast(T(1));
  if constexpr (POWER == WHOLE) return one / d;
  if constexpr (POWER == HALF) return one / vsqrt<T>(d);
  if constexpr (POWER == THREE_QUARTERS) {
    const Vec<T> root = vsqrt<T>(d);
    return one / (root * vsqrt<T>(root));
  }
  if constexpr (POWER == LOGARITHM) {
    constexpr T INFINITE = std::numeric_limits<T>::infinity();
    const Vec<T> y = vexp<T>(broadcast(-beta) * vlog<T>(d));
    return select(d == broadcast(INFINITE), broadcast(beta > 0 ? T(0) : INFINITE), y);
  }
  if constexpr (POWER == LIBRARY)
    for (int i = 0; i < LANES<T>; ++i) d[i] = T(1) / std::pow(d[i], beta);
  return d;
}

template <class T>
struct LocalResponseTile {
  const LocalResponse& p;
  const int64_t step;
  T *squares, *shared;  // shared: t, between zeros as many as the other window has

  LocalResponseTile(const LocalResponse& p, void* memory)
      : p(p), step(padded<T>(p)), squares(static_cast<T*>(memory)) {
    shared = squares + rows_of_tile<T>(p) * step;
    for (int64_t i = 0; i < 2 * rows_of_tile<T>(p) * step; ++i) squares[i] = T(0);
  }

  TCN_INLINE void write_squares(const Rows<T>& x, int64_t r, int64_t rows) {
    for (int64_t i = 0; i < rows; ++i)
      over_columns<T>(p.c, [&](int64_t c, int n) {
        const Vec<T> v = x.at(r + i, c, n, T(0));
        store(squares + i * step + p.before + c, v * v);
      });
  }

  // Sum of the window that starts at `from`.
  TCN_INLINE Vec<T> window(const T* from) const {
    Vec<T> sum = load(from);
    for (int64_t i = 1; i <= p.before + p.after; ++i) sum += load(from + i);
    return sum;
  }

  TCN_INLINE Vec<T> d(int64_t row, int64_t c) const {
    return broadcast(T(p.k)) + broadcast(T(p.alpha)) * window(squares + row * step + c);
  }
};

template <int POWER, class T>
void response_forward(const LocalResponse& p, int64_t from, int64_t to, const Rows<T>& x, T* y,
                      void* memory) {
  LocalResponseTile<T> tile(p, memory);
  const T beta = T(p.beta);
  const int64_t most = rows_of_tile<T>(p);
  for (int64_t r = from; r < to; r += most) {
    const int64_t rows = to - r < most ? to - r : most;
    tile.write_squares(x, r, rows);
    for (int64_t i = 0; i < rows; ++i)
      over_columns<T>(p.c, [&](int64_t c, int n) {
        put<T>(y + (r + i) * p.c + c,
               x.at(r + i, c, n, T(0)) * inverse_power<POWER, T>(tile.d(i, c), beta), n);
      });
  }
}

// t = g x / d^(beta + 1);  grad_x[j] = g[j] / d[j]^beta - 2 alpha beta x[j] * sum of t over the
// channels whose windows see j: after before j, before behind it
template <int POWER, class T>
void response_backward(const LocalResponse& p, int64_t from, int64_t to, const Rows<T>& x,
                       const Rows<T>& g, T* grad_x, void* memory) {
  LocalResponseTile<T> tile(p, memory);
  const T beta = T(p.beta);
  const Vec<T> twice = broadcast(T(2 * p.alpha * p.beta)), zero = broadcast(T(0));
  const int64_t most = rows_of_tile<T>(p);
  for (int64_t r = from; r < to; r += most) {
    const int64_t rows = to - r < most ? to - r : most;
    tile.write_squares(x, r, rows);
    for (int64_t i = 0; i < rows; ++i)
      over_columns<T>(p.c, [&](int64_t c, int n) {
        const Vec<T> d = tile.d(i, c);
        const Vec<T> direct = g.at(r + i, c, n, T(0)) * inverse_power<POWER, T>(d, beta);
        const Vec<T> t = direct * x.at(r + i, c, n, T(0)) / d;
        store(tile.shared + i * tile.step + p.after + c, n == LANES<T> ? t : first<T>(t, n, 0));
        put<T>(grad_x + (r + i) * p.c + c, direct, n);
      });
    for (int64_t i = 0; i < rows; ++i)
      over_columns<T>(p.c, [&](int64_t c, int n) {
        T* place = grad_x + (r + i) * p.c + c;
        const Vec<T> sum = tile.window(tile.shared + i * tile.step + c);
        const Vec<T> direct = n == LANES<T> ? load(place) : load_some(place, n);
        put<T>(place, direct + (zero - twice * x.at(r + i, c, n, T(0)) * sum), n);
      });
  }
}

// One instance for each way to a power.
#define TCN_BY_POWER(function, ...)                                 \
  switch (p->power) {                                               \
    case THREE_QUARTERS: function<THREE_QUARTERS>(__VA_ARGS__); break; \
    case HALF: function<HALF>(__VA_ARGS__); break;                  \
    case WHOLE: function<WHOLE>(__VA_ARGS__); break;                \
    case LOGARITHM: function<LOGARITHM>(__VA_ARGS__); break;        \
    default: function<LIBRARY>(__VA_ARGS__);                        \
  }

template <class T>
void local_response_forward(const LocalResponse* p, int64_t from, int64_t to, const void* x,
                            void* y, void* memory) {
  const Rows<T> rows(x, p->rows, p->c);
  TCN_BY_POWER(response_forward, *p, from, to, rows, static_cast<T*>(y), memory)
}

template <class T>
void local_response_backward(const LocalResponse* p, int64_t from, int64_t to, const void* x,
                             const void* grad_y, void* grad_x, void* memory) {
  const Rows<T> rows(x, p->rows, p->c), grads(grad_y, p->rows, p->c);
  TCN_BY_POWER(response_backward, *p, from, to, rows, grads, static_cast<T*>(grad_x), memory)
}
#undef TCN_BY_POWER

}  // namespace TCN_ISA

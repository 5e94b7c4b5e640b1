// Resizing with channels last: first the rows of x that a row of y is made of are added, then its
// pixels; vectors run over the numbers of a row, and then over the channels of a pixel.
//
//     x    row p      | w0          line | a0 a1 .. | b0 b1 .. | c0 c1 .. |      pixels of C
//          row p + 1  | w1    ->              \ v0     / v1      channels: y = v0 a + v1 b
//          ...                           y    | .. .. .. |
//
// The line is padded, and pixels of y are written in the order of memory: where C is no multiple of
// a vector, the last vector of a pixel runs over into the next one, which is written afterwards. At
// the end of a row it is cut.
#pragma once
#include "resize_api.hh"
#include "vec.hh"

namespace TCN_ISA {

constexpr int MANY = 4;  // vectors taken together where there are so many

template <class T>
struct SourceRow {
  const T* x;
  T weight;
};

template <class T>
int64_t resize_scratch(const ResizePlan* p) {
  const int64_t line = p->axis[2].size * p->c + LANES<T>;
  const int64_t rows = p->axis[0].most * p->axis[1].most;
  return line * int64_t(sizeof(T)) + rows * int64_t(sizeof(SourceRow<T>)) + 64;
}

// line = sum of the rows times their weights, `count` vectors from `at` on. ROWS: how many, 0: any.
template <class T, int ROWS>
TCN_INLINE void add_rows(const SourceRow<T>* rows, int64_t count, int64_t n, T* line) {
  if (ROWS) count = ROWS;
  int64_t at = 0;
  for (; at + MANY * LANES<T> <= n; at += MANY * LANES<T>) {
    Vec<T> sum[MANY];
    TCN_UNROLL for (int u = 0; u < MANY; ++u) sum[u] =
        load(rows[0].x + at + u * LANES<T>) * broadcast(rows[0].weight);
    for (int64_t r = 1; r < count; ++r)
      TCN_UNROLL for (int u = 0; u < MANY; ++u) sum[u] +=
          load(rows[r].x + at + u * LANES<T>) * broadcast(rows[r].weight);
    TCN_UNROLL for (int u = 0; u < MANY; ++u) store(line + at + u * LANES<T>, sum[u]);
  }
  for (; at < n; at += LANES<T>) {
    const int lanes = int(n - at < LANES<T> ? n - at : LANES<T>);
    Vec<T> sum = {};
    for (int64_t r = 0; r < count; ++r) {
      const T* x = rows[r].x + at;
      sum += (lanes == LANES<T> ? load(x) : load_some(x, lanes)) * broadcast(rows[r].weight);
    }
    store(line + at, sum);  // the line is padded
  }
}

// One vector, or U, of a pixel of y: the sum of `count` pixels that begin at x. PIXELS: how many,
// 0: any.
template <class T, int U, int PIXELS>
TCN_INLINE void add_pixels(const T* x, const T* weights, int64_t count, int64_t c, T* y, int kept) {
  if (PIXELS) count = PIXELS;
  Vec<T> sum[U];
  TCN_UNROLL for (int u = 0; u < U; ++u) sum[u] = load(x + u * LANES<T>) * broadcast(weights[0]);
  for (int64_t k = 1; k < count; ++k)
    TCN_UNROLL for (int u = 0; u < U; ++u) sum[u] +=
        load(x + k * c + u * LANES<T>) * broadcast(weights[k]);
  TCN_UNROLL for (int u = 0; u < U; ++u) {
    if (U > 1 || kept == LANES<T>)
      store(y + u * LANES<T>, sum[u]);
    else
      store_some(y, sum[0], kept);
  }
}

template <class T, int PIXELS>
TCN_INLINE void add_pixel(const T* x, const T* weights, int64_t count, int64_t c, T* y,
                          const T* end) {
  int64_t at = 0;
  for (; at + MANY * LANES<T> <= c; at += MANY * LANES<T>)
    add_pixels<T, MANY, PIXELS>(x + at, weights, count, c, y + at, LANES<T>);
  for (; at < c; at += LANES<T>) {
    const int64_t left = end - (y + at);
    add_pixels<T, 1, PIXELS>(x + at, weights, count, c, y + at,
                             int(left < LANES<T> ? left : LANES<T>));
  }
}

// A row of y straight from the rows of x: for few rows, and C a multiple of a vector, so that none
// runs over the end of x.
template <class T, int ROWS, int PIXELS, int U>
TCN_INLINE void gather_pixels(const SourceRow<T>* rows, int64_t x, const T* weights, int64_t count,
                              int64_t c, T* y) {
  if (PIXELS) count = PIXELS;
  Vec<T> sum[U] = {};
  TCN_UNROLL for (int r = 0; r < ROWS; ++r) for (int64_t k = 0; k < count; ++k) {
    const Vec<T> weight = broadcast(rows[r].weight * weights[k]);
    TCN_UNROLL for (int u = 0; u < U; ++u) sum[u] +=
        load(rows[r].x + x + k * c + u * LANES<T>) * weight;
  }
  TCN_UNROLL for (int u = 0; u < U; ++u) store(y + u * LANES<T>, sum[u]);
}

template <class T, int ROWS, int PIXELS>
TCN_INLINE void gather_pixel(const SourceRow<T>* rows, int64_t x, const T* weights, int64_t count,
                             int64_t c, T* y) {
  int64_t at = 0;
  for (; at + MANY * LANES<T> <= c; at += MANY * LANES<T>)
    gather_pixels<T, ROWS, PIXELS, MANY>(rows, x + at, weights, count, c, y + at);
  for (; at < c; at += LANES<T>)
    gather_pixels<T, ROWS, PIXELS, 1>(rows, x + at, weights, count, c, y + at);
}

template <class T, int ROWS>
TCN_INLINE void gather_line(const ResizeTable& w, const SourceRow<T>* rows, int64_t c, T* y) {
  const T* weights = static_cast<const T*>(w.weights);
  for (int64_t i = 0; i < w.out; ++i, y += c, weights += w.most) {
    const int64_t first = w.spans[2 * i], count = w.spans[2 * i + 1] - first;
    if (count == 1)
      gather_pixel<T, ROWS, 1>(rows, first * c, weights, count, c, y);
    else if (count == 2)
      gather_pixel<T, ROWS, 2>(rows, first * c, weights, count, c, y);
    else
      gather_pixel<T, ROWS, 0>(rows, first * c, weights, count, c, y);
  }
}

// Whether that reads and writes less than adding the rows first.
template <class T>
TCN_INLINE bool gathers(const ResizePlan& p, int64_t rows) {
  const ResizeTable& W = p.axis[2];
  if (rows < 1 || rows > 2 || p.c % LANES<T> != 0) return false;
  return rows * W.most * W.out <= rows * W.size + W.size + W.most * W.out || rows == 1;
}

template <class T>
TCN_INLINE void resize_line(const ResizeTable& w, const T* line, int64_t c, T* y) {
  const T *weights = static_cast<const T*>(w.weights), *end = y + w.out * c;
  for (int64_t i = 0; i < w.out; ++i, y += c, weights += w.most) {
    const int64_t first = w.spans[2 * i], count = w.spans[2 * i + 1] - first;
    TCN_ASSERT(first >= 0 && first + count <= w.size && count <= w.most);
    const T* x = line + first * c;
    switch (count) {
      case 0:
        for (int64_t k = 0; k < c; ++k) y[k] = 0;
        break;
      case 1:
        add_pixel<T, 1>(x, weights, count, c, y, end);
        break;
      case 2:
        add_pixel<T, 2>(x, weights, count, c, y, end);
        break;
      case 4:
        add_pixel<T, 4>(x, weights, count, c, y, end);
        break;
      default:
        add_pixel<T, 0>(x, weights, count, c, y, end);
    }
  }
}

// The rows of x that row `row` of y is made of.
template <class T>
TCN_INLINE int64_t source_rows(const ResizePlan& p, int64_t row, const T* x, SourceRow<T>* rows) {
  const ResizeTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  const int64_t h = row % H.out, d = row / H.out % D.out, n = row / H.out / D.out;
  const T* of_d = static_cast<const T*>(D.weights) + d * D.most;
  const T* of_h = static_cast<const T*>(H.weights) + h * H.most;
  const int64_t first_d = D.spans[2 * d], first_h = H.spans[2 * h];
  int64_t count = 0;
  for (int64_t i = first_d; i < D.spans[2 * d + 1]; ++i)
    for (int64_t j = first_h; j < H.spans[2 * h + 1]; ++j) {
      TCN_ASSERT(i >= 0 && i < D.size && j >= 0 && j < H.size);
      rows[count++] = {x + ((n * D.size + i) * H.size + j) * W.size * p.c,
                       of_d[i - first_d] * of_h[j - first_h]};
    }
  return count;
}

template <class T>
void resize_row(const ResizePlan* plan, int64_t row, const void* x, void* y, void* scratch) {
  const ResizePlan& p = *plan;
  const ResizeTable& W = p.axis[2];
  const int64_t n = W.size * p.c;
  SourceRow<T>* rows = static_cast<SourceRow<T>*>(scratch);
  T* line = reinterpret_cast<T*>(rows + p.axis[0].most * p.axis[1].most);
  const int64_t count = source_rows(p, row, static_cast<const T*>(x), rows);
  T* to = static_cast<T*>(y) + row * W.out * p.c;
  if (gathers<T>(p, count)) {
    if (count == 1)
      gather_line<T, 1>(W, rows, p.c, to);
    else
      gather_line<T, 2>(W, rows, p.c, to);
    return;
  }
  if (count == 0)
    for (int64_t i = 0; i < n + LANES<T>; ++i) line[i] = 0;
  else if (count == 1)
    add_rows<T, 1>(rows, count, n, line);
  else if (count == 2)
    add_rows<T, 2>(rows, count, n, line);
  else if (count == 4)
    add_rows<T, 4>(rows, count, n, line);
  else
    add_rows<T, 0>(rows, count, n, line);
  resize_line(W, line, p.c, to);
}

}  // namespace TCN_ISA

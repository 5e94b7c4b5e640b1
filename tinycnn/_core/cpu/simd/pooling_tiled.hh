// Pooling whose windows lie side by side, each of them whole: windows of k pixels moved by k,
// without padding. That is most pooling there is, and no table is needed to know which pixel is in
// which window. A task is a number of rows of y, and the rows of x below them.
//
//     2 x 2, C = 6      y      | w0 | w1 | w2 | .. |              a row of windows
//                       x      | a0 b0 | a1 b1 | a2 b2 | .. |
//                              | c0 d0 | c1 d1 | c2 d2 | .. |
//
// Forward, a vector is the channels of a window, as in pooling.hh: 4 loads for a vector of y.
// Backward, where few channels leave room, it is the channels of all pixels of a row of the window:
//
//     lanes 0..5    pixel a     grad_y of w, where its place is 0         2 loads of grad_y, 2 of
//     lanes 6..11   pixel b     grad_y of w, where its place is 1         places, 2 stores
//     lanes 12..    next window: written again by it
//
// Where channels are more than a vector and no multiple of it, the last vector begins so far ahead
// that it ends with the pixel: some numbers are written twice, the same each time.
#pragma once
#include "im2col.hh"
#include "pooling_backward.hh"

namespace TCN_ISA {

// A row of y, counted over all images: where its windows begin in x.
struct WindowsRow {
  int64_t h, d, image;
  static TCN_INLINE WindowsRow at(const PoolPlan& p, int64_t row) {
    const int64_t plane = row / p.axis[1].out;
    return {row % p.axis[1].out, plane % p.axis[0].out, plane / p.axis[0].out};
  }
  TCN_INLINE void next(const PoolPlan& p) {
    if (++h < p.axis[1].out) return;
    h = 0;
    if (++d < p.axis[0].out) return;
    d = 0;
    ++image;
  }
  TCN_INLINE int64_t pixel(const PoolPlan& p) const {
    const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
    return ((image * D.size + d * D.kernel) * H.size + h * H.kernel) * W.size;
  }
};

// The rows of x in a window, counted from its first pixel.
TCN_INLINE int64_t tiled_rows(const PoolPlan& p, PoolRow* rows) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  int64_t count = 0;
  for (int64_t d = 0; d < D.kernel; ++d)
    for (int64_t h = 0; h < H.kernel; ++h, ++count)
      rows[count] = PoolRow{(d * H.size + h) * W.size, count * W.kernel, 0};
  return count;
}

TCN_INLINE double tiled_places(const PoolPlan& p) {
  return double(p.axis[0].kernel) * double(p.axis[1].kernel) * double(p.axis[2].kernel);
}

TCN_INLINE bool two_by_two(const PoolPlan& p) {
  return p.axis[0].kernel == 1 && p.axis[1].kernel == 2 && p.axis[2].kernel == 2;
}

// The rows of y of a task.
TCN_INLINE int64_t tiled_end(const PoolPlan& p, int64_t task) {
  const int64_t rows = p.images * p.axis[0].out * p.axis[1].out, end = (task + 1) * p.block;
  return end < rows ? end : rows;
}

// SIDE: rows and places of a window, known to the compiler; 0 for any.
template <class T, int SIDE, class Op>
TCN_INLINE void tiled_rows_forward(const PoolPlan& p, int64_t task, const T* x, T* y, const Op& op,
                                   PoolRow* rows) {
  constexpr int L = LANES<T>;
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  const int64_t C = p.c, first = task * p.block, end = tiled_end(p, task), y_end = end * W.out * C;
  const T* x_end = x + p.images * D.size * H.size * W.size * C;
  const T divisor = T(p.divisor != 0 ? p.divisor : tiled_places(p));
  WindowAt<T> at{rows, tiled_rows(p, rows), W.kernel, C, C, nullptr};
  const int64_t last = (rows[at.count - 1].pixel + W.kernel - 1) * C, step = W.kernel * C;
  WindowsRow windows = WindowsRow::at(p, first);
  int64_t to = first * W.out * C;
  for (int64_t row = first; row < end; ++row, windows.next(p)) {
    const T* window = x + windows.pixel(p) * C;
    for (int64_t ow = 0; ow < W.out; ++ow, window += step, to += C) {
      at.x = window;
      if (C < L) {
        if (to + L <= y_end && window + last + L <= x_end)
          op.template run<1, true, SIDE>(at, y, to, divisor, L, L);
        else
          op.template run<1, false, SIDE>(at, y, to, divisor, int(C), int(C));
        continue;
      }
      int64_t c = 0;
      for (; c + WIDE * L <= C; c += WIDE * L) {
        at.x = window + c;
        op.template run<WIDE, true, SIDE>(at, y, to + c, divisor, L, L);
      }
      for (; c < C; c += L) {
        const int64_t from = c + L <= C ? c : C - L;
        at.x = window + from;
        op.template run<1, true, SIDE>(at, y, to + from, divisor, L, L);
      }
    }
  }
}

template <class T, class Op>
void tiled_forward(const PoolPlan& p, int64_t task, const T* x, T* y, const Op& op, PoolRow* rows) {
  if (two_by_two(p))
    tiled_rows_forward<T, 2>(p, task, x, y, op, rows);
  else
    tiled_rows_forward<T, 0>(p, task, x, y, op, rows);
}

// --- backward --------------------------------------------------------------------------------

// The channels of the output at `from`, once for each of `places` pixels side by side; `pixel`
// holds the pixel of each lane. Places count from each pixel's own. WHOLE: it may read before and
// behind.
template <bool WHOLE, class T, class Op>
TCN_INLINE Given<T> read_repeated(const Op& op, int64_t from, int64_t C, int64_t places,
                                  const Vec<Int<T>>& pixel) {
  Given<T> given = op.template read<WHOLE>(from, int(C));
  if (WHOLE) {
    for (int64_t q = 1; q < places; ++q) {
      const Given<T> moved = op.template read<true>(from - q * C, LANES<T>);
      const auto here = pixel == broadcast(Int<T>(q));
      given.grad = select(here, moved.grad, given.grad);
      given.place = select(here, moved.place, given.place);
    }
  } else {
    for (int64_t l = C; l < places * C; ++l) {
      given.grad[l] = given.grad[l - C];
      given.place[l] = given.place[l - C];
    }
  }
  given.place = given.place - pixel;
  return given;
}

// Zeros where no window reaches, at the end of the rows of windows `at`, of their planes, of
// images.
template <class T>
TCN_INLINE void clear_rest(const PoolPlan& p, const WindowsRow& at, T* grad_x) {
  const PoolTable &D = p.axis[0], &H = p.axis[1], &W = p.axis[2];
  const auto clear = [&](int64_t pixel, int64_t pixels) {
    std::memset(grad_x + pixel * p.c, 0, pixels * p.c * sizeof(T));
  };
  const int64_t columns = W.out * W.kernel, high = H.out * H.kernel, deep = D.out * D.kernel;
  for (int64_t d = 0; d < D.kernel; ++d) {
    const int64_t plane = at.pixel(p) + d * H.size * W.size;
    for (int64_t h = 0; h < H.kernel && columns < W.size; ++h)
      clear(plane + h * W.size + columns, W.size - columns);
    if (at.h == H.out - 1 && high < H.size)
      clear(plane + H.kernel * W.size, (H.size - high) * W.size);
  }
  if (at.h == H.out - 1 && at.d == D.out - 1 && deep < D.size)
    clear((at.image * D.size + deep) * H.size * W.size, (D.size - deep) * H.size * W.size);
}

// A row of windows of fewer channels than a vector, from output `from` on, to the row of x at `to`.
template <int SIDE, class T, class Op>
TCN_INLINE void row_backward(const PoolPlan& p, const Op& op, int64_t from, T* to,
                             const PoolRow* rows, int64_t row_count) {
  constexpr int L = LANES<T>;
  const int64_t C = p.c, out = p.axis[2].out, row = p.axis[2].size * C;
  const int64_t y_size = p.images * p.axis[0].out * p.axis[1].out * out * C;
  const int64_t count = SIDE ? SIDE : row_count, places = SIDE ? SIDE : p.axis[2].kernel;
  // So many pixels of a row of the window are one vector, or part of one.
  const int64_t joined = SIDE || places * C <= L ? places : 1, width = joined * C;
  const double divisor = tiled_places(p);
  Vec<Int<T>> pixel = {};
  for (int64_t l = C; l < width; ++l) pixel[l] = Int<T>(l / C);
  const auto window = [&](auto whole, int64_t ow) {
    constexpr bool WHOLE = decltype(whole)::value;
    const Given<T> given = read_repeated<WHOLE, T>(op, from + ow * C, C, joined, pixel);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t k = 0; k < places; k += joined) {
        const int64_t at = (ow * places + k) * C;
        put(to + rows[r].pixel * C + at, op.share(given, r * places + k, divisor),
            WHOLE || at + L <= row ? L : int(width));
      }
  };
  // Windows whose vectors end in the row, and behind which y goes on; and before them the first.
  const int64_t room = row - L - (places - joined) * C, behind = y_size - L - from;
  const int64_t whole = room < 0 || behind < 0 ? 0 : least(room / (places * C), behind / C) + 1;
  int64_t ow = 0;
  for (; ow < out && from + ow * C < (joined - 1) * C; ++ow) window(std::false_type(), ow);
  for (; ow < least(out, whole); ++ow) window(std::true_type(), ow);
  for (; ow < out; ++ow) window(std::false_type(), ow);
}

template <class T, class Op>
void tiled_backward(const PoolPlan& p, int64_t task, const Op& op, T* grad_x, PoolRow* rows) {
  constexpr int L = LANES<T>;
  const int64_t C = p.c, out = p.axis[2].out, places = p.axis[2].kernel;
  const int64_t first = task * p.block, end = tiled_end(p, task), count = tiled_rows(p, rows);
  const double divisor = tiled_places(p);
  const bool small = two_by_two(p) && 2 * C <= L;
  WindowsRow windows = WindowsRow::at(p, first);
  int64_t from = first * out * C;
  for (int64_t row = first; row < end; ++row, windows.next(p), from += out * C) {
    T* to = grad_x + windows.pixel(p) * C;
    if (small) {
      row_backward<2>(p, op, from, to, rows, count);
    } else if (C < L) {
      row_backward<0>(p, op, from, to, rows, count);
    } else {
      for (int64_t ow = 0; ow < out; ++ow)
        for (int64_t r = 0; r < count; ++r)
          for (int64_t c = 0; c < C; c += L) {
            const int64_t at = c + L <= C ? c : C - L;
            const Given<T> given = op.template read<true>(from + ow * C + at, L);
            T* pixel = to + (rows[r].pixel + ow * places) * C + at;
            for (int64_t k = 0; k < places; ++k)
              store(pixel + k * C, op.share(given, r * places + k, divisor));
          }
    }
    clear_rest(p, windows, grad_x);
  }
}

// --- either way ------------------------------------------------------------------------------

template <class T, class P>
void max_forward(const PoolPlan* p, int64_t task, const void* x, void* y, void* position,
                 PoolRow* rows) {
  const Largest<T, P> op{static_cast<P*>(position)};
  const auto run = p->tiled ? tiled_forward<T, Largest<T, P>> : pool_forward<T, Largest<T, P>>;
  run(*p, task, static_cast<const T*>(x), static_cast<T*>(y), op, rows);
}

template <class T>
void avg_forward(const PoolPlan* p, int64_t task, const void* x, void* y, void*, PoolRow* rows) {
  const auto run = p->tiled ? tiled_forward<T, Average<T>> : pool_forward<T, Average<T>>;
  run(*p, task, static_cast<const T*>(x), static_cast<T*>(y), Average<T>{}, rows);
}

template <class T, class P>
void max_backward(const PoolPlan* p, int64_t task, const void* grad_y, const void* position,
                  void* grad_x, PoolRow* rows) {
  const ToLargest<T, P> op{static_cast<const T*>(grad_y), static_cast<const P*>(position)};
  const auto run =
      p->tiled ? tiled_backward<T, ToLargest<T, P>> : pool_backward<T, ToLargest<T, P>>;
  run(*p, task, op, static_cast<T*>(grad_x), rows);
}

template <class T>
void avg_backward(const PoolPlan* p, int64_t task, const void* grad_y, const void*, void* grad_x,
                  PoolRow* rows) {
  const ToAll<T> op{static_cast<const T*>(grad_y), p->divisor};
  const auto run = p->tiled ? tiled_backward<T, ToAll<T>> : pool_backward<T, ToAll<T>>;
  run(*p, task, op, static_cast<T*>(grad_x), rows);
}

}  // namespace TCN_ISA

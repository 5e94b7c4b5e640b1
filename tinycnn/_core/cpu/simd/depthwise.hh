// Depthwise convolution with windows of K x K = 3x3 or 5x5 pixels, stride 1 or 2, in patches of 4 x
// 4 pixels (2 x 4 where registers are few), each for a vector of channels:
//
//     forward, stride 1             backward, stride 1            backward, stride 2
//     x: 6 x 6      y: 4 x 4        grad_y: 6 x 6    x: 4 x 4     grad_y: 3 x 3    x: 4 x 4
//     +-----------+                 +-----------+                 +-----+
//     | . . . . . |   +-------+     | . . . . . |   +-------+     | . . |          +-------+
//     | . . . . . |   |       |     | . . . . . |   |       |     | . . |          |       |
//     | . . . . . |-->|       |     | . . . . . |-->|       |     +-----+  ----->  |       |
//     +-----------+   +-------+     +-----------+   +-------+                      +-------+
//
// A product pairs a pixel that is read with one of the 16 pixels, by a tap. For windows of 3x3:
//
//     stride 1 (2)     loads       multiply-adds    stores
//     forward          36 (81)     144 (144)        16       row by row: 80 (144) loads
//     grad_x           36 (9)      144 (36)         16
//     grad_weight      52 (25)     144 (36)                  36 (9) of grad_y, 16 of x
//
// Sums stay in registers, and the weights or the 16 pixels of x (of 5x5, as many as there is room
// for). What counts more: maps come from far away, and both gradients are made from one reading of
// grad_y and x. A patch asks for the memory that the next one writes, and for its x.
#pragma once
#include "depthwise_api.hh"
#include "grouped_weight.hh"
#include "pixels.hh"

namespace TCN_ISA {

// Pixels of a patch: as many as there are registers for.
#if TCN_VECTOR_BYTES == 64 || defined(__aarch64__)
constexpr int PATCH_ROWS = 4;
#else
constexpr int PATCH_ROWS = 2;
#endif
constexpr int PATCH = 4;

// Forward: y of a patch reads x. `size` pixels along an axis are read for `out`; pixel `in` meets
// pixel `out` by a tap, if that lies in [0, K).
template <int K, int STEP>
struct Reads {
  static constexpr int TAPS = K;
  static constexpr int size(int out) { return (out - 1) * STEP + K; }
  static constexpr int tap(int in, int out) { return in - out * STEP; }
};

// Backward: x of a patch is seen by grad_y. The first pixel of a patch lies PHASE behind one that
// tap 0 of a window sees, counted from where the padding begins; `in` 0 is SHIFT windows before.
template <int K, int STEP>
struct Seen {
  static constexpr int TAPS = K, PHASE = (K - 1) / 2 % STEP, SHIFT = (K - 1 - PHASE) / STEP;
  static constexpr int size(int out) { return (out - 1 + PHASE) / STEP + SHIFT + 1; }
  static constexpr int tap(int in, int out) { return out + PHASE - (in - SHIFT) * STEP; }
};

template <class T, class Meet>
using PatchIn = Pixels<const T, Meet::size(PATCH_ROWS), Meet::size(PATCH)>;
template <class T>
using PatchOut = Pixels<T, PATCH_ROWS, PATCH>;

// Calls use(pixel that is read, row, column, tap) for each product of a patch. With SKIP, pixels
// outside take no part: zero times NaN would be NaN.
template <class Meet, bool SKIP, class T, class F>
TCN_INLINE void each_product(const PatchIn<T, Meet>& in, int64_t c, F use) {
  constexpr int ROWS = Meet::size(PATCH_ROWS), COLUMNS = Meet::size(PATCH), K = Meet::TAPS;
  TCN_UNROLL for (int i = 0; i < ROWS; ++i) TCN_UNROLL for (int j = 0; j < COLUMNS; ++j) {
    const T* at = in.at[i * COLUMNS + j];
    if (SKIP && at == NOTHING<T>) continue;
    Vec<T> seen = load(at + c);
    TCN_KEEP(seen);
    TCN_UNROLL for (int r = 0; r < PATCH_ROWS; ++r) TCN_UNROLL for (int s = 0; s < PATCH; ++s) {
      const int t = Meet::tap(i, r), u = Meet::tap(j, s);
      if (t >= 0 && t < K && u >= 0 && u < K) use(seen, r, s, t * K + u);
    }
  }
}

// Numbers to the same pixel of the next patch, whose memory a patch asks for: vector v does so if
// it begins a cache line, else 0.
template <class T>
TCN_INLINE int64_t to_next(int64_t v, int64_t channels) {
  return v * LANES<T> * int64_t(sizeof(T)) % 64 == 0 ? PATCH * channels : 0;
}

// y, or grad_x.
template <class Meet, class T>
TCN_APART void patch_sums(const PatchIn<T, Meet>& in, const PatchOut<T>& out, int64_t c,
                          const T* weights, const Vec<T>& bias, bool relu, int64_t next) {
  constexpr int TAPS = Meet::TAPS * Meet::TAPS;
  Vec<T> w[TAPS], sum[PATCH_ROWS][PATCH];
  TCN_UNROLL for (int t = 0; t < TAPS; ++t) w[t] = load(weights + t * LANES<T>);
  TCN_UNROLL for (int r = 0; r < PATCH_ROWS; ++r) TCN_UNROLL for (int s = 0; s < PATCH; ++s)
      sum[r][s] = bias;
  if (next) {
    TCN_UNROLL for (int i = 0; i < PATCH_ROWS * PATCH; ++i)
        prefetch_to_write(out.at[i] + (c + next));
  }
  each_product<Meet, false, T>(
      in, c, [&](const Vec<T>& seen, int r, int s, int t) { sum[r][s] += seen * w[t]; });
  TCN_UNROLL for (int r = 0; r < PATCH_ROWS; ++r) TCN_UNROLL for (int s = 0; s < PATCH; ++s)
      store(out.at[r * PATCH + s] + c, relu ? rectified(sum[r][s]) : sum[r][s]);
}

// Adds to the gradient of the weights.
template <class Meet, bool SKIP, class T>
TCN_APART void patch_weight(const PatchIn<T, Meet>& in, const PatchOut<const T>& x, int64_t c,
                            T* sums, int64_t next) {
  constexpr int TAPS = Meet::TAPS * Meet::TAPS;
  Vec<T> sum[TAPS], own[PATCH_ROWS][PATCH];
  TCN_UNROLL for (int t = 0; t < TAPS; ++t) sum[t] = load(sums + t * LANES<T>);
  TCN_UNROLL for (int r = 0; r < PATCH_ROWS; ++r) TCN_UNROLL for (int s = 0; s < PATCH; ++s)
      own[r][s] = load(x.at[r * PATCH + s] + c);
  if (next) {
    TCN_UNROLL for (int i = 0; i < PATCH_ROWS * PATCH; ++i) prefetch(x.at[i] + (c + next));
  }
  each_product<Meet, SKIP, T>(
      in, c, [&](const Vec<T>& seen, int r, int s, int t) { sum[t] += seen * own[r][s]; });
  TCN_UNROLL for (int t = 0; t < TAPS; ++t) store(sums + t * LANES<T>, sum[t]);
}

// --- maps ------------------------------------------------------------------------------------

template <class T>
int64_t depthwise_fits(const Gather* g) {
  const Axis &d = g->axis[0], &h = g->axis[1], &w = g->axis[2];
  return g->algorithm != IM2COL && g->c == 1 && g->oc == 1 && g->groups >= LANES<T> &&
         d.taps == 1 && d.step == 1 && d.first == 0 && d.in == d.out && h.taps == w.taps &&
         (h.taps == 3 || h.taps == 5) && h.step == w.step && (h.step == 1 || h.step == 2) &&
         h.delta == 1 && w.delta == 1;
}

// Calls f with the window and the step, known at compile time.
template <class F>
TCN_INLINE void with_window_and_step(const Gather& g, F f) {
  using std::integral_constant;
  const bool one = g.axis[1].step == 1;
  if (g.axis[1].taps == 3 && one) f(integral_constant<int, 3>(), integral_constant<int, 1>());
  if (g.axis[1].taps == 3 && !one) f(integral_constant<int, 3>(), integral_constant<int, 2>());
  if (g.axis[1].taps == 5 && one) f(integral_constant<int, 5>(), integral_constant<int, 1>());
  if (g.axis[1].taps == 5 && !one) f(integral_constant<int, 5>(), integral_constant<int, 2>());
}

// Where the first patch begins along an axis of x: at 0 or, as PHASE wants it, a pixel before.
template <class Meet>
TCN_INLINE int64_t first_seen(const Axis& a) {
  return (a.first + Meet::PHASE) % a.step == 0 ? 0 : -1;
}

template <class T>
int64_t depthwise_strips(const Gather* g) {
  return g->images * g->axis[0].out * ceil_div(g->axis[1].out, PATCH_ROWS);
}

template <class Meet>
TCN_INLINE int64_t strips_of_map(const Axis& h) {
  return ceil_div(h.in - first_seen<Meet>(h), PATCH_ROWS);
}

template <class T>
int64_t depthwise_backward_strips(const Gather* g) {
  int64_t of_map = 0;
  with_window_and_step(*g, [&](auto k, auto step) {
    of_map = strips_of_map<Seen<decltype(k)::value, decltype(step)::value>>(g->axis[1]);
  });
  return g->images * g->axis[0].in * of_map;
}

template <class T>
int64_t depthwise_packed_size(const Gather* g) {
  return ChannelVectors<T>(*g).count * g->taps() * LANES<T>;
}

template <class T>
void depthwise_pack(const Gather* g, const void* weight, void* packed) {
  for (int64_t v = 0; v < ChannelVectors<T>(*g).count; ++v)
    pack_narrow(*g, v, static_cast<const T*>(weight), static_cast<T*>(packed));
}

// --- passes ----------------------------------------------------------------------------------

// Vectors of channels that share addresses: slice(first vector, behind the last, first channel).
// They are many, so that pixels are read as far as they lie side by side.
template <class T, class F>
TCN_INLINE void each_slice(const ChannelVectors<T>& vectors, F slice) {
  constexpr int64_t STEP = LONG_SLICE / LANES<T>;
  for (int64_t v = 0; v < vectors.count; v += STEP)
    slice(v, least(v + STEP, vectors.count), vectors.first(v));
}

template <class T, int K, int STEP>
void forward_part(const Gather& g, int64_t from, int64_t to, const T* x, const T* packed,
                  const T* bias, T* y) {
  typedef Reads<K, STEP> Meet;
  const Axis &h = g.axis[1], &w = g.axis[2];
  const int64_t C = g.groups, of_map = ceil_div(h.out, PATCH_ROWS);
  const ChannelVectors<T> vectors(g);
  T nowhere[LONG_SLICE];
  for (int64_t strip = from; strip < to; ++strip) {
    const int64_t map = strip / of_map, top = strip % of_map * PATCH_ROWS;
    const T* x_map = x + map * h.in * w.in * C;
    T* y_map = y + map * h.out * w.out * C;
    each_slice(vectors, [&](int64_t v0, int64_t v1, int64_t c0) {
      for (int64_t left = 0; left < w.out; left += PATCH) {
        const int64_t x_top = top * STEP + h.first, x_left = left * STEP + w.first;
        PatchIn<T, Meet> in;
        PatchOut<T> out;
        in.find(x_map + c0, h.in, w.in, C, x_top, x_left, NOTHING<T>);
        out.find(y_map + c0, h.out, w.out, C, top, left, nowhere);
        for (int64_t v = v0; v < v1; ++v) {
          const int64_t c = vectors.first(v);
          patch_sums<Meet, T>(in, out, c - c0, packed + v * K * K * LANES<T>,
                              bias ? load(bias + c) : Vec<T>{}, g.relu, to_next<T>(v, C));
        }
      }
    });
  }
}

// Patches of x: grad_x, if it is not null, and what they add to the gradient of the weights, if
// partial is not null.
template <class T, int K, int STEP>
void backward_part(const Gather& g, int64_t from, int64_t to, const T* x, const T* grad_y,
                   const T* packed, const T* bias, T* grad_x, T* partial) {
  typedef Seen<K, STEP> Meet;
  constexpr int ROWS = Meet::size(PATCH_ROWS), COLUMNS = Meet::size(PATCH);
  const Axis &h = g.axis[1], &w = g.axis[2];
  const int64_t C = g.groups, of_map = strips_of_map<Meet>(h);
  const ChannelVectors<T> vectors(g);
  T nowhere[LONG_SLICE];
  for (int64_t strip = from; strip < to; ++strip) {
    const int64_t map = strip / of_map, top = first_seen<Meet>(h) + strip % of_map * PATCH_ROWS;
    const int64_t y_top = (top - h.first - Meet::PHASE) / STEP - Meet::SHIFT;
    const int64_t x_map = map * h.in * w.in * C;
    const T* y_map = grad_y + map * h.out * w.out * C;
    each_slice(vectors, [&](int64_t v0, int64_t v1, int64_t c0) {
      for (int64_t left = first_seen<Meet>(w); left < w.in; left += PATCH) {
        const int64_t y_left = (left - w.first - Meet::PHASE) / STEP - Meet::SHIFT;
        const bool inside =
            y_top >= 0 && y_top + ROWS <= h.out && y_left >= 0 && y_left + COLUMNS <= w.out;
        PatchIn<T, Meet> in;
        PatchOut<const T> own{};
        PatchOut<T> out{};
        in.find(y_map + c0, h.out, w.out, C, y_top, y_left, NOTHING<T>);
        if (partial) own.find(x + x_map + c0, h.in, w.in, C, top, left, NOTHING<T>);
        if (grad_x) out.find(grad_x + x_map + c0, h.in, w.in, C, top, left, nowhere);
        for (int64_t v = v0; v < v1; ++v) {
          const int64_t c = vectors.first(v), w_at = v * K * K * LANES<T>;
          if (grad_x)
            patch_sums<Meet, T>(in, out, c - c0, packed + w_at, bias ? load(bias + c) : Vec<T>{},
                                false, to_next<T>(v, C));
          if (partial && inside)
            patch_weight<Meet, false, T>(in, own, c - c0, partial + w_at, to_next<T>(v, C));
          else if (partial)
            patch_weight<Meet, true, T>(in, own, c - c0, partial + w_at, to_next<T>(v, C));
        }
      }
    });
  }
}

// --- what threads call -----------------------------------------------------------------------

template <class T>
void depthwise_forward(const Gather* g, int64_t from, int64_t to, const void* x, const void* packed,
                       const void* bias, void* y) {
  with_window_and_step(*g, [&](auto k, auto step) {
    forward_part<T, decltype(k)::value, decltype(step)::value>(
        *g, from, to, static_cast<const T*>(x), static_cast<const T*>(packed),
        static_cast<const T*>(bias), static_cast<T*>(y));
  });
}

template <class T>
void depthwise_backward(const Gather* g, int64_t from, int64_t to, const void* x,
                        const void* grad_y, const void* packed, const void* bias, void* grad_x,
                        void* partial) {
  if (partial) zero_run(static_cast<T*>(partial), depthwise_packed_size<T>(g));
  with_window_and_step(*g, [&](auto k, auto step) {
    backward_part<T, decltype(k)::value, decltype(step)::value>(
        *g, from, to, static_cast<const T*>(x), static_cast<const T*>(grad_y),
        static_cast<const T*>(packed), static_cast<const T*>(bias), static_cast<T*>(grad_x),
        static_cast<T*>(partial));
  });
}

// Adds the parts up, in order.
template <class T>
void depthwise_finish(const Gather* g, int64_t parts, const void* partial, void* grad_weight) {
  for (int64_t v = 0; v < ChannelVectors<T>(*g).count; ++v)
    finish_narrow(*g, parts, v, static_cast<const T*>(partial), static_cast<T*>(grad_weight));
}

}  // namespace TCN_ISA

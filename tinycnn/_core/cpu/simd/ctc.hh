// Connectionist temporal classification, image by image; all positions of a step side by side in
// vectors. Formulas and words as in reference/ctc.py.
//
//   row:  -inf -inf | alpha[t, 0] ... alpha[t, 2 L] | anything      in front: where no path comes
//                                                                   from
//   row:              ahead[0]  ...  ahead[2 L]     | -inf -inf ... behind: where no path goes;
//                                                                   what follows from it is -inf
#pragma once
#include <cmath>

#include "ctc_api.hh"
#include "exp.hh"
#include "rows.hh"

namespace TCN_ISA {

template <class T>
TCN_INLINE Vec<T> log_of_nothing() {
  return broadcast(T(-INFINITY));
}

// log(exp(a) + exp(b) + exp(c)), -inf of three times -inf.
template <class T>
TCN_INLINE Vec<T> log_sum(const Vec<T>& a, const Vec<T>& b, const Vec<T>& c) {
  const Vec<T> zero = broadcast(T(0)), most = vmax(vmax(a, b), c);
  const Vec<T> top = select(most == log_of_nothing<T>(), zero, most);
  const Vec<T> sum = vexp<T>(a - top) + vexp<T>(b - top) + vexp<T>(c - top);
  return select(sum == zero, log_of_nothing<T>(), top + vlog<T>(sum));
}

// What belongs to one image: its symbols' numbers, each array with a vector to spare.
template <class T>
struct CtcImage {
  int64_t steps, labels, width;  // width: 2 L + 1 positions
  const int64_t* label;
  T *row, *other, *step, *skip;
  const T* log_probs;  // of step 0
  int64_t stride;      // numbers from step to step
  int64_t blank;

  CtcImage(const Ctc& s, int64_t n, void* memory)
      : steps(s.input_lengths[n]),
        labels(s.target_lengths[n]),
        width(2 * labels + 1),
        label(s.targets + s.starts[n]),
        log_probs(static_cast<const T*>(s.log_probs) + n * s.classes),
        stride(s.images * s.classes),
        blank(s.blank) {
    const int64_t length = row_length(s);
    T* p = static_cast<T*>(memory);
    row = p, other = p + length, step = p + 2 * length, skip = p + 3 * length;
  }

  static int64_t row_length(const Ctc& s) { return s.positions + 2 + 2 * LANES<T>; }

  // skip[s] = 0 where a path may go between s and the position two before (or behind, if ahead).
  TCN_INLINE void find_skips(bool ahead) {
    for (int64_t s = 0; s < width + LANES<T>; ++s) skip[s] = T(-INFINITY);
    for (int64_t i = 1; i < labels; ++i)
      if (label[i] != label[i - 1]) skip[ahead ? 2 * i - 1 : 2 * i + 1] = 0;
  }

  // step[s] = log_probs of the symbol at s
  TCN_INLINE void read_step(int64_t t) {
    const T* p = log_probs + t * stride;
    const T of_blank = p[blank];
    for (int64_t i = 0; i < labels; ++i) {
      step[2 * i] = of_blank;
      step[2 * i + 1] = p[label[i]];
    }
    step[2 * labels] = of_blank;
    for (int64_t s = width; s < width + LANES<T>; ++s) step[s] = 0;  // -inf stays
  }
};

template <class T>
int64_t ctc_memory(const Ctc* s) {
  return 4 * CtcImage<T>::row_length(*s) * int64_t(sizeof(T));
}

template <class T>
void ctc_forward(const Ctc* s, int64_t n, void* memory, void* log_alpha, void* losses) {
  CtcImage<T> image(*s, n, memory);
  T* alpha = static_cast<T*>(log_alpha) + n * s->steps * s->positions;
  T* loss = static_cast<T*>(losses) + n;
  const T none = T(-INFINITY);
  if (image.steps == 0) {
    *loss = image.labels == 0 ? T(0) : -none;
    return;
  }
  image.find_skips(false);
  for (int64_t i = 0; i < CtcImage<T>::row_length(*s); ++i) image.row[i] = image.other[i] = none;
  image.read_step(0);
  for (int64_t i = 0; i < (image.width < 2 ? image.width : 2); ++i)
    image.row[2 + i] = image.step[i];
  std::memcpy(alpha, image.row + 2, size_t(image.width) * sizeof(T));
  for (int64_t t = 1; t < image.steps; ++t) {
    T *before = image.row, *now = image.other;
    image.read_step(t);
    for (int64_t i = 0; i < image.width; i += LANES<T>) {
      const Vec<T> skipped = load(before + i) + load(image.skip + i);
      const Vec<T> moved = log_sum<T>(load(before + i + 2), load(before + i + 1), skipped);
      store(now + i + 2, moved + load(image.step + i));
    }
    std::memcpy(alpha + t * s->positions, now + 2, size_t(image.width) * sizeof(T));
    std::swap(image.row, image.other);
  }
  const T* end = image.row + 2 + image.width - 1;
  const T a = end[0], b = image.labels ? end[-1] : none;
  const Vec<T> both = log_sum<T>(broadcast(a), broadcast(b), log_of_nothing<T>());
  *loss = -both[0];
}

// gain * exp(log_probs), from which the shares of the symbols are taken.
template <class T>
TCN_INLINE void put_probabilities(const T* log_probs, T gain, T* grad, int64_t C) {
  over_columns<T>(C, [&](int64_t c, int n) {
    const Vec<T> x = n == LANES<T> ? load(log_probs + c) : load_some(log_probs + c, n);
    put<T>(grad + c, broadcast(gain) * vexp<T>(x), n);
  });
}

template <class T>
void ctc_backward(const Ctc* s, int64_t n, void* memory, const void* log_alpha, const void* losses,
                  int zero_infinity, const void* grad_losses, void* grads) {
  CtcImage<T> image(*s, n, memory);
  const T* alpha = static_cast<const T*>(log_alpha) + n * s->steps * s->positions;
  const T loss = static_cast<const T*>(losses)[n], none = T(-INFINITY);
  const T gain = static_cast<const T*>(grad_losses)[n];
  T* grad = static_cast<T*>(grads) + n * s->classes;
  const bool impossible = loss == -none;
  for (int64_t t = impossible ? 0 : image.steps; t < s->steps; ++t)
    for (int64_t c = 0; c < s->classes; ++c)
      grad[t * image.stride + c] = impossible && !zero_infinity && t < image.steps ? T(NAN) : T(0);
  if (impossible) return;
  image.find_skips(true);
  T *ahead = image.row, *share = image.other;
  for (int64_t i = 0; i < CtcImage<T>::row_length(*s); ++i) ahead[i] = none;
  for (int64_t i = image.width < 2 ? 0 : image.width - 2; i < image.width; ++i) ahead[i] = 0;
  for (int64_t t = image.steps - 1; t >= 0; --t) {
    T* g = grad + t * image.stride;
    put_probabilities(image.log_probs + t * image.stride, gain, g, s->classes);
    image.read_step(t);
    const T* a = alpha + t * s->positions;
    over_columns<T>(image.width, [&](int64_t i, int count) {
      const Vec<T> x = count == LANES<T> ? load(a + i) : load_some(a + i, count);
      store(share + i, broadcast(gain) * vexp<T>(x + load(ahead + i) + broadcast(loss)));
    });
    T of_blank = g[image.blank];
    for (int64_t i = 0; i < image.labels; ++i) {
      of_blank -= share[2 * i];
      g[image.label[i]] -= share[2 * i + 1];
    }
    g[image.blank] = of_blank - share[2 * image.labels];
    for (int64_t i = 0; i < image.width; i += LANES<T>)
      store(ahead + i, load(ahead + i) + load(image.step + i));
    for (int64_t i = 0; i < image.width; i += LANES<T>) {
      const Vec<T> skipped = load(ahead + i + 2) + load(image.skip + i);
      store(ahead + i, log_sum<T>(load(ahead + i), load(ahead + i + 1), skipped));
    }
  }
}

}  // namespace TCN_ISA

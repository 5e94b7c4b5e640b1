// Optimiser updates: what a kernel is told. The parameters of a group are laid end to end in
// thought and cut into chunks of one size, so that many small parameters share the threads as
// evenly as one large one, and an element is computed alike for any number of threads.
#pragma once
#include <cstdint>

#include "isa.hh"

enum UpdateRule {
  SGD,
  SGD_MOMENTUM,
  ADAM,
  ADAM_AMSGRAD,
  RMSPROP,
  RMSPROP_MOMENTUM,
  RMSPROP_CENTERED,
  RMSPROP_CENTERED_MOMENTUM,
  ADAGRAD,
  ADADELTA,
  UPDATE_RULES
};

// The same for every parameter of the group. Names as in reference/update.py.
struct UpdateSettings {
  double sign;                  // -1 for maximize, else 1
  double weight_decay, shrink;  // added to the gradient; multiplied with the parameter
  double momentum, gain;        // gain = 1 - dampening
  double decay1,
      decay2;  // Adam: beta1, beta2; RMSprop: -, alpha; Adadelta: -, rho; Adagrad: lr_decay, -
  double eps;
  int nesterov;
};

struct Update;
using UpdateKernel = void (*)(const Update*, const UpdateSettings*, int64_t from, int64_t count);

// One parameter: its arrays, dense and in one layout, and the numbers that depend on its step.
struct Update {
  void* p;
  const void* grad;
  void* state[3];
  int64_t first, size;  // its place in the whole, in numbers
  double rate, scale;   // learning rate; factor of sqrt(v)
  UpdateKernel kernel;
};

struct UpdateKernels {
  UpdateKernel rule[UPDATE_RULES];
};

TCN_TABLE(UpdateKernels, update_kernels)

constexpr int64_t UPDATE_CHUNK = 4096;

// Chunk number `chunk` of the whole, which may end one parameter and begin the next.
inline void update_chunk(const Update* updates, int64_t count, const UpdateSettings* settings,
                         int64_t chunk) {
  const int64_t from = chunk * UPDATE_CHUNK, to = from + UPDATE_CHUNK;
  int64_t low = 0, high = count;  // the last parameter that begins at or before `from`
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (updates[middle].first <= from ? low : high) = middle;
  }
  for (; low < count && updates[low].first < to; ++low) {
    const Update& u = updates[low];
    const int64_t begin = from > u.first ? from - u.first : 0;
    const int64_t end = to < u.first + u.size ? to - u.first : u.size;
    if (begin < end) u.kernel(&u, settings, begin, end - begin);
  }
}

// Convolution as a gather: which input pixels an output pixel adds up, along each axis.
//
// Output o reads, for each tap t, input position  o * step + first + t * delta,  multiplied with
// kernel position  tap0 + t * tap_step,  and is stored at  store0 + o * store_step.
//
//   forward            step = stride, first = -padding, delta = dilation; stored one by one
//   gradient of input  stride s falls into s phases: of every s-th input position, those taps that
//                      meet it. Each phase is a gather of step 1, stored s apart. Nothing is
//                      multiplied with zeros and nothing is scattered.
//
// This file knows sizes only; it is the same for every number type and instruction set.
#pragma once
#include "isa.hh"

struct Axis {
  int64_t in, out;  // sizes of x, and of the outputs in this gather
  int64_t step, first, delta;
  int64_t taps, tap0, tap_step;
  int64_t store0, store_step, store_size;
};

// The algorithm that is preferred; Winograd's is chosen before it comes to a gather.
enum Algorithm { AUTO = 0, IM2COL = 1, DIRECT = 2 };

struct Gather {
  Axis axis[3];  // D, H, W
  int64_t images, groups;
  int64_t c, oc;        // channels of a group: read, written
  int64_t w_group;      // strides of the weights, in numbers: to the next group,
  int64_t w_out, w_in;  // to the next channel written, read,
  int64_t w_tap[3];     // and to the next kernel position along each axis
  bool relu = false;    // a gather stores 0 for negative results
  int algorithm = AUTO;

  TCN_INLINE int64_t pixels() const { return images * axis[0].out * axis[1].out * axis[2].out; }
  TCN_INLINE int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  TCN_INLINE int64_t depth() const { return taps() * c; }
  // From the first weight of a group to the one that tap (d, h, w) multiplies with.
  TCN_INLINE int64_t w_offset(int64_t d, int64_t h, int64_t w) const {
    return (axis[0].tap0 + d * axis[0].tap_step) * w_tap[0] +
           (axis[1].tap0 + h * axis[1].tap_step) * w_tap[1] +
           (axis[2].tap0 + w * axis[2].tap_step) * w_tap[2];
  }
  TCN_INLINE int64_t x_channels() const { return groups * c; }
  TCN_INLINE int64_t y_channels() const { return groups * oc; }
};

// The gather of a forward pass along one axis.
TCN_INLINE Axis forward_axis(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t low,
                             int64_t dilation) {
  return Axis{in, out, stride, -low, dilation, kernel, 0, 1, 0, 1, out};
}

// The gather of phase a (0 <= a < stride) of an input gradient: grad_x at a, a + stride, ... reads
// grad_y at (a + low - r * dilation) / stride for the kernel positions r where that is whole.
// Positions r that meet the phase lie stride / gcd(stride, dilation) apart; they are taken from the
// last to the first, so that grad_y is read forwards.
TCN_INLINE Axis backward_axis(int64_t x_size, int64_t y_size, int64_t kernel, int64_t stride,
                              int64_t low, int64_t dilation, int64_t phase) {
  int64_t taps = 0, r0 = 0, r_last = 0, apart = 0;
  for (int64_t r = 0; r < kernel; ++r)
    if ((phase + low - r * dilation) % stride == 0) {
      if (taps == 0)
        r0 = r;
      else if (taps == 1)
        apart = r - r0;
      r_last = r;
      ++taps;
    }
  int64_t out = phase < x_size ? (x_size - phase + stride - 1) / stride : 0;
  int64_t first = taps ? (phase + low - r_last * dilation) / stride : 0;
  return Axis{y_size, out,   1,      first, apart * dilation / stride, taps, r_last,
              -apart, phase, stride, x_size};
}

// How a weight gradient is cut into tasks: chunks of pixels x blocks of taps, for each group. It
// depends on the sizes only, never on the number of threads, so the order of each sum is fixed.
struct WeightTasks {
  int64_t tiles, tile_pixels;      // tiles of pixels, the most a tile has
  int64_t chunks, chunk_tiles;     // chunks of tiles
  int64_t tap_blocks, block_taps;  // blocks of taps
  int64_t panels;                  // panels of written channels
  int64_t group_tasks;             // groups; 1 if a task serves them all
};

struct ConvKernels {
  const char* (*name)(const Gather*);     // of the algorithm
  int64_t (*packed_size)(const Gather*);  // numbers
  int64_t (*panels)(const Gather*);       // tasks of pack
  void (*pack)(const Gather*, int64_t task, const void* weight, void* packed);
  int64_t (*tasks)(const Gather*);         // of gather
  int64_t (*task_scratch)(const Gather*);  // numbers
  void (*gather)(const Gather*, int64_t task, const void* x, const void* packed, const void* bias,
                 void* y, void* scratch);
  WeightTasks (*weight_tasks)(const Gather*);
  int64_t (*weight_scratch)(const Gather*, const WeightTasks*);  // numbers, for a thread
  int64_t (*weight_partial)(const Gather*, const WeightTasks*);  // numbers, for all
  void (*weight_gather)(const Gather*, const WeightTasks*, int64_t task, const void* x,
                        const void* grad_y, void* partial, void* scratch);
  void (*weight_finish)(const Gather*, const WeightTasks*, int64_t task, const void* partial,
                        void* grad_weight);
  int64_t (*scatters)(const Gather*);  // whether grad_x is better scattered than gathered
  int64_t (*scatter_panels)(const Gather*);
  int64_t (*scatter_packed_size)(const Gather*);  // numbers
  int64_t (*scatter_scratch)(const Gather*);      // numbers, for a thread
  void (*scatter_pack)(const Gather*, int64_t panel, const void* weight, void* packed);
  void (*scatter)(const Gather*, int64_t image, const void* grad_y, const void* packed,
                  void* grad_x, void* scratch);
  void (*sum_rows)(const void* x, int64_t rows, int64_t c, int64_t chunk, void* partial);
  void (*sum_partials)(const void* partial, int64_t partials, int64_t c, void* out);
};

TCN_TABLE(ConvKernels, conv_kernels)

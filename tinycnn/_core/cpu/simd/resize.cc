// The resizing kernels of one instruction set, for float and double.
#include "resize.hh"

namespace TCN_ISA {

#define KERNELS(T) {resize_scratch<T>, resize_row<T>}

extern const ResizeKernels resize_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

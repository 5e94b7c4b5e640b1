// The PReLU kernels of one instruction set, for float and double.
#include "prelu.hh"

namespace TCN_ISA {

#define KERNELS(T) {prelu_tile<T>, prelu_forward<T>, prelu_backward<T>, prelu_merge<T>}

extern const PreluKernels prelu_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

// The connectionist temporal classification of one instruction set, for float and double.
#include "ctc.hh"

namespace TCN_ISA {

#define KERNELS(T) {ctc_memory<T>, ctc_forward<T>, ctc_backward<T>}

extern const CtcKernels ctc_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

// The matrix products of one instruction set, for float and double.
#include "gemm.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                  \
  {                                                                                 \
    packed_size<T>, first_packed<T>, panels<T>, pack<T>, tasks<T>, task_scratch<T>, \
        multiply_task<T>                                                            \
  }

extern const GemmKernels gemm_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

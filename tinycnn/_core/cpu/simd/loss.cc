// The softmax and class loss kernels of one instruction set, for float and double.
#include "loss.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                             \
  {                                                                                            \
    softmax<T>, softmax_backward<T>, log_softmax<T>, log_softmax_backward<T>, check_labels<T>, \
        cross_entropy<T>, cross_entropy_backward<T>, soft_cross_entropy<T>,                    \
        soft_cross_entropy_backward<T>, sum_numbers<T>                                         \
  }

extern const LossKernels loss_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

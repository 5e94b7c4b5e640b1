// The hinge loss kernels of one instruction set, for float and double.
#include "hinge_loss.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                          \
  {                                                                         \
    multi_margin<T>, multi_margin_backward<T>, multilabel_margin<T>,        \
        multilabel_margin_backward<T>, sum_numbers<T>                       \
  }

extern const HingeLossKernels hinge_loss_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

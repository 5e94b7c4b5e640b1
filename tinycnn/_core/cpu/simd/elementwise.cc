// The activation kernels of one instruction set, for float and double.
#include "elementwise.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                      \
  {                                                                                     \
    {                                                                                   \
      relu_forward<T>, relu_backward<T>, leaky_relu_forward<T>, leaky_relu_backward<T>, \
          elu_forward<T>, elu_backward<T>, sigmoid_forward<T>, sigmoid_backward<T>,     \
          tanh_forward<T>, tanh_backward<T>, sum<T>                                     \
    }                                                                                   \
  }

extern const ElementwiseKernels elementwise_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

// The pair loss kernels of one instruction set, for float and double; in the order of PairKind.
#include "pair_loss.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                            \
  {                                                                           \
    {pair_loss<T, Mse<T>>, pair_loss<T, L1Loss<T>>, pair_loss<T, Bce<T>>,     \
     pair_loss<T, BceLogits<T>>},                                             \
        {pair_loss_backward<T, Mse<T>>, pair_loss_backward<T, L1Loss<T>>,     \
         pair_loss_backward<T, Bce<T>>, pair_loss_backward<T, BceLogits<T>>}, \
        sum_numbers<double>                                                   \
  }

extern const PairLossKernels pair_loss_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

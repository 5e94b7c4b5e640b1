// The loss kernels of one instruction set, for float and double.
#include "loss.hh"
#include "loss_pairs.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                             \
  {                                                                                            \
    softmax<T>, softmax_backward<T>, log_softmax<T>, log_softmax_backward<T>, check_labels<T>, \
        cross_entropy<T>, cross_entropy_backward<T>, soft_cross_entropy<T>,                    \
        soft_cross_entropy_backward<T>,                                                        \
        {pair_loss<T, Mse<T>>, pair_loss<T, L1Loss<T>>, pair_loss<T, Bce<T>>,                  \
         pair_loss<T, BceLogits<T>>},                                                          \
        {pair_loss_backward<T, Mse<T>>, pair_loss_backward<T, L1Loss<T>>,                      \
         pair_loss_backward<T, Bce<T>>, pair_loss_backward<T, BceLogits<T>>},                  \
        sum_numbers<T>                                                                         \
  }

extern const LossKernels loss_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

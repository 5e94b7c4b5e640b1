// The pair loss kernels of one instruction set, for float and double; in the order of PairKind.
#include "pair_loss.hh"

namespace TCN_ISA {

#define ALL_KINDS(f, T)                                                                     \
  {f<T, Mse<T>>,   f<T, L1Loss<T>>, f<T, Bce<T>>,   f<T, BceLogits<T>>, f<T, SmoothL1<T>>, \
   f<T, Huber<T>>, f<T, Kl<T>>,     f<T, KlLog<T>>, f<T, Poisson<T>>,   f<T, SoftMargin<T>>, \
   f<T, Embedding<T>>}

#define KERNELS(T) \
  {ALL_KINDS(pair_loss, T), ALL_KINDS(pair_loss_backward, T), sum_numbers<double>}

extern const PairLossKernels pair_loss_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

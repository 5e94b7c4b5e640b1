// The group norm kernels of one instruction set, for float and double.
#include "row_norm.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                            \
  {                                                                                           \
    group_scratch<T>, group_forward<T>, group_backward<T>, group_statistics<T>,               \
        group_merge_statistics<T>, group_apply<T>, group_sums<T>, group_merge_sums<T>,        \
        group_gradient<T>, row_forward<T>, row_backward<T>                                    \
  }

extern const GroupNormKernels group_norm_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

// The pooling kernels of one instruction set, for float and double.
#include "pooling_tiled.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                     \
  {                                                                                    \
    {max_forward<T, NoPlace>, max_forward<T, uint8_t>, max_forward<T, int32_t>},       \
        {nullptr, max_backward<T, uint8_t>, max_backward<T, int32_t>}, avg_forward<T>, \
        avg_backward<T>                                                                \
  }

extern const PoolKernels pool_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

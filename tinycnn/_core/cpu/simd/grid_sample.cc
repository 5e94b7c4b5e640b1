// The kernels of grid_sample for one instruction set, for float and double.
#include "grid_sample.hh"

namespace TCN_ISA {

#define MODES(kernel, T) {kernel<T, 1>, kernel<T, 2>, kernel<T, 4>}
#define KERNELS(T) {MODES(grid_forward, T), MODES(grid_scatter, T), MODES(grid_slopes, T)}

extern const GridKernels grid_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

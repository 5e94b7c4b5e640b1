// The local response kernels of one instruction set, for float and double.
#include "local_response.hh"

namespace TCN_ISA {

#define KERNELS(T) \
  { local_response_scratch<T>, local_response_forward<T>, local_response_backward<T> }

extern const LocalResponseKernels local_response_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

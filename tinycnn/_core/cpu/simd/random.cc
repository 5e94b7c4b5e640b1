// The random number kernels of one instruction set, for float and double.
#include "random.hh"

namespace TCN_ISA {

extern const RandomKernels random_kernels[2] = {{random_uniform<float>, random_dropout<float>},
                                                {random_uniform<double>, random_dropout<double>}};

}  // namespace TCN_ISA

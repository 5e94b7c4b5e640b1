// The update kernels of one instruction set, for float and double.
#include "update.hh"

namespace TCN_ISA {

#define KERNELS(T)                                                                      \
  {                                                                                     \
    {                                                                                   \
      sweep<T, Sgd<T, false>>, sweep<T, Sgd<T, true>>, sweep<T, Adam<T, false>>,        \
          sweep<T, Adam<T, true>>, sweep<T, RmsProp<T, false, false>>,                  \
          sweep<T, RmsProp<T, false, true>>, sweep<T, RmsProp<T, true, false>>,         \
          sweep<T, RmsProp<T, true, true>>, sweep<T, Adagrad<T>>, sweep<T, Adadelta<T>> \
    }                                                                                   \
  }

extern const UpdateKernels update_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

// Winograd's convolution of narrow groups for one instruction set, for float and double.
#include "grouped_winograd_weight.hh"

namespace TCN_ISA {

template <class T>
GroupedWinograd plan(const Gather* g) {
  return grouped_plan<T>(g, GROUPED_BLOCK);
}
template <class T>
GroupedWinograd weight_plan(const Gather* g) {
  return grouped_plan<T>(g, GROUPED_SUMS_BLOCK);
}

#define KERNELS(T) \
  { grouped_fits<T>, plan<T>, weight_plan<T>, grouped_scratch<T>, grouped_tiles<T>, \
  grouped_weight_partial<T>, grouped_weight_scratch<T>, grouped_weight_sum<T>, \
  grouped_weight_finish<T> }

extern const GroupedWinogradKernels grouped_winograd_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

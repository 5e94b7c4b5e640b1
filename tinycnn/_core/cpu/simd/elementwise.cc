// The elementwise kernels of one instruction set, for float and double.
#include "activation.hh"

namespace TCN_ISA {

template <class T, template <class> class F>
constexpr Activation named(const char* name) {
  return {name, forward<T, F<T>>, backward<T, F<T>>, F<T>::FORWARD, F<T>::BACKWARD};
}

template <class T>
static const Activation activations[] = {
    named<T, Elu>("elu"),
    named<T, Gelu>("gelu"),
    named<T, GeluTanh>("gelu_tanh"),
    named<T, Hardshrink>("hardshrink"),
    named<T, Hardsigmoid>("hardsigmoid"),
    named<T, Hardswish>("hardswish"),
    named<T, Hardtanh>("hardtanh"),
    named<T, LeakyRelu>("leaky_relu"),
    named<T, LogSigmoid>("logsigmoid"),
    named<T, Mish>("mish"),
    named<T, Relu>("relu"),
    named<T, ScaledTanh>("scaled_tanh"),
    named<T, Sigmoid>("sigmoid"),
    named<T, Silu>("silu"),
    named<T, Softplus>("softplus"),
    named<T, Softshrink>("softshrink"),
    named<T, Softsign>("softsign"),
    named<T, Tanh>("tanh"),
    named<T, Tanhshrink>("tanhshrink"),
    named<T, Threshold>("threshold"),
};

#define KERNELS(T)                                                                    \
  {activations<T>, int(sizeof activations<T> / sizeof(Activation)), sum<T>, glu_forward<T>, \
   glu_backward<T>}

extern const ElementwiseKernels elementwise_kernels[2] = {KERNELS(float), KERNELS(double)};

}  // namespace TCN_ISA

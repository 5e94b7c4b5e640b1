"""Generalised divisive normalisation layers. See ops/gdn.py."""

from typing import Any

from .._core.checks import float_of, int_of, require
from ..autograd import no_grad
from ..ops.gdn import gdn, nonnegative, stored_form
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty_parameter


class GDN(Module):
    """Divides each channel of a pixel by a learnt measure of how strong all its channels are.

    y[i] = x[i] / sqrt(beta[i] + sum over j of gamma[i, j] * x[j]^2); with inverse, times the root

    What is stored, learnt and saved as `beta` and `gamma` are square roots: the value that the
    formula means is max(stored, bound)^2 - 2^-36, with bound = sqrt(minimum + 2^-36), minimum =
    beta_min for beta and 0 for gamma. So stored = sqrt(value + 2^-36), and a gradient that pushes
    a stored number up passes even below the bound (ops/gdn.py, nonnegative). At first beta is 1
    and gamma is gamma_init on its diagonal, 0 elsewhere.

    Args:    channels (int): C.
             inverse (bool): multiply, which approximately undoes a GDN.
             beta_min (float): least value of beta, above 0 in practice.
             gamma_init (float): first value of gamma's diagonal.
             device, dtype: of the parameters; float32 unless told.
    Shape:   (N, C, *spatial), output as input; beta (C,), gamma (C, C).
    Raises:  ValueError: if channels is below 1, or beta_min or gamma_init below 0.
             TypeError: if channels is no integer, or another one no number.
    Example: >>> import tinycnn
             >>> GDN(1, gamma_init=0.75)(tinycnn.tensor([[2.0]])).tolist()
             [[1.0]]
    Source:  Balle, Laparra & Simoncelli 2016, "Density modeling of images using a generalized
             normalization transformation"; Balle 2018, "Efficient nonlinear transforms for lossy
             image compression" (what is stored).
    """

    def __init__(self, channels: int, inverse: bool = False, beta_min: float = 1e-6,
                 gamma_init: float = 0.1, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        name = type(self).__name__
        self.channels = int_of(name, "channels", channels, "Pass for example 128.")
        require(channels >= 1, name, "channels of at least 1", repr(channels),
                "Pass for example 128.")
        for argument, value in ("beta_min", beta_min), ("gamma_init", gamma_init):
            found = float_of(name, argument, value, "Pass a small number.")
            require(found >= 0, name, f"{argument} of at least 0", repr(value),
                    "Pass a small number.")
        self.inverse = bool(inverse)
        self.beta_min = beta_min
        self.gamma_init = gamma_init
        self.beta = empty_parameter(name, (channels,), device, dtype)
        self.gamma = empty_parameter(name, (channels, channels), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """beta 1, gamma gamma_init on its diagonal."""
        init.ones_(self.beta)
        init.eye_(self.gamma)
        with no_grad():
            self.beta.data[...] = stored_form(self.beta).data
            self.gamma.data[...] = stored_form(self.gamma * self.gamma_init).data

    def forward(self, input: Tensor) -> Tensor:
        beta, gamma = nonnegative(self.beta, self.beta_min), nonnegative(self.gamma)
        return gdn(input, beta, gamma, self.inverse)

    def extra_repr(self) -> str:
        inverse = "" if type(self) is IGDN or not self.inverse else ", inverse=True"
        return (f"{self.channels}{inverse}, beta_min={self.beta_min}, "
                f"gamma_init={self.gamma_init}")


class IGDN(GDN):
    """GDN with inverse=True: what a decoder has where its encoder has a GDN.

    Args:    channels, beta_min, gamma_init, device, dtype: see GDN.
    Shape:   see GDN.
    Example: >>> import tinycnn
             >>> IGDN(1, gamma_init=0.75)(tinycnn.tensor([[2.0]])).tolist()
             [[4.0]]
    Source:  Balle, Laparra & Simoncelli 2017, "End-to-end optimized image compression".
    """

    def __init__(self, channels: int, beta_min: float = 1e-6, gamma_init: float = 0.1,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__(channels, True, beta_min, gamma_init, device, dtype)

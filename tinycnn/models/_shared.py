"""What several networks share: checks of arguments in the same words, first values, LRN of 2012."""

from collections.abc import Iterable
from typing import Any

from .. import nn
from .._core.checks import fail, int_of, require, shape_text
from ..tensor import Tensor


def counts(network: str, **numbers: Any) -> None:
    """Raise unless each of these numbers, of classes or channels, is an int of at least 1.

    Example: >>> counts("Net", num_classes=10, in_channels=3)
    """
    for name, value in numbers.items():
        n = int_of(network, name, value, "Pass for example 3.")
        require(n >= 1, network, f"{name} of at least 1", repr(value), "Pass for example 3.")


def one_of(network: str, name: str, value: Any, choices: Iterable[Any], advice: str) -> None:
    """Raise unless `value` is one of `choices`.

    Example: >>> one_of("Net", "variant", "A", ("A", "B"), "A is the smallest.")
    """
    choices = list(choices)
    if value not in choices:
        fail(network, f"{name} to be one of {', '.join(map(str, choices))}", repr(value), advice)


def image_size(network: str, input: Any, size: tuple[int, ...], advice: str) -> None:
    """Raise unless `input` is a batch of images of this (C, H, W).

    Example: >>> import tinycnn
             >>> image_size("Net", tinycnn.zeros(2, 3, 8, 8), (3, 8, 8), "Resize them.")
    """
    _check_tensor(network, input)
    if tuple(input.shape[1:]) != size:
        fail(network, f"images (N, {shape_text(size)[1:]}", shape_text(input.shape), advice)


def check_images(network: str, input: Any, in_channels: int | None = None, least: int = 1,
                 most: int | None = None, advice: str = "Resize them.") -> None:
    """Raise unless `input` is a batch of images of these channels (of any, if they are None, which
    leaves them to the first layer), no side too short or long.

    Example: >>> import tinycnn
             >>> check_images("Net", tinycnn.zeros(2, 3, 8, 8), 3, 8)
    """
    _check_tensor(network, input)
    if input.ndim != 4:
        advice = "One image alone is a batch of 1: unsqueeze(0)."
    elif in_channels not in (None, input.shape[1]):
        advice = f"Build the network with in_channels={input.shape[1]}."
    elif min(input.shape[2:]) >= least and (most is None or max(input.shape[2:]) <= most):
        return
    sizes = f"at least {least}" if most is None else f"from {least} to {most}"
    fail(network, f"images (N, {in_channels or 'C'}, H, W), H and W {sizes}",
         shape_text(input.shape), advice)


def _check_tensor(network, input):
    if not isinstance(input, Tensor):
        fail(network, "a Tensor", type(input).__name__, "Make one with tinycnn.tensor(...).",
             TypeError)


class FixedSize(nn.Sequential):
    """Layers that follow one another and fit images of one size only.

    Args:    layers (Modules): in order.
             size (triple of int): C, H, W of an image.
             name (str or None): what errors call the network; None means its class.
             advice (str): what to do with other images.
    Raises:  ValueError: when called with others.
    Example: >>> import tinycnn
             >>> net = FixedSize(nn.Flatten(), nn.Linear(4, 3), size=(1, 2, 2))
             >>> net(tinycnn.zeros(5, 1, 2, 2)).shape
             (5, 3)
    """

    def __init__(self, *layers: nn.Module, size: tuple[int, int, int], name: str | None = None,
                 advice: str = "Resize or pad them."):
        super().__init__(*layers)
        self.size, self.name, self.advice = size, name or type(self).__name__, advice

    def forward(self, input: Any) -> Any:
        image_size(self.name, input, self.size, self.advice)
        return super().forward(input)


def initialise(network: nn.Module, conv: Any = None, linear: Any = None) -> None:
    """Fill the weights of all convolutions by `conv`, those of all linear layers by `linear`, and
    set the biases of both to 0.

    Example: >>> net = nn.Linear(2, 2)
             >>> initialise(net, linear=nn.init.ones_)
             >>> net.bias.tolist()
             [0.0, 0.0]
    """
    for module in network.modules():
        draw = {nn.Conv2d: conv, nn.Linear: linear}.get(type(module))
        if draw is not None:
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def he(weight: Any) -> None:
    """He's normal values, which keep the size of the gradient past a ReLU.

    Example: >>> import tinycnn
             >>> he(tinycnn.zeros(4, 3, 3, 3))
    Source:  He et al. 2015, "Delving deep into rectifiers".
    """
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


def small_normal(weight: Any) -> None:
    """Normal values of mean 0 and standard deviation 0.01, as networks of 2012 to 2014 began.

    Example: >>> import tinycnn
             >>> small_normal(tinycnn.zeros(4, 3))
    """
    nn.init.normal_(weight, 0.0, 0.01)


def response_norm() -> nn.Module:
    """Local response normalisation with the constants of AlexNet: k = 2, n = 5, alpha = 1e-4,
    beta = 0.75. PyTorch divides its alpha by n.

    Example: >>> response_norm().size
             5
    Source:  Krizhevsky et al. 2012, section 3.3.
    """
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

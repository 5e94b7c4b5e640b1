"""tinycnn and PyTorch behind one set of words, so that a case is written once for both."""

from math import prod

import numpy as np

import tinycnn
from tinycnn.autograd import Function

from .errors import stop

PERIOD = (1 << 22) + 1  # odd, so that no two planes of a feature map are alike


def import_torch(threads: int):
    """PyTorch with so many threads; the process ends with code 2 if it is not installed."""
    try:
        import torch
    except ImportError:
        stop("PyTorch is not installed: install it (pip install torch), or leave out "
             "--against torch.")
    torch.set_num_threads(threads)
    return torch


def layouts(axes: int) -> tuple[str, ...]:
    """The orders in memory that PyTorch has for feature maps of so many axes."""
    return ("contiguous", "channels last") if axes in (4, 5) else ("contiguous",)


class _Inner(Function):
    """A tensor inside a network: a gradient arrives, and no leaf keeps a copy of it."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, grad):
        return None


class Tinycnn:
    """tinycnn. Feature maps lie as its layers leave them: (N, C, ...) with channels last.

    Args:    device (str): where tensors and models are.
    """

    def __init__(self, device: str = "cpu"):
        self.device = device
        self.nn, self.optim, self.F = tinycnn.nn, tinycnn.optim, tinycnn.nn.functional
        self.no_grad = tinycnn.no_grad

    def feature_map(self, array: np.ndarray, requires_grad: bool = False):
        """(N, C, ...) numbers with channels last, from a multiple of 64 bytes on, as results of
        layers lie; NumPy's arrays begin at one of 16."""
        array = np.moveaxis(array, 1, -1)
        memory = np.empty(array.nbytes + 64, np.uint8)
        start = -memory.ctypes.data % 64
        lying = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        lying[...] = array
        x = tinycnn.from_numpy(np.moveaxis(lying, -1, 1)).to(self.device)
        return x.requires_grad_(requires_grad)

    def inner(self, x):
        """A leaf as if it stood inside a network."""
        return _Inner.apply(x)

    def parameter(self, array: np.ndarray, requires_grad: bool = False):
        return tinycnn.tensor(array).to(self.device).requires_grad_(requires_grad)

    def numbers(self, array: np.ndarray):
        return tinycnn.from_numpy(array).to(self.device)

    def model(self, model):
        return model.to(self.device)

    def batch_norm_relu(self, x, mean, var, weight, bias, residual=None):
        """Batch norm in training, the sum with a residual, ReLU."""
        return self.F.batch_norm_relu(x, mean, var, weight, bias, True, residual=residual)


class Torch:
    """PyTorch in one of its layouts.

    Args:    layout (str): "contiguous" or "channels last".
             device (str): where tensors and models are.
    """

    def __init__(self, layout: str, device: str = "cpu"):
        import torch

        self.torch, self.layout, self.device = torch, layout, device
        self.nn, self.optim, self.F = torch.nn, torch.optim, torch.nn.functional
        self.no_grad = torch.no_grad

    def feature_map(self, array: np.ndarray, requires_grad: bool = False):
        """(N, C, ...) numbers in this layout."""
        return self.parameter(array, requires_grad)

    def inner(self, x):
        """A leaf takes its gradient over without a copy: it may stand for any tensor."""
        return x

    def parameter(self, array: np.ndarray, requires_grad: bool = False):
        x = self.torch.tensor(array).to(self.device)
        x = x.to(memory_format=self._format(array.ndim))
        return x.requires_grad_(requires_grad)

    def numbers(self, array: np.ndarray):
        return self.torch.from_numpy(array.copy()).to(self.device)

    def model(self, model):
        return model.to(self.device).to(memory_format=self._format(4))

    def batch_norm_relu(self, x, mean, var, weight, bias, residual=None):
        """Batch norm in training, the sum with a residual, ReLU: the last two in place."""
        y = self.F.batch_norm(x, mean, var, weight, bias, True)
        return (y if residual is None else y.add_(residual)).relu_()

    def _format(self, axes):
        if self.layout == "contiguous" or axes not in (4, 5):
            return self.torch.contiguous_format
        return self.torch.channels_last if axes == 4 else self.torch.channels_last_3d


def passes(
    library, call, x: np.ndarray, params: list[np.ndarray], grad: np.ndarray | None
) -> dict:
    """The passes of a layer, each a call without arguments.

    forward              y = call(x, *params), nothing recorded
    gradient of input    one backward pass for x alone
    gradient of weight   one backward pass for the parameters alone
    backward             one for both
    forward + backward   recorded, then both: what a layer inside a network costs

    Args:    library: Tinycnn or Torch.
             call (callable): tensors to one tensor.
             x (array): (N, C, ...) input.
             params (list of arrays): the layer's parameters.
             grad (array or None): gradient of the result; None where that is one number, a loss.
    """
    grad = None if grad is None else library.feature_map(grad)

    def tensors(of_input, of_params):
        return [library.feature_map(x, of_input),
                *(library.parameter(p, of_params) for p in params)]

    def forget(leaves):
        for leaf in leaves:
            leaf.grad = None

    def backward(of_input, of_params):
        leaves = tensors(of_input, of_params)
        y = call(library.inner(leaves[0]), *leaves[1:])

        def run():
            forget(leaves)
            y.backward(grad, retain_graph=True)

        return run

    still, leaves = tensors(False, False), tensors(True, True)

    def both():
        forget(leaves)
        call(library.inner(leaves[0]), *leaves[1:]).backward(grad)

    found = {"forward": lambda: call(*still), "forward + backward": both}
    if params:
        found["gradient of weight"] = backward(False, True)
        found["gradient of input"] = backward(True, False)
    found["backward"] = backward(True, True)
    return found


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal float32 numbers; the same again after some four million, for they take their time."""
    drawn = np.random.default_rng(seed).standard_normal(min(prod(shape), PERIOD), dtype=np.float32)
    return np.resize(drawn, shape)

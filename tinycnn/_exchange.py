"""A tensor as other things: Python numbers, NumPy arrays, other dtypes, copies, DLPack capsules."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core import pinned, to_host
from ._core.checks import fail, shape_text
from ._core.dtypes import BY_NAME, float32, float64, int32, int64
from .autograd import Variable, wrap
from .ops._inputs import cast, move

if TYPE_CHECKING:
    from .tensor import Tensor


class Exchange(Variable):
    """What `Tensor` offers to everything that is no tensor."""

    __slots__ = ()
    __array_ufunc__ = None  # array + tensor is a tensor: NumPy leaves the operator to __radd__

    def item(self) -> builtins.float:
        """The Python number in a tensor of one element."""
        if self.data.size != 1:
            fail("item", "a tensor of one element", shape_text(self.data.shape),
                 "Reduce it first, for example with .mean(), or use .tolist().")
        return to_host(self.data).item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a Python number for a tensor without axes."""
        return to_host(self.data).tolist()

    def numpy(self) -> np.ndarray:
        """The array behind a tensor on the CPU; it shares memory."""
        if self.requires_grad:
            fail("numpy", "a tensor that requires no gradient", "one that does",
                 "Use .detach().numpy().", RuntimeError)
        if type(self.data) is not np.ndarray:
            fail("numpy", "a tensor on the CPU", f"one on {self.device!r}",  # type: ignore
                 "Use .cpu().numpy(), which copies it.", TypeError)
        return self.data

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                fail("__array__", f"copy=True or None for dtype {np.dtype(dtype)}", "copy=False",
                     f"A tensor of {array.dtype} cannot be converted without a copy.")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(self, **arguments) -> Any:
        if self.requires_grad:
            fail("__dlpack__", "a tensor that requires no gradient", "one that does",
                 "Use .detach().", BufferError)
        backwards = any(stride < 0 for stride in self.data.strides)  # some readers abort on these
        return (self.data.copy() if backwards else self.data).__dlpack__(**arguments)

    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        return self.data.__dlpack_device__()

    def to(self, *targets, device=None, dtype=None, non_blocking: builtins.bool = False) -> Tensor:
        """On another device, of another dtype, or as another tensor; itself if nothing changes.

        Gradients come back to where the tensor was.

        Args:    targets: a device ("cpu" or "cuda"), a dtype (tinycnn.float64), both, or a Tensor
                 to follow.
                 device, dtype: the same by name.
                 non_blocking (bool): accepted as in PyTorch; copies to a GPU never wait for it.
        Raises:  ValueError: if there is no such device, or it cannot be used here.
                 TypeError: if there is no such dtype.
        Example: >>> import tinycnn
                 >>> tinycnn.tensor([1, 2]).to(tinycnn.float32)
                 tensor([1., 2.])
        """
        for target in targets:
            if isinstance(target, Variable):
                device, dtype = target.device, target.data.dtype  # type: ignore
            elif isinstance(target, str) and target not in BY_NAME:
                device = target
            elif target is not None:
                dtype = target
        moved = self if device is None else move(self, device)
        return moved if dtype is None else cast(moved, dtype)  # type: ignore[return-value]

    def cpu(self) -> Tensor:
        """On the CPU; itself if it is there."""
        return move(self, "cpu")

    def cuda(self) -> Tensor:
        """On the GPU; itself if it is there."""
        return move(self, "cuda")

    def pin_memory(self) -> Tensor:
        """A copy of a tensor on the CPU in page-locked memory, from which a GPU copies faster and
        while the CPU does other things; the tensor itself where there is no GPU."""
        if self.device != "cpu":
            fail("pin_memory", "a tensor on the CPU", f"one on {self.device!r}",
                 "What is on the GPU needs no copy to it: leave pin_memory out.", TypeError)
        return wrap(pinned(self.numpy()))  # type: ignore[return-value]

    def float(self) -> Tensor:
        return cast(self, float32)

    def double(self) -> Tensor:
        return cast(self, float64)

    def int(self) -> Tensor:
        return cast(self, int32)

    def long(self) -> Tensor:
        return cast(self, int64)

    def bool(self) -> Tensor:
        return cast(self, bool)

    def __bool__(self):
        if self.data.size != 1:
            fail("bool", "a tensor of one element", shape_text(self.data.shape),
                 "Use .any() or .all().")
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        if self.data.dtype.kind not in "iu" or self.data.size != 1:
            fail("index", "one integer", f"{self.data.dtype} {shape_text(self.data.shape)}",
                 "Convert it with .to(tinycnn.int64).", TypeError)
        return self.item()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.data.ndim else str(self)

    def __reduce_ex__(self, protocol):
        if self.creator is not None:
            fail("copy", "a leaf", "the result of an operation",
                 "Use .detach() first, or .clone() to stay in the graph.", RuntimeError)
        return super().__reduce_ex__(protocol)

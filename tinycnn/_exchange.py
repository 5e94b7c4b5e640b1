"""A tensor as other things: Python numbers, NumPy arrays, other dtypes, copies, DLPack capsules."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core import to_device
from ._core.checks import fail, shape_text
from ._core.dtypes import BY_NAME, float32, float64, int32, int64
from .autograd import Variable
from .ops._inputs import cast

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
        return self.data.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a Python number for a tensor without axes."""
        return self.data.tolist()

    def numpy(self) -> np.ndarray:
        """The array behind the tensor; it shares memory."""
        if self.requires_grad:
            fail("numpy", "a tensor that requires no gradient", "one that does",
                 "Use .detach().numpy().", RuntimeError)
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

        Args:    targets: a device ("cpu"), a dtype (tinycnn.float64), both, or a Tensor to follow.
                 device, dtype: the same by name.
                 non_blocking (bool): accepted as in PyTorch; without effect on the CPU.
        Raises:  ValueError: if there is no such device.
                 TypeError: if there is no such dtype.
        Example: >>> import tinycnn
                 >>> tinycnn.tensor([1, 2]).to(tinycnn.float32)
                 tensor([1., 2.])
        """
        for target in targets:
            if isinstance(target, Variable):
                dtype = target.data.dtype
            elif isinstance(target, str) and target not in BY_NAME:
                device = target
            elif target is not None:
                dtype = target
        if device is not None:
            to_device(self.data, device)
        return self if dtype is None else cast(self, dtype)  # type: ignore[return-value]

    def cpu(self) -> Tensor:
        return self  # type: ignore[return-value]

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
        return bool(self.data.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        if self.data.dtype.kind not in "iu" or self.data.size != 1:
            fail("index", "one integer", f"{self.data.dtype} {shape_text(self.data.shape)}",
                 "Convert it with .to(tinycnn.int64).", TypeError)
        return self.data.item()

    def __format__(self, spec: str) -> str:
        return format(self.data.item(), spec) if spec and not self.data.ndim else str(self)

    def __reduce_ex__(self, protocol):
        if self.creator is not None:
            fail("copy", "a leaf", "the result of an operation",
                 "Use .detach() first, or .clone() to stay in the graph.", RuntimeError)
        return super().__reduce_ex__(protocol)

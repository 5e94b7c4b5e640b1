"""The GPU: whether there is one, waiting for it, its memory, steps captured into a CUDA graph.

Tensors and modules go there by `.to("cuda")`; everything else is what it is on the CPU. Importing
this imports nothing of CUDA; the first tensor that goes there does.
"""

from __future__ import annotations

from collections.abc import Callable

from ._capture import CapturedStep
from ._core import device_kernels, devices, gpu, gpu_memory
from ._core.gpu import OutOfMemoryError as OutOfMemoryError


def is_available() -> bool:
    """Whether tensors can go to "cuda"; `tinycnn.show_config()` says why not.

    Example: >>> is_available() in (True, False)
             True
    """
    return "cuda" in devices()


def device_count() -> int:
    """How many GPUs can be used: 1 or 0. CUDA_VISIBLE_DEVICES says which.

    Example: >>> device_count() <= 1
             True
    """
    return int(is_available())


def get_device_name() -> str:
    """The GPU in words.

    Raises:  ValueError: if there is none; it says why.
    Example: >>> text = get_device_name() if is_available() else "none"
    """
    device_kernels("cuda")
    return gpu.described()


def synchronize() -> None:
    """Wait until the GPU has done all it was told. Errors that it found meanwhile, such as a label
    out of range, are raised here.

    Raises:  ValueError: if there is no GPU, or of what was found.
    Example: >>> if is_available():
             ...     synchronize()
    """
    gpu_memory().synchronize()


def memory_allocated() -> int:
    """Bytes of GPU memory that arrays hold now.

    Raises:  ValueError: if there is no GPU.
    Example: >>> (memory_allocated() if is_available() else 0) >= 0
             True
    """
    return gpu_memory().memory_used()


def empty_cache() -> None:
    """Give memory that is kept for the next arrays back to the system; nothing without a GPU.

    Example: >>> empty_cache()
    """
    if is_available():
        gpu_memory().release_memory()


def capture(step: Callable) -> Callable:
    """A training step that is recorded once, as a CUDA graph, and then replayed by one call.

    A small network spends its time in Python and in launching kernels, not in computing; a replay
    does neither. For each set of shapes, the first two calls run `step` as it is, the third records
    it, and from then on calls replay. All of them train: the numbers are those of `step` called by
    itself, bit for bit. Learning rates, and with them schedulers, the steps that optimisers count,
    and the seed and place of random numbers are read anew in every replay.

    Args:    step (callable): from Tensors to Tensors (one, or a tuple, list or dict of them, or
                 None). It must do the same in every call: what Python decides in it, such as
                 whether a model trains or evaluates, and numbers other than the above, are as they
                 were when it was recorded; capture one step for each. It must not ask for a number
                 of a Tensor (`item`, `tolist`, `print`, `if tensor`): return the Tensor. Random
                 numbers from the host (`randn`, `nn.init`) are refused: pass them in; dropout is
                 the GPU's own.
    Returns: callable, with the arguments of `step`. Tensors among them are copied to where the
             recorded step reads, from any device; those that come back are overwritten by the next
             call: `clone` them to keep them.
    Raises:  ValueError: if there is no GPU.
             RuntimeError: from a call, if `step` asks for a number while it is recorded, or draws
                 one on the host.
             TypeError: if `step` is no function; from a call, if an argument cannot be compared.
    Example: >>> import tinycnn
             >>> net = tinycnn.nn.Linear(4, 2)
             >>> optimizer = tinycnn.optim.SGD(net.parameters(), lr=0.1)
             >>> def train(images, labels):
             ...     loss = tinycnn.nn.functional.cross_entropy(net(images), labels)
             ...     optimizer.zero_grad()
             ...     loss.backward()
             ...     optimizer.step()
             ...     return loss
             >>> if tinycnn.cuda.is_available():  # net.to("cuda") before the first call
             ...     train = tinycnn.cuda.capture(train)
    Source:  CUDA C++ Programming Guide, "CUDA Graphs".
    """
    device_kernels("cuda")
    return CapturedStep(step)

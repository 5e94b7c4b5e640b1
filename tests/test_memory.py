"""Memory does not grow: a training loop leaves nothing behind, neither arrays nor tapes; and the
memory of large arrays is used again."""

import gc
import sys

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import cpu, memory, reference


def resident():
    """Bytes of memory that this process holds now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


@pytest.fixture
def net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(12 * 25, 10),
    )


def step(net, optimizer, x, target):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), target)
    loss.backward()
    optimizer.step()
    return loss.item()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which Linux has")
def test_memory_does_not_grow_over_2000_steps(net, rng):
    """One array of the step kept in each would be 2000 * 100 KB = 200 MB; 8 MB are tolerated."""
    x = tinycnn.tensor(rng.standard_normal((4, 1, 14, 14)).astype("f4"))
    target = tinycnn.tensor(np.arange(4))
    optimizer = tinycnn.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for _ in range(100):
        first = step(net, optimizer, x, target)
    gc.collect()
    before = resident()
    for _ in range(2000):
        last = step(net, optimizer, x, target)
    gc.collect()
    assert resident() - before < 8e6
    assert last < first


def test_a_step_leaves_no_cycle_for_the_garbage_collector(net, rng):
    """Tensors and tapes are freed as the last name of them goes: memory stays as low as it can."""
    x = tinycnn.tensor(rng.standard_normal((4, 1, 14, 14)).astype("f4"))
    target = tinycnn.tensor(np.arange(4))
    optimizer = tinycnn.optim.SGD(net.parameters(), lr=0.01)
    step(net, optimizer, x, target)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            step(net, optimizer, x, target)
        assert gc.collect() == 0
        for _ in range(10):  # forward passes that nobody differentiates
            net(x)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which Linux has")
def test_sizes_that_change_in_every_step_do_not_add_up(rng):
    weight = tinycnn.tensor(rng.standard_normal((16, 8, 3, 3)).astype("f4"), requires_grad=True)
    sizes = rng.integers([1, 20, 20], [9, 40, 40], (200, 3)).tolist()

    def passes():
        for n, h, w in sizes:
            F.conv2d(tinycnn.zeros(n, 8, h, w), weight, padding=1).sum().backward()
            weight.grad = None

    passes()
    before = resident()
    passes()
    passes()
    assert resident() - before < 16e6


@pytest.fixture
def clean_cache():
    tinycnn.empty_cache()
    yield
    tinycnn.empty_cache()


def test_memory_of_large_results_is_used_again(clean_cache):
    first = memory.empty((300, 300), np.dtype("f4"))
    where = first.ctypes.data
    assert where % 64 == 0
    assert memory.cached_bytes() == 0
    del first
    assert 360_000 <= memory.cached_bytes() <= 360_000 * 9 / 8
    assert memory.empty_like(np.zeros((300, 300), "f4")).ctypes.data == where
    assert memory.empty((299, 301), np.dtype("f4")).ctypes.data == where  # the same size class
    assert memory.empty((600, 300), np.dtype("f4")).ctypes.data != where
    tinycnn.empty_cache()
    assert memory.cached_bytes() == 0


def test_a_recycled_array_can_grow_and_outlive_the_cache(clean_cache):
    x = memory.empty((300, 300), np.dtype("f4"))
    x[...] = 7
    tinycnn.empty_cache()
    x.resize((600, 300), refcheck=False)
    assert (x[:300] == 7).all()
    x.resize((2, 300), refcheck=False)
    assert (x == 7).all()


def test_what_nothing_asks_for_again_is_given_back(clean_cache):
    memory.empty((1000, 1000), np.dtype("f4"))
    assert memory.cached_bytes() >= 4_000_000
    for _ in range(5000):
        memory.empty((300, 300), np.dtype("f4"))
    assert memory.cached_bytes() < 1_000_000


def test_numpys_own_arrays_are_left_alone(clean_cache):
    np.empty((1000, 1000))
    tinycnn.tensor([1.0]) + 1
    np.empty((1000, 1000))
    assert memory.cached_bytes() == 0


def test_more_memory_than_there_is_is_a_memory_error():
    with pytest.raises(MemoryError):
        memory.empty((1 << 40, 1 << 8), np.dtype("f4"))


LAYOUTS = {
    "dense, C": np.zeros((2, 3, 4)),
    "dense, Fortran": np.zeros((2, 3, 4), order="F"),
    "dense, channels last": np.zeros((2, 4, 5, 3)).transpose(0, 3, 1, 2),
    "dense, one image of one channel": np.zeros((1, 4, 5, 1)).transpose(0, 3, 1, 2),
    "dense, no axes": np.zeros(()),
    "dense, empty": np.zeros((4, 0, 3))[::2],
    "dense, one number far from the next": np.zeros((8, 3))[::8, ::3],
    "gaps": np.zeros((4, 3))[::2],
    "gaps between rows": np.zeros((4, 3))[:, :2],
    "backwards": np.zeros(4)[::-1],
    "one number many times": np.broadcast_to(np.zeros(1), (3, 4)),
    "rows many times": np.broadcast_to(np.zeros(4), (3, 4)),
    "overlapping windows": np.lib.stride_tricks.sliding_window_view(np.zeros(5), 3),
}


@pytest.mark.parametrize("kernels", [cpu, reference], ids=lambda k: k.__name__.rpartition(".")[2])
@pytest.mark.parametrize("name", LAYOUTS)
def test_dense_copies_what_does_not_fill_one_block_of_memory(name, kernels):
    x = LAYOUTS[name]
    y = kernels.dense(x)
    assert (y is x) == name.startswith("dense")
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    strides = sorted(step for step, n in zip(y.strides, y.shape) if n > 1)
    assert y.size == 0 or strides == sorted(
        step for step, n in zip(np.empty_like(y).strides, y.shape) if n > 1)


@pytest.mark.parametrize("kernels", [cpu, reference], ids=lambda k: k.__name__.rpartition(".")[2])
def test_same_layout_copies_what_lies_otherwise(kernels, rng):
    x = rng.standard_normal((2, 3, 4, 5))
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert kernels.same_layout(x, x) is x
    assert kernels.same_layout(last, last + 1) is last
    for given, like in (x, last), (last, x), (x[:, :, ::-1], x), (x, last.astype("f4")):
        y = kernels.same_layout(given, like)
        assert y is not given
        assert np.array_equal(y, given)
        assert y.dtype == given.dtype
        assert y.strides == np.empty_like(like, given.dtype).strides

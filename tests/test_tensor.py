"""Tensors: how they are made, what they are to Python and NumPy, changes in place, randomness."""

import copy
import pickle
import threading

import numpy as np
import pytest

import tinycnn as t
from tinycnn import random

SERVED = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


# --- creation


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, "int64", ()),
        (1.5, "float32", ()),
        (True, "bool", ()),
        ([], "float32", (0,)),
        ([[]], "float32", (1, 0)),
        ([1, 2.5], "float32", (2,)),
        ([True, 2], "int64", (2,)),
        (((1, 2), (3, 4)), "int64", (2, 2)),
        (range(3), "int64", (3,)),
        (np.float64(1), "float64", ()),
        (np.int32(1), "int32", ()),
        ([np.float64(1), np.float64(2)], "float64", (2,)),
        ([np.zeros(2, "float32"), np.ones(2, "float32")], "float32", (2, 2)),
        (np.zeros((2, 0), "uint8"), "uint8", (2, 0)),
        (np.zeros(3, ">f4"), "float32", (3,)),
        (np.zeros(3, ">i8"), "int64", (3,)),
        (t.ones(2), "float32", (2,)),
        ([t.ones(()), t.zeros(())], "float32", (2,)),
    ],
)
def test_data_keeps_its_numbers_and_finds_its_dtype(data, dtype, shape):
    x = t.tensor(data)
    assert (x.dtype, x.shape, x.ndim) == (np.dtype(dtype), shape, len(shape))
    assert x.data.dtype.isnative
    np.testing.assert_array_equal(x.data, np.asarray(data, dtype))


@pytest.mark.parametrize("dtype", SERVED)
def test_every_dtype_is_served(dtype):
    array = np.array([[0, 1], [1, 0]], dtype)
    x = t.tensor(array)
    assert x.dtype == array.dtype == getattr(t, dtype)
    assert t.tensor([[0, 1], [1, 0]], dtype=dtype).tolist() == array.tolist()
    assert (x == t.from_numpy(array)).all()


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros((2, 3), "float32")
    assert not np.shares_memory(t.tensor(array).data, array)
    assert not np.shares_memory(t.tensor(t.from_numpy(array)).data, array)
    assert not np.shares_memory(t.tensor(memoryview(array)).data, array)
    shared = t.from_numpy(array)
    array[0, 0] = 5
    assert shared[0, 0].item() == 5


def test_data_of_other_objects_is_copied_and_unaligned_memory_is_not_kept():
    class Holder:
        array = np.ones(2, "float32")

        def __array__(self, dtype=None, copy=None):
            return self.array

    assert not np.shares_memory(t.tensor(Holder()).data, Holder.array)
    unaligned = np.frombuffer(bytearray(9), "uint8")[1:].view("float32")
    assert t.tensor(unaligned).data.flags.aligned


def test_data_of_feature_maps_keeps_its_layout():
    array = np.zeros((2, 4, 5, 3), "float32").transpose(0, 3, 1, 2)
    assert t.tensor(array).data.strides == array.strides
    assert t.tensor(array, dtype=t.float64).data.transpose(0, 2, 3, 1).flags.c_contiguous


def test_creation_functions():
    assert t.zeros(2, 3).tolist() == t.zeros((2, 3)).tolist() == [[0.0] * 3] * 2
    assert t.ones([2], dtype=t.int64).tolist() == [1, 1]
    assert t.zeros(()).shape == t.zeros().shape == ()
    assert t.full((2,), 7).dtype == t.int64
    assert t.full(2, 0.5).tolist() == [0.5, 0.5]
    assert t.full((1,), 2, dtype=t.float64).dtype == t.float64
    assert t.arange(3).tolist() == [0, 1, 2]
    assert t.arange(1, 2, 0.25).tolist() == [1.0, 1.25, 1.5, 1.75]
    assert t.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert t.arange(3.0).dtype == t.float32
    assert t.arange(0).shape == (0,)
    assert t.eye(2, 3).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    x = t.zeros(2, dtype=t.float64)
    assert t.ones_like(x).dtype == t.full_like(x, 3).dtype == t.float64
    assert t.zeros_like(x, dtype=t.int32).dtype == t.int32
    assert t.rand_like(x).dtype == t.randn_like(x).dtype == t.float64
    assert t.zeros(2, requires_grad=True).requires_grad
    assert t.zeros(2, device="cpu").device == "cpu"
    assert t.empty(2, 3).shape == t.empty((2, 3), dtype=t.int64).shape == (2, 3)
    assert t.empty_like(x).dtype == t.float64
    assert t.empty_like(x, dtype=t.int8).dtype == t.int8
    assert t.linspace(1, 2, 5).tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert t.linspace(3, 0, 1).tolist() == [3.0]
    assert t.linspace(0, 1, 0).shape == (0,)
    assert t.linspace(0, 1, 2, dtype=t.float64, requires_grad=True).requires_grad


def test_as_tensor_shares_what_it_can():
    x = t.ones(2, requires_grad=True)
    assert t.as_tensor(x) is t.as_tensor(x, dtype=t.float32, device="cpu") is x
    assert t.as_tensor(x, dtype=t.float64).requires_grad
    array = np.zeros(2, "float32")
    assert t.as_tensor(array).data is array
    assert not np.shares_memory(t.as_tensor(array, t.float64).data, array)
    assert t.as_tensor([1, 2.5]).tolist() == [1.0, 2.5]
    assert (t.is_tensor(x), t.is_tensor(array), t.numel(x)) == (True, False, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: t.Tensor([1.0]), TypeError, r"Tensor: expected to be made by a function"),
        (lambda: t.tensor([[1], [1, 2]]), ValueError, "tensor: expected numbers or equally long"),
        (lambda: t.tensor("a"), TypeError, "tensor: expected numbers of dtype .* got 'a'"),
        (lambda: t.tensor(None), TypeError, "tensor: expected numbers of dtype .* got None"),
        (lambda: t.tensor([None, 1]), TypeError, r"got object \(2,\). Pass numbers"),
        (lambda: t.tensor({}), TypeError, "tensor: expected numbers"),
        (lambda: t.tensor(1j), TypeError, "Pass real and imaginary part as two channels"),
        (lambda: t.tensor(np.zeros(2, "float16")), TypeError, r"got float16 \(2,\). Convert it"),
        (lambda: t.tensor(np.zeros(2, "uint32")), TypeError, r"got uint32 \(2,\). Convert it"),
        (lambda: t.tensor(np.array(["a"])), TypeError, "tensor: expected numbers"),
        (lambda: t.tensor(2**70), TypeError, "tensor: expected numbers"),
        (lambda: t.tensor(1, dtype="float16"), TypeError, "tensor: expected a dtype among float32"),
        (lambda: t.tensor(1, dtype="?!"), TypeError, "tensor: expected a dtype among"),
        (lambda: t.tensor(1, device="tpu"), ValueError, "to: expected device 'cpu'.*, got 'tpu'"),
        (lambda: t.tensor([1], requires_grad=True), TypeError,
         "tensor: expected requires_grad=True for float32 or float64 only, got int64"),
        (lambda: t.zeros(2, dtype=t.bool, requires_grad=True), TypeError, "zeros: expected requi"),
        (lambda: t.from_numpy([1]), TypeError, "from_numpy: expected a numpy.ndarray, got list"),
        (lambda: t.from_numpy(np.zeros(1, "float16")), TypeError, "from_numpy: expected numbers"),
        (lambda: t.from_dlpack(1), TypeError, "from_dlpack: expected an object with __dlpack__"),
        (lambda: t.zeros(-1), ValueError, r"zeros: expected sizes of at least 0, got \(-1,\)"),
        (lambda: t.zeros(1.5), TypeError, "zeros: expected sizes to be integers"),
        (lambda: t.zeros("a"), TypeError, "zeros: expected sizes to be integers"),
        (lambda: t.arange("a"), TypeError, "arange: expected numbers"),
        (lambda: t.arange(0, 1, 0), ValueError, "arange: expected a step that leads from start"),
        (lambda: t.arange(0, 1, -1), ValueError, "arange: expected a step"),
        (lambda: t.as_tensor("a"), TypeError, "as_tensor: expected numbers of dtype"),
        (lambda: t.as_tensor([1.0], device="tpu"), ValueError, "to: expected device 'cpu'"),
        (lambda: t.numel([1]), TypeError, "numel: expected input to be a Tensor, got list"),
        (lambda: t.empty(-1), ValueError, r"empty: expected sizes of at least 0, got \(-1,\)"),
        (lambda: t.empty_like([1]), TypeError, "empty_like: expected input to be a Tensor, got"),
        (lambda: t.linspace(0, "a", 3), TypeError, "linspace: expected numbers, got 'a'"),
        (lambda: t.linspace(0, 1, -1), ValueError, "linspace: expected sizes of at least 0"),
        (lambda: t.zeros_like([1]), TypeError, "full_like: expected input to be a Tensor, got li"),
        (lambda: t.randn(2, dtype=t.int64), TypeError, "randn: expected dtype float32 or float64"),
        (lambda: t.rand_like(t.arange(2)), TypeError, "rand_like: expected input to be of dtype"),
        (lambda: t.randint(2, 2, (1,)), ValueError, "randint: expected low below high"),
        (lambda: t.randint(5), TypeError, "randint: expected a shape, got none"),
        (lambda: t.randperm(-1), ValueError, "randperm: expected sizes of at least 0"),
        (lambda: t.manual_seed("a"), TypeError, "manual_seed: expected an integer"),
        (lambda: t.manual_seed(2**64), ValueError, "manual_seed: expected a seed from"),
        (lambda: t.ones(2).item(), ValueError, r"item: expected a tensor of one element, got \(2"),
        (lambda: float(t.ones(2)), ValueError, "item: expected a tensor of one element"),
        (lambda: int(t.ones(0)), ValueError, "item: expected a tensor of one element"),
        (lambda: bool(t.ones(2)), ValueError, r"bool: expected .*got \(2,\). Use .any\(\) or .all"),
        (lambda: bool(t.ones(0)), ValueError, "bool: expected a tensor of one element"),
        (lambda: len(t.ones(())), TypeError, r"len: expected a tensor with at least one axis"),
        (lambda: iter(t.ones(())), TypeError, "len: expected a tensor with at least one axis"),
        (lambda: range(t.tensor(1.0)), TypeError, "index: expected one integer, got float32"),
        (lambda: t.ones(1, requires_grad=True).numpy(), RuntimeError,
         r"numpy: expected a tensor that requires no gradient.*detach\(\).numpy\(\)"),
        (lambda: np.asarray(t.ones(1, requires_grad=True)), RuntimeError, "numpy: expected a"),
        (lambda: t.ones(1, requires_grad=True).__dlpack__(), BufferError, "__dlpack__: expected"),
        (lambda: t.ones(1).__array__("int64", copy=False), ValueError, "cannot be converted"),
        (lambda: t.ones(1).to("cuda:7"), ValueError, "to: expected device 'cpu'.*, got 'cuda:7'"),
        (lambda: t.ones(1).to(t.ones), TypeError, "to: expected a dtype among"),
        (lambda: copy.deepcopy(t.ones(1, requires_grad=True) * 2), RuntimeError,
         "copy: expected a leaf, got the result of an operation"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- what a tensor is to Python


def test_python_numbers():
    assert t.tensor(2.5).item() == float(t.tensor([[2.5]])) == 2.5
    assert int(t.tensor(2.9)) == 2
    assert "abc"[t.tensor(1)] == "b"
    assert list(range(t.tensor(3))) == [0, 1, 2]
    assert t.tensor(True)
    assert not t.tensor([0.0])
    assert f"{t.tensor(0.12345):.2f}" == "0.12"
    assert f"{t.tensor([1.0])}" == "tensor([1.])"
    assert t.tensor([[1, 2]]).tolist() == [[1, 2]]


def test_length_iteration_membership():
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert len(x) == 2
    rows = list(x)
    assert [r.tolist() for r in rows] == [[1.0, 2.0], [3.0, 4.0]]
    (rows[0] * rows[1]).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert 3 in x
    assert 5 not in x
    assert sum(t.ones(3)).item() == 3


def test_sizes():
    x = t.zeros(2, 0, 3)
    assert (x.shape, x.size(), x.size(-1)) == ((2, 0, 3), (2, 0, 3), 3)
    assert (x.dim(), x.ndim, x.numel()) == (3, 3, 0)


def test_equality_is_by_element_and_hash_by_identity():
    x = t.tensor([1.0, 2.0])
    assert (x == x).all()
    assert (x == None) is False  # noqa: E711  what PyTorch answers
    assert x != "a"
    assert len({x, x, t.tensor([1.0, 2.0])}) == 2


def test_history_is_printed():
    x = t.tensor([1.5], requires_grad=True)
    assert repr(x) == "tensor([1.5000], requires_grad=True)"
    assert repr(x * 2) == "tensor([3.], grad_fn=<Mul>)"
    assert repr(t.zeros(2, dtype=t.float64)) == "tensor([0., 0.], dtype=float64)"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_leaves_are_copied_whole(duplicate):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    y = duplicate(x)
    assert type(y) is t.Tensor
    assert y.tolist() == [1.0, 2.0]
    assert y.grad.tolist() == [2.0, 4.0]
    assert y.requires_grad
    assert not np.shares_memory(x.data, y.data)
    (y * 2).sum().backward()
    assert y.grad.tolist() == [4.0, 6.0]


def test_weak_references_and_no_other_attributes():
    import weakref

    x = t.ones(1)
    assert weakref.ref(x)() is x
    with pytest.raises(AttributeError):
        x.colour = 1


# --- what a tensor is to NumPy


def test_arrays_of_tensors():
    x = t.tensor([1.0, 2.0])
    assert np.asarray(x) is x.data
    assert x.numpy() is x.data
    assert np.asarray(x, "float64").dtype == np.float64
    assert np.array(x) is not x.data
    assert x.__array__(copy=True) is not x.data
    assert x.__array__(np.dtype("float32")) is x.data
    np.testing.assert_array_equal(np.stack([x, x]), [[1, 2], [1, 2]])


def test_an_array_and_a_tensor_make_a_tensor():
    array, x = np.array([1.0, 2.0], "float32"), t.tensor([3.0, 4.0], requires_grad=True)
    for y in (array + x, x + array, array * x, array / x, array**x, x @ array, array @ x,
              array - x, array // x, array % x, np.float32(2) * x, np.float64(2) + x):
        assert type(y) is t.Tensor
    assert (array < x).tolist() == [True, True]
    assert (array == x).tolist() == [False, False]
    (array * x).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_dlpack_shares_memory():
    x = t.tensor([1.0, 2.0])
    array = np.from_dlpack(x)
    assert np.shares_memory(array, x.data)
    assert x.__dlpack_device__()[0] == 1
    y = t.from_dlpack(x)
    assert np.shares_memory(y.data, x.data)


# --- to


def test_to_another_dtype():
    x = t.tensor([1.7, 0.0], requires_grad=True)
    for target in (t.float64, "float64", np.float64, np.dtype("float64"), float):
        assert x.to(target).dtype == np.float64
    assert x.to(t.ones(1, dtype=t.float64)).dtype == np.float64
    assert x.to("cpu", t.float64).dtype == x.to(dtype=t.float64, device="cpu").dtype == np.float64
    assert x.to("cpu") is x.to(t.float32) is x.cpu() is x.to("cpu", non_blocking=True) is x
    assert x.to(t.int64).tolist() == x.long().tolist() == x.int().tolist() == [1, 0]
    assert x.bool().tolist() == [True, False]
    assert x.double().float().requires_grad
    assert not x.int().requires_grad
    x.double().sum().backward()
    assert x.grad.dtype == t.float32


# --- changes in place


def test_elements_are_set():
    x = t.zeros(3, 3)
    x[0] = 1
    x[1, :2] = t.tensor([2.0, 3.0])
    x[t.tensor([2]), 0] = 4.0
    x[x > 2] = 9
    x[2, 1:] = np.array([5, 6])
    assert x.tolist() == [[1.0, 1.0, 1.0], [2.0, 9.0, 0.0], [9.0, 5.0, 6.0]]


def test_operators_in_place_keep_memory_and_dtype():
    x = t.ones(3)
    data = x.data
    x += t.ones(3, dtype=t.float64)
    x *= 2
    x -= 1
    x /= 2
    assert x.data is data
    assert x.tolist() == [1.5] * 3
    assert x.copy_(t.tensor(4.0)).fill_(3).tolist() == [3.0] * 3
    assert x.zero_().data is data
    assert not data.any()


def test_methods_in_place_are_their_operations():
    x = t.tensor([1.0, -2.0, 3.0])
    data = x.data
    assert x.add_(1) is x.sub_(t.ones(3)) is x.mul_(t.tensor(2)) is x.div_(4.0) is x
    assert x.tolist() == [0.5, -1.0, 1.5]
    assert x.add_(t.ones(3), alpha=2).sub_(1, alpha=0.5).tolist() == [2.0, 0.5, 3.0]
    assert x.clamp_(1, 2.5).tolist() == [2.0, 1.0, 2.5]
    assert x.clamp_(max=2).data is data
    assert t.arange(3).mul_(2).tolist() == [0, 2, 4]
    w = t.ones(3, requires_grad=True)
    with t.no_grad():
        w.add_(x, alpha=-0.5)
    assert w.tolist() == [0.0, 0.5, 0.0]
    assert w.requires_grad


def test_parameters_are_updated_in_place_without_recording():
    w = t.ones(2, requires_grad=True)
    data = w.data
    (w * 3).sum().backward()
    with t.no_grad():
        w -= 0.5 * w.grad
        w[0] = 7
    assert w.requires_grad
    assert w.data is data
    assert w.tolist() == [7.0, -0.5]


def test_operators_in_place_on_results_are_recorded():
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y += x
    y *= y
    total = t.zeros(2)
    total += y
    total.sum().backward()
    assert x.grad.tolist() == [18.0, 18.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, w: x.__setitem__(0, w[0]), RuntimeError,
         r"x\[...\] = value: expected tensors that require no gradient.*no_grad"),
        (lambda x, w: w.__setitem__(0, 1), RuntimeError, r"x\[...\] = value: expected tensors"),
        (lambda x, w: (w * 2).zero_(), RuntimeError, "copy_: expected tensors that require no"),
        (lambda x, w: w.__iadd__(1), RuntimeError, r"\+=: expected a tensor that requires no grad"),
        (lambda x, w: w.add_(1), RuntimeError, "add_: expected tensors that require no gradient"),
        (lambda x, w: x.mul_(w), RuntimeError, "mul_: expected tensors that require no gradient"),
        (lambda x, w: w.clamp_(0), RuntimeError, "clamp_: expected tensors that require no"),
        (lambda x, w: w.normal_(), RuntimeError, "normal_: expected tensors that require no"),
        (lambda x, w: w.uniform_(), RuntimeError, "uniform_: expected tensors that require no"),
        (lambda x, w: t.arange(3).normal_(), TypeError, "normal_: expected self to be of dtype fl"),
        (lambda x, w: t.arange(3).uniform_(), TypeError, "uniform_: expected self to be of dtype"),
        (lambda x, w: x.sub_(t.ones(2, 3)), ValueError, r"sub_: expected a result \(3,\)"),
        (lambda x, w: t.arange(3).div_(2), TypeError, "div_: expected a result of dtype int64"),
        (lambda x, w: w.__imul__(w), RuntimeError, r"\*=: expected a tensor that requires no grad"),
        (lambda x, w: x.__setitem__(5, 1), IndexError, r"x\[...\] = value: expected indices and"),
        (lambda x, w: x.__setitem__(slice(2), t.ones(3)), ValueError, "a value that fit"),
        (lambda x, w: x.__setitem__(0.5, 1), TypeError, "index: expected an integer"),
        (lambda x, w: x.__setitem__(0, "a"), TypeError, "as_tensor: expected numbers"),
        (lambda x, w: x.__iadd__(t.ones(2, 3)), ValueError, r"\+=: expected a result \(3,\)"),
        (lambda x, w: t.arange(3).__itruediv__(2), TypeError, "/=: expected a result of dtype int"),
        (lambda x, w: x.copy_(t.ones(4)), ValueError, "copy_: expected shapes that broadcast"),
        (lambda x, w: t.ones(1).expand(3).__setitem__(0, 1), ValueError, "read-only"),
        (lambda x, w: t.ones(1).expand(3).add_(1), ValueError, "add_: expected memory that may be"),
    ],
)
def test_messages_in_place(call, error, message):
    with pytest.raises(error, match=message):
        call(t.ones(3), t.ones(3, requires_grad=True))


# --- random numbers


def test_a_seed_repeats_all_numbers():
    def numbers():
        return [t.rand(3), t.randn(2, 2), t.randint(0, 9, (4,)), t.randperm(5), t.randn(()),
                t.tensor(random.next_offset(5)[1]), t.rand(2, dtype=t.float64)]

    t.manual_seed(3)
    first = numbers()
    t.manual_seed(3)
    second = numbers()
    t.manual_seed(4)
    third = numbers()
    assert all((a == b).all() for a, b in zip(first, second))
    assert not (first[0] == third[0]).all()


def test_random_numbers_have_their_distribution():
    x = t.randn(100_000)
    assert abs(x.mean().item()) < 0.02
    assert abs(x.std().item() - 1) < 0.02
    u = t.rand(100_000)
    assert 0 <= u.min().item() < u.max().item() < 1
    assert abs(u.mean().item() - 0.5) < 0.01
    k = t.randint(3, 6, (1000,))
    assert sorted(set(k.tolist())) == [3, 4, 5]
    assert sorted(t.randperm(50).tolist()) == list(range(50))
    x.uniform_(2, 4)
    assert 2 <= x.min().item() < x.max().item() < 4
    assert abs(x.mean().item() - 3) < 0.02
    x.normal_(-1, 0.5)
    assert abs(x.mean().item() + 1) < 0.02
    assert abs(x.std().item() - 0.5) < 0.02
    assert t.zeros((), dtype=t.float64).normal_().uniform_().dtype == t.float64
    assert t.randint(5, (2, 3)).shape == t.randint(0, 5, size=(2, 3)).shape == (2, 3)


def test_offsets_are_multiples_of_4_and_never_handed_out_twice():
    t.manual_seed(-1)
    assert random.next_offset(0) == (2**64 - 1, 0)
    assert random.next_offset(1) == (2**64 - 1, 0)
    assert random.next_offset(8)[1] == 4
    assert random.next_offset(1)[1] == 12
    taken = []

    def take():
        taken.extend([random.next_offset(3)[1] for _ in range(500)])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(16, 16 + 4 * 4000, 4))


def test_a_fresh_process_starts_from_seed_0(run_python):
    code = "import tinycnn as t; print(t.randn(2).tolist(), t.random.next_offset(1))"
    run = run_python(code)
    t.manual_seed(0)
    assert run.stdout.strip() == f"{t.randn(2).tolist()} {random.next_offset(1)}"


# --- the package


def test_import_loads_nothing_heavy(run_python):
    code = (
        "import sys, numpy; before = set(sys.modules); import tinycnn;"
        "heavy = {'numba', 'torch', 'matplotlib', 'PIL', 'scipy', 'tqdm', 'numpy.random',"
        "'urllib.request'}; print(sorted(heavy & (set(sys.modules) - before)))"
    )
    assert run_python(code).stdout.strip() == "[]"


def test_public_names_exist():
    assert all(hasattr(t, name) for name in t.__all__)
    assert len(t.__all__) == len(set(t.__all__))
    assert all(hasattr(t.ops, name) for name in t.ops.__all__)


def test_methods_and_functions_are_the_same_operations():
    x = t.tensor([[1.0, -2.0, 3.0]])
    for name in ("relu", "sigmoid", "tanh", "exp", "abs", "sum", "sign", "isnan", "clone", "neg"):
        assert (getattr(x, name)() == getattr(t, name)(x)).all()
    for name in ("softmax", "log_softmax", "logsumexp", "argmax", "amax", "mean", "prod"):
        assert (getattr(x, name)(dim=1) == getattr(t, name)(x, dim=1)).all()
    for name in ("square", "reciprocal", "log1p", "sin", "cos", "norm", "argsort", "t", "sort"):
        ours, same = getattr(x, name)(), getattr(t, name)(x)
        assert ours[-1].equal(same[-1]) if name == "sort" else (ours == same)[~ours.isnan()].all()
    assert x.view(3).shape == x.reshape((3,)).shape == t.reshape(x, 3).shape == (3,)
    assert x.view_as(t.ones(3, 1)).shape == x.reshape_as(t.ones(3, 1)).shape == (3, 1)
    assert x.expand_as(t.ones(2, 3)).shape == (2, 3)
    assert x.contiguous() is x
    assert (x.permute(1, 0) == x.T).all()
    assert (x.transpose(0, 1) == t.transpose(x, 0, 1)).all()


# --- numbers and memory that do not fit


@pytest.mark.parametrize(
    "make",
    [
        lambda: t.tensor([300], dtype=t.uint8),
        lambda: t.tensor([-1], dtype=t.uint8),
        lambda: t.tensor([float("nan")], dtype=t.int64),
        lambda: t.tensor([float("inf")], dtype=t.int32),
        lambda: t.full((2,), 300, dtype=t.uint8),
        lambda: t.full((2,), float("nan"), dtype=t.int64),
        lambda: t.zeros(3, dtype=t.uint8).fill_(300),
        lambda: t.randint(300, 400, (2,), dtype=t.uint8),
    ],
)
def test_numbers_that_an_integer_dtype_cannot_hold_are_refused(make):
    with pytest.raises(ValueError, match=r"expected (numbers from|a number that fits)"):
        make()


def test_the_ends_of_an_integer_dtype_and_fractions_fit():
    assert t.tensor([0, 255.9], dtype=t.uint8).tolist() == [0, 255]
    assert t.tensor([-128, 127], dtype=t.int8).tolist() == [-128, 127]
    assert t.full((1,), 2**63 - 1, dtype=t.int64).tolist() == [2**63 - 1]


def test_full_takes_one_number():
    with pytest.raises(ValueError, match=r"full: expected one number to fill with, got \(3,\)"):
        t.full((2,), [1, 2, 3])


def test_dlpack_exports_no_negative_strides():
    flipped = t.arange(5).flip(0)
    assert np.from_dlpack(flipped).tolist() == [4, 3, 2, 1, 0]
    assert min(np.from_dlpack(flipped).strides) > 0


def test_size_of_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match=r"size: expected dim between -2 and 1"):
        t.zeros(2, 3).size(5)

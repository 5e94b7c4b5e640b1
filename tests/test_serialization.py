"""Checkpoints: what is saved comes back, a failure leaves the old file, damage is named."""

import json
import math
import os
import pickle
import stat
from collections import OrderedDict

import numpy
import pytest
from safetensors.numpy import load_file, save_file

import tinycnn
from tinycnn import nn, serialization
from tinycnn.serialization import load, save

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def same(a, b):
    """Equal in structure, types and order; tensors bit for bit."""
    if isinstance(b, tinycnn.Tensor):
        a = a.data if isinstance(a, tinycnn.Tensor) else a
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.data.tobytes()
    if isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(b, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


def test_a_network_comes_back_through_its_state_dict(path):
    net, twin = Net(), Net()
    x = tinycnn.ones(2, 1, 4, 4)
    net(x)
    save(net, path)
    state = load(str(path))
    assert list(state) == list(net.state_dict())
    assert state["1.num_batches_tracked"].shape == ()
    assert state["1.num_batches_tracked"].dtype == tinycnn.int64
    twin.load_state_dict(state)
    assert (net.eval()(x) == twin.eval()(x)).all()
    save(net.state_dict(), path)
    assert same(net.state_dict(), load(path))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_every_dtype_and_shape_is_kept(path, dtype, shape):
    array = (numpy.arange(math.prod(shape)) - 1).reshape(shape).astype(dtype)
    save({"x": array}, path)
    assert same({"x": array}, load(path))


@pytest.mark.parametrize("array", [
    numpy.arange(12.0).reshape(3, 4).T, numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4)),
    numpy.arange(12.0)[::-2], numpy.broadcast_to(numpy.float32(3), (2, 2)),
    numpy.arange(3, dtype=">f4"), numpy.array([math.nan, math.inf, -0.0]),
], ids=["transposed", "fortran", "strided", "broadcast", "big-endian", "special"])
def test_every_memory_layout_is_kept_as_numbers(path, array):
    save({"x": array}, path)
    got = load(path)["x"].data
    assert numpy.array_equal(got, array, equal_nan=True)
    assert got.dtype == array.dtype.newbyteorder("=")
    assert got.flags.writeable
    assert got.flags.owndata


def test_nested_structures_come_back_as_they_were(path):
    t = tinycnn.tensor([1.0, 2.0])
    state = {
        "model": OrderedDict(weight=t, bias=numpy.zeros(2, "float32")),
        "optimizer": {"state": {0: {"step": 3, "momentum_buffer": t}, 1: {}},
                      "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0, 1],
                                        "foreach": None, "nesterov": False}]},
        "epoch": 7, "rates": [0.1, math.inf, math.nan], "note": "ü/\n", "": [], "none": (),
        "big": 2**70, "slash/slash": t,
    }
    save(state, path)
    assert same(state, load(path))
    save([t, {"a": (t,)}], path)
    assert same([t, {"a": (t,)}], load(path))
    save(t, path)
    assert same(t, load(path))
    save(3, path)
    assert load(path) == 3
    save({"x": numpy.float32(0.5), "n": numpy.int64(3), "b": numpy.bool_(True)}, path)
    assert same({"x": 0.5, "n": 3, "b": True}, load(path))


def test_arguments_of_pytorch_are_accepted(path):
    save({"x": numpy.ones(2)}, path)
    for arguments in [{"map_location": "cpu"}, {"map_location": None, "weights_only": False}]:
        assert load(path, **arguments)["x"].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"to: expected device 'cpu'.*, got 'cuda:7'"):
        load(path, map_location="cuda:7")


def test_modules_and_optimisers_may_stand_inside(path):
    class Optimiser:
        def state_dict(self):
            return {"lr": 0.1}

    net = Net()
    save({"model": net, "optimizer": Optimiser()}, path)
    assert same({"model": net.state_dict(), "optimizer": {"lr": 0.1}}, load(path))


def test_the_file_is_plain_safetensors_with_documented_names(path):
    save({"model": {"conv.weight": tinycnn.ones(2)}, "list": [tinycnn.zeros(1)]}, path)
    assert {k: v.tolist() for k, v in load_file(path).items()} == {
        "model/conv.weight": [1.0, 1.0], "list/0": [0.0]}
    header = json.loads(path.read_bytes()[8:][:int.from_bytes(path.read_bytes()[:8], "little")])
    assert json.loads(header["__metadata__"]["tinycnn"]) == {"dict": [
        ["model", {"dict": [["conv.weight", {"tensor": "model/conv.weight"}]]}],
        ["list", {"list": [{"tensor": "list/0"}]}]]}


def test_other_safetensors_files_come_as_a_dict(path):
    save_file({"b": numpy.ones(2), "a": numpy.zeros((), "int64")}, path, {"format": "pt"})
    assert same({"a": numpy.zeros((), "int64"), "b": numpy.ones(2)}, load(path))


def test_what_was_loaded_does_not_depend_on_the_file_any_more(path):
    save({"x": numpy.ones(1000)}, path)
    state = load(path)
    path.write_bytes(b"")
    assert state["x"].data.sum() == 1000


# --- a failure leaves the old file


class Failure(Exception):
    pass


def failing(*_args, **_keywords):
    raise Failure


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_in_the_middle_keeps_the_old_file_and_leaves_nothing(path, monkeypatch, step):
    save({"x": numpy.ones(2)}, path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(serialization.os, step, failing)
        with pytest.raises(Failure):
            save({"x": numpy.zeros(1000)}, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_full_disk_keeps_the_old_file_and_leaves_nothing(path):
    resource = pytest.importorskip("resource", reason="limits of a process need POSIX")
    signal = pytest.importorskip("signal")
    save({"x": numpy.ones(2)}, path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        with pytest.raises(OSError):
            save({"x": numpy.zeros(100_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_something_that_cannot_be_saved_leaves_the_old_file(path):
    save({"x": numpy.ones(2)}, path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match="got set at 'b/c'"):
        save({"a": numpy.zeros(3), "b": {"c": {1}}}, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_the_data_reaches_the_disk_before_the_name_changes(path, monkeypatch):
    events = []
    sync, replace = os.fsync, os.replace

    def recorded_sync(number):
        events.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        sync(number)

    def recorded_replace(source, target):
        events.append("rename")
        assert os.path.dirname(source) == os.path.dirname(target)
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    save({"x": numpy.ones(2)}, path)
    assert events[:2] == ["file", "rename"]
    assert events[2:] == (["folder"] if hasattr(os, "O_DIRECTORY") else [])


@pytest.mark.skipif(os.name != "posix", reason="permissions and symbolic links of POSIX")
def test_a_link_stays_a_link_and_permissions_are_the_usual_ones(path, tmp_path):
    link = tmp_path / "latest.safetensors"
    save({"x": numpy.ones(2)}, path)
    link.symlink_to(path.name)
    save({"x": numpy.zeros(2)}, link)
    assert link.is_symlink()
    assert load(path)["x"].tolist() == [0.0, 0.0]
    plain = tmp_path / "plain"
    plain.write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


# --- messages


@pytest.mark.parametrize(("error", "message", "state"), [
    (TypeError, "save: expected tensors, arrays, .*, got set at 'a/0'", {"a": [{1}]}),
    (TypeError, "got function at ''", failing),
    (TypeError, "got bytes at 'x'", {"x": b"1"}),
    (TypeError, "got complex at 'x'", {"x": numpy.complex64(1)}),
    (TypeError, "expected keys that are str or int in 'a', got 1.5", {"a": {1.5: 1}}),
    (TypeError, "keys that are str or int in '', got True", {True: 1}),
    (TypeError, "that tensors have.* got complex128 at 'x'", {"x": numpy.zeros(1, complex)}),
    (TypeError, "that tensors have.* got object at 'x'", {"x": numpy.array([None])}),
    (TypeError, "that tensors have.* got <U1 at 'x'", {"x": numpy.array(["a"])}),
    (ValueError, "expected names that differ, got 'a/b' twice",
     {"a": {"b": numpy.ones(1)}, "a/b": numpy.ones(1)}),
    (ValueError, "got '1' twice", {1: numpy.ones(1), "1": numpy.ones(1)}),
    (ValueError, "got '__metadata__', which the file format uses itself",
     {"__metadata__": numpy.ones(1)}),
])
def test_what_cannot_be_saved_is_named_with_its_place(path, error, message, state):
    with pytest.raises(error, match=message):
        save(state, path)
    assert not path.exists()


def test_a_list_that_contains_itself_is_refused(path):
    state = []
    state.append(state)
    with pytest.raises(ValueError, match="got one that is nested too deeply"):
        save(state, path)


def test_places_that_are_no_files_are_named(path, tmp_path):
    for function in load, lambda p: save(1, p):
        with pytest.raises(ValueError, match=r"expected the path of a file, got '.*', a folder"):
            function(tmp_path)
        with pytest.raises(ValueError, match="expected the path of a file, got ''"):
            function("")
        with pytest.raises(TypeError, match=r"expected a path \(str or os.PathLike\), got int"):
            function(1)
    with pytest.raises(FileNotFoundError, match=r"load: expected a file, got '.*net.safetensors'"):
        load(path)
    with pytest.raises(FileNotFoundError, match=r"save: expected a folder '.*missing' to write"):
        save(1, tmp_path / "missing" / "net.safetensors")


class Evil:
    def __reduce__(self):
        return (os.abort, ())


def test_damage_is_named_and_nothing_is_unpickled(path):
    save(Net(), path)
    whole = path.read_bytes()
    damaged = [whole[:n] for n in (0, 5, 8, 60, len(whole) // 2, len(whole) - 1)]
    damaged += [pickle.dumps(Evil()), b"PK\x03\x04" + bytes(1000), whole + b"\0",
                b"\xff" * 8 + whole[8:], whole[:8] + b"\0" * 40 + whole[48:]]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"load: expected a complete safetensors file, got "
                           r"'.*net.safetensors' \(.*\)\. Save or copy it again"):
            load(path)


@pytest.mark.parametrize("structure", [
    "{", "[1]", '{"tensor": "y"}', '{"set": []}', '{"dict": [1]}', '{"dict": 1}', "{}",
    '{"list": null}', '{"dict": [[[], 1]]}', '{"tensor": []}', '{"list":[' * 100_000, "3",
    '{"a": 1, "b": 2}',
])
def test_a_structure_that_another_program_broke_is_named(path, structure):
    save_file({"x": numpy.ones(1)}, path, {"tinycnn": structure})
    with pytest.raises(ValueError, match="expected the structure of its tensors in the metadata"):
        load(path)


def test_a_dtype_that_numpy_lacks_is_named(path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(TypeError, match=r"dtypes that tinycnn has.* got BF16 at 'w' in"):
        load(path)


def test_safetensors_of_torch_fits(path):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    save_torch = pytest.importorskip("safetensors.torch").save_file
    theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2),
                                 torch.nn.Flatten(), torch.nn.Linear(8, 3))
    save_torch(theirs.state_dict(), path)
    ours = Net()
    assert repr(ours.load_state_dict(load(path))) == "<All keys matched successfully>"
    x = numpy.random.default_rng(0).standard_normal((2, 1, 4, 4)).astype("float32")
    expected = theirs.eval()(torch.from_numpy(x)).detach().numpy()
    assert numpy.allclose(ours.eval()(tinycnn.tensor(x)).detach().numpy(), expected, atol=1e-6)


def test_training_goes_on_from_a_checkpoint_as_if_nothing_had_happened(path):
    def step(net, optimizer):
        x = numpy.random.default_rng(0).standard_normal((4, 1, 4, 4)).astype("float32")
        loss = nn.CrossEntropyLoss()(net(tinycnn.tensor(x)), tinycnn.tensor([0, 1, 2, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    net = Net()
    optimizer = tinycnn.optim.Adam(net.parameters(), lr=0.01, betas=(0.8, 0.99))
    step(net, optimizer)
    save({"model": net, "optimizer": optimizer, "epoch": 1}, path)
    expected = [step(net, optimizer) for _ in range(3)]
    twin = Net()
    other = tinycnn.optim.Adam(twin.parameters())
    state = load(path)
    twin.load_state_dict(state["model"])
    other.load_state_dict(state["optimizer"])
    assert [step(twin, other) for _ in range(3)] == expected


def test_half_precision_is_read_as_float32_and_unserved_dtypes_are_named(tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({"h": numpy.array([0.1, 2.0], numpy.float16)}, path)
    half = tinycnn.load(path)["h"]
    assert half.dtype == numpy.float32
    numpy.testing.assert_array_equal(half.numpy(), numpy.array([0.1, 2.0], numpy.float16))
    save_file({"u": numpy.array([1], numpy.uint64)}, path)
    with pytest.raises(TypeError, match=r"load: .* U64 at 'u'"):
        tinycnn.load(path)

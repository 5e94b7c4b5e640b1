"""Module, containers and helpers: bookkeeping, hooks, state, text, and every message."""

import copy
import math
import pickle
import re
from collections import OrderedDict

import numpy
import pytest

import tinycnn
from tinycnn import nn
from tinycnn.nn import utils


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 3))
        self.scale = nn.Parameter([2.0])
        self.register_buffer("steps", tinycnn.tensor(0))
        self.register_buffer("scratch", tinycnn.tensor([1.0]), persistent=False)

    def forward(self, x, shift=0.0):
        return self.head(self.norm(self.conv(x))) * self.scale + shift


NAMES = ["scale", "conv.weight", "conv.bias", "norm.weight", "norm.bias", "head.1.weight",
         "head.1.bias"]


def image(*shape):
    return tinycnn.tensor(numpy.random.default_rng(0).standard_normal(shape).astype("float32"))


# --- walking


def test_parameters_and_buffers_are_found_in_order_of_registration_own_first():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    assert [name for name, _ in net.named_parameters("net", recurse=False)] == ["net.scale"]
    assert [name for name, _ in net.named_buffers()] == [
        "steps", "scratch", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]
    assert len(list(net.buffers(recurse=False))) == 2


def test_modules_and_children_are_found_and_the_shared_ones_come_once():
    net = Net()
    assert [name for name, _ in net.named_modules()] == [
        "", "conv", "norm", "head", "head.0", "head.1"]
    assert [name for name, _ in net.named_modules(prefix="net")][:2] == ["net", "net.conv"]
    assert [name for name, _ in net.named_children()] == ["conv", "norm", "head"]
    assert next(iter(net.children())) is net.conv
    twice = nn.Sequential(net.conv, nn.ReLU(), net.conv)
    assert [name for name, _ in twice.named_children()] == ["0", "1"]
    assert len(list(twice.modules())) == 3
    assert [n for n, _ in twice.named_parameters()] == ["0.weight", "0.bias"]
    every = [n for n, _ in twice.named_parameters(remove_duplicate=False)]
    assert every == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert list(twice.state_dict()) == every


def test_parts_are_found_by_their_dotted_name():
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("head.1") is net.head[1]
    assert net.get_parameter("head.1.bias") is net.head[1].bias
    assert net.get_buffer("norm.running_mean") is net.norm.running_mean
    for function, name in [
        (net.get_submodule, "head.2"), (net.get_submodule, "steps"), (net.get_submodule, "."),
        (net.get_parameter, "conv.weigth"), (net.get_parameter, "conv.weight.x"),
        (net.get_buffer, "scale"),
    ]:
        message = rf"{function.__name__}: expected the name of a .* of Net, got '{name}'. .* has"
        with pytest.raises(AttributeError, match=message):
            function(name)


# --- attributes


def test_assignment_registers_replaces_and_moves_between_kinds():
    module = nn.Module()
    module.part = nn.Parameter([1.0])
    module.register_parameter("bias", None)
    assert module.bias is None
    assert [n for n, _ in module.named_parameters()] == ["part"]
    module.bias = nn.Parameter([1.0])
    assert [n for n, _ in module.named_parameters()] == ["part", "bias"]
    module.part = None
    assert [n for n, _ in module.named_parameters()] == ["bias"]
    module.part = nn.ReLU()
    assert [n for n, _ in module.named_children()] == ["part"]
    module.register_buffer("mean", tinycnn.tensor([1.0]), persistent=False)
    module.mean = tinycnn.tensor([2.0])
    assert module.mean.item() == 2.0
    assert "mean" not in module.state_dict()
    module.mean = nn.Parameter([1.0])
    assert "mean" in module.state_dict()
    module.plain = tinycnn.tensor([1.0])
    module.plain = 3
    assert "plain" not in module.state_dict()
    module.add_module("extra", nn.Tanh())
    module.register_module("more", None)
    assert isinstance(module.extra, nn.Tanh)
    assert module.more is None


def test_deletion_forgets_a_part_and_says_what_is_there():
    net = Net()
    del net.conv
    del net.steps
    net.plain = 1
    del net.plain
    assert "conv.weight" not in net.state_dict()
    assert "steps" not in net.state_dict()
    with pytest.raises(AttributeError, match="Net: expected the name of an attribute, got 'conv'"):
        del net.conv


def test_a_wrong_attribute_is_named_with_the_parts_that_exist():
    with pytest.raises(AttributeError, match=r"got 'cnv'.*has the parts conv, norm, head") as info:
        Net().cnv  # noqa: B018
    assert info.value.name == "cnv"
    assert not hasattr(nn.ReLU(), "weight")
    with pytest.raises(AttributeError, match=r"ReLU has the parts \(none\)"):
        nn.ReLU().weight  # noqa: B018


def test_a_property_that_fails_shows_its_own_error():
    class Broken(nn.Module):
        @property
        def size(self):
            return self.missing

    with pytest.raises(AttributeError, match="got 'missing'"):
        Broken().size  # noqa: B018


class NoInit(nn.Module):
    def __init__(self, part=None):
        self.number = 1
        if part is not None:
            self.part = part


def test_a_forgotten_super_init_is_named():
    message = r"NoInit: expected super\(\).__init__\(\) to have run.*Call super"
    for part in nn.ReLU(), nn.Parameter([1.0]):
        with pytest.raises(AttributeError, match=message):
            NoInit(part)
    for use in (
        lambda m: m(1), repr, lambda m: m.state_dict(), lambda m: list(m.parameters()),
        lambda m: m.register_buffer("b", tinycnn.tensor([1.0])), lambda m: m.add_module("x", m),
        lambda m: m.missing,
    ):
        with pytest.raises(AttributeError, match=message):
            use(NoInit())


@pytest.mark.parametrize(("error", "message", "action"), [
    (TypeError, r"Conv2d.weight: expected a Parameter or None \(it is a parameter\), got Tensor. "
     r"Wrap it in nn.Parameter", lambda n: setattr(n.conv, "weight", n.conv.weight.detach())),
    (TypeError, r"Net.steps: expected a Tensor or None \(it is a buffer\), got int",
     lambda n: setattr(n, "steps", 3)),
    (TypeError, r"Net.conv: expected a Module or None \(it is a module\), got function",
     lambda n: setattr(n, "conv", lambda x: x)),
    (ValueError, "Net: expected a name of a module that the class does not use itself, got 'train'",
     lambda n: setattr(n, "train", nn.ReLU())),
    (ValueError, "does not use itself, got '_hooks'",
     lambda n: setattr(n, "_hooks", nn.ReLU())),
    (ValueError, "Net.register_buffer: .* not empty and has no dot, got 'a.b'",
     lambda n: n.register_buffer("a.b", tinycnn.tensor([1.0]))),
    (ValueError, "not empty and has no dot, got ''", lambda n: n.add_module("", nn.ReLU())),
    (TypeError, "expected a str as name of a module, got 3", lambda n: n.add_module(3, nn.ReLU())),
    (ValueError, "Net.register_buffer: .* that is free, got 'training', an attribute already",
     lambda n: n.register_buffer("training", tinycnn.tensor([1.0]))),
    (TypeError, "Net.register_buffer: expected a Tensor or None as 'b', got list",
     lambda n: n.register_buffer("b", [1.0])),
    (TypeError, "Net.register_parameter: expected a Parameter or None as 'p', got Tensor",
     lambda n: n.register_parameter("p", tinycnn.tensor([1.0]))),
    (TypeError, "Net.add_module: expected a Module or None as 'm', got type",
     lambda n: n.add_module("m", nn.ReLU)),
    (ValueError, "Net.train: expected a bool, got 'yes'", lambda n: n.train("yes")),
    (TypeError, r"expected a method forward\(self, input\), got none", lambda n: nn.Module()(1)),
    (TypeError, "Net.to: expected a dtype float32 or float64, got int64",
     lambda n: n.to(tinycnn.int64)),
    (TypeError, "Net.to: expected the keywords device and dtype", lambda n: n.to(memory=1)),
    (TypeError, "Net.to: expected a dtype among", lambda n: n.to(dtype="cpu")),
    (ValueError, "expected device 'cpu'.*, got 'tpu'", lambda n: n.to("tpu")),
    (TypeError, "register_forward_hook: expected a callable, got None",
     lambda n: n.register_forward_hook(None)),
    (TypeError, "register_forward_pre_hook: expected a callable, got 1",
     lambda n: n.register_forward_pre_hook(1)),
])
def test_every_misuse_is_explained(error, message, action):
    with pytest.raises(error, match=message):
        action(Net())


def test_a_parameter_is_a_leaf_of_floats():
    array = numpy.ones(2, "float64")
    parameter = nn.Parameter(array)
    assert parameter.data is array
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert not nn.Parameter([1], requires_grad=False).requires_grad
    assert nn.Parameter(parameter.detach()).dtype == tinycnn.float64
    assert type(parameter * 2) is tinycnn.Tensor
    assert repr(nn.Parameter([1.0])) == "Parameter([1.], requires_grad=True)"
    array.flags.writeable = False
    nn.Parameter(array).data[...] = 2
    assert array[0] == 1
    with pytest.raises(TypeError, match=r"Parameter: expected data of dtype .*, got int64 \(1,\)"):
        nn.Parameter([1])
    module = nn.Module()
    with pytest.raises(TypeError, match="got Tensor"):
        module.register_parameter("p", parameter * 2)


# --- hooks


def test_hooks_see_and_replace_what_goes_in_and_out_and_can_be_removed():
    net = nn.Identity()
    seen = []
    pre = net.register_forward_pre_hook(lambda module, args: args[0] + 1)
    post = net.register_forward_hook(lambda module, args, output: output * 10)
    watch = net.register_forward_hook(lambda module, args, output: seen.append((args, output)))
    assert net(1) == 20
    assert seen == [((2,), 20)]
    pre.remove()
    pre.remove()
    assert net(1) == 10
    post.remove()
    watch.remove()
    assert net(1) == 1
    with net.register_forward_pre_hook(lambda module, args: (5,)):
        assert net(1) == 5
    assert net(1) == 1


def test_hooks_run_in_order_or_in_front_and_see_keywords():
    net = nn.Module()
    net.forward = lambda x, factor=1: x * factor
    order = []
    net.register_forward_hook(lambda *a: order.append(1))
    net.register_forward_hook(lambda *a: order.append(2), prepend=True)
    net.register_forward_pre_hook(lambda *a: order.append(3))
    handle = net.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"factor": kwargs["factor"] + 1}), with_kwargs=True)
    net.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True)
    net.register_forward_hook(
        lambda m, args, kwargs, output: output + kwargs["factor"], with_kwargs=True)
    assert net(2, factor=2) == 9
    assert order == [3, 2, 1]
    handle.remove()
    net.register_forward_pre_hook(lambda m, args, kwargs: 1, with_kwargs=True)
    with pytest.raises(TypeError, match=r"expected None or \(args, kwargs\) .*, got 1"):
        net(2, factor=2)


def test_a_hook_may_remove_itself_while_it_runs():
    net, calls = nn.Identity(), []
    handle = net.register_forward_hook(lambda *a: (calls.append(1), handle.remove())[1])
    net(1)
    net(1)
    assert calls == [1]


# --- changing everything below


def test_train_eval_apply_requires_grad_zero_grad_reach_every_module():
    net = Net()
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    visited = []
    assert net.apply(lambda module: visited.append(type(module).__name__)) is net
    assert visited == ["Conv2d", "BatchNorm2d", "Flatten", "Linear", "Sequential", "Net"]
    net(image(2, 1, 4, 4)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all((p.grad.data == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    net.conv.requires_grad_(False)
    net(image(2, 1, 4, 4)).sum().backward()
    assert net.conv.weight.grad is None
    assert net.scale.grad is not None


@pytest.mark.parametrize("target", [
    lambda n: n.double(), lambda n: n.to(tinycnn.float64), lambda n: n.to("cpu", "float64"),
    lambda n: n.to(dtype=tinycnn.float64, device="cpu"), lambda n: n.to(numpy.float64),
    lambda n: n.to(tinycnn.zeros(1, dtype=tinycnn.float64)),
])
def test_to_converts_floats_and_keeps_the_objects(target):
    net = Net()
    net(image(2, 1, 4, 4)).sum().backward()
    before = list(net.parameters())
    assert target(net) is net
    assert all(a is b for a, b in zip(before, net.parameters()))
    assert {str(p.dtype) for p in before} == {"float64"}
    assert {str(p.grad.dtype) for p in before} == {"float64"}
    assert net.norm.running_mean.dtype == tinycnn.float64
    assert net.norm.num_batches_tracked.dtype == tinycnn.int64
    assert net(tinycnn.zeros(2, 1, 4, 4, dtype=tinycnn.float64)).dtype == tinycnn.float64
    assert net.float().scale.dtype == tinycnn.float32
    assert net.to(None) is net.cpu() is net.to("cpu", non_blocking=True) is net


def test_a_network_can_be_copied_and_pickled():
    net = Net()
    for twin in copy.deepcopy(net), pickle.loads(pickle.dumps(net)):
        assert repr(twin) == repr(net)
        assert all((a.data == b.data).all() for a, b in zip(net.parameters(), twin.parameters()))
        twin.scale.data[...] = 9
        assert net.scale.item() == 2.0
        assert twin(image(2, 1, 4, 4)).shape == (2, 3)


# --- state


def test_state_dict_holds_parameters_and_saved_buffers_and_shares_memory():
    net = Net()
    state = net.state_dict()
    assert list(state) == ["scale", "steps", "conv.weight", "conv.bias", "norm.weight",
                           "norm.bias", "norm.running_mean", "norm.running_var",
                           "norm.num_batches_tracked", "head.1.weight", "head.1.bias"]
    assert state["scale"].data is net.scale.data
    assert not state["scale"].requires_grad
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert next(iter(net.state_dict(prefix="net."))) == "net.scale"


def test_load_state_dict_copies_in_place_from_tensors_and_arrays():
    net, other = Net(), Net()
    weight = net.conv.weight.data
    result = net.load_state_dict(other.state_dict())
    assert repr(result) == str(result) == "<All keys matched successfully>"
    assert net.conv.weight.data is weight
    x = image(2, 1, 4, 4)
    assert (net.eval()(x) == other.eval()(x)).all()
    arrays = {name: value.data.astype("float64") for name, value in other.state_dict().items()
              if name != "norm.num_batches_tracked" and name != "steps"}
    result = net.load_state_dict(arrays, strict=False)
    assert result == (["steps"], [])
    assert result.missing_keys == ["steps"]
    assert "missing_keys=['steps'], unexpected_keys=[]" in repr(result)


def test_load_state_dict_names_everything_that_does_not_fit_and_loads_nothing():
    net, state = Net(), Net().state_dict()
    before = net.scale.item()
    state["scale"].data[...] = 7
    state["extra"] = state.pop("conv.bias")
    state["conv.weight"] = tinycnn.zeros(2, 1, 5, 5)
    state["steps"] = tinycnn.tensor(1.5)
    with pytest.raises(ValueError) as info:
        net.load_state_dict(state)
    assert str(info.value) == (
        "load_state_dict of Net: expected every name with its shape, got steps of dtype float32 "
        "where int64 belongs; conv.weight (2, 1, 5, 5) where (2, 1, 3, 3) belongs; missing "
        "conv.bias; unexpected extra. Nothing was loaded. Build the network as it was when it was "
        "saved.")
    with pytest.raises(ValueError, match=r"got steps .*belongs; conv.weight .* belongs. Nothing"):
        net.load_state_dict(state, strict=False)
    assert net.scale.item() == before
    del state["conv.weight"], state["steps"]
    with pytest.raises(ValueError, match=r"missing .*; unexpected extra.*pass strict=False"):
        net.load_state_dict(state)
    assert net.load_state_dict(state, strict=False).unexpected_keys == ["extra"]
    assert net.scale.item() == 7
    with pytest.raises(TypeError, match="expected a Tensor or array as 'scale', got str"):
        net.load_state_dict({"scale": "2"}, strict=False)
    with pytest.raises(TypeError, match="expected a dict of names to tensors, got Linear"):
        net.load_state_dict(nn.Linear(1, 1))


def test_a_checkpoint_that_nearly_fits_says_what_to_pass():
    net = nn.Sequential(*[nn.Linear(2, 2) for _ in range(7)])
    state = net.state_dict()
    behind = {f"module.{name}": value for name, value in state.items()}
    with pytest.raises(ValueError, match=r"0.weight, .* 4.bias and 4 more; unexpected module.0.w.*"
                       r" All names fit behind 'module.': pass {name.removeprefix\('module.'\): "
                       r"value for name, value in state.items\(\)}\.$"):
        net.load_state_dict(behind)
    with pytest.raises(ValueError, match=r"in another one: pass state\['state_dict'\]\.$"):
        net.load_state_dict({"epoch": 3, "state_dict": state})
    with pytest.raises(ValueError, match=r"unexpected other\. .*pass strict=False to load what"):
        net.load_state_dict({**state, "other": state["0.bias"]})
    with pytest.raises(ValueError, match=r"where \(2, 2\) belongs and 3 more\. Nothing was"):
        net.load_state_dict({name: value[None] for name, value in state.items()
                             if name[0] != "0"} | {"0.weight": state["0.weight"][None],
                                                   "0.bias": state["0.bias"]})


# --- text


def test_repr_shows_the_tree_and_several_lines_of_extra():
    class Two(nn.Module):
        def extra_repr(self):
            return "first\nsecond"

    net = nn.Sequential(OrderedDict(a=nn.ReLU(), b=Two(), c=nn.ModuleList([nn.Tanh()] * 3)))
    assert repr(net) == """Sequential(
  (a): ReLU()
  (b): Two(
    first
    second
  )
  (c): ModuleList(
    (0-2): 3 x Tanh()
  )
)"""
    assert repr(nn.ModuleList([nn.ReLU(), nn.Tanh()])) == (
        "ModuleList(\n  (0): ReLU()\n  (1): Tanh()\n)")
    assert repr(nn.ModuleDict()) == "ModuleDict()"
    net.extra_repr = lambda: "x=1"
    assert repr(net).startswith("Sequential(\n  x=1\n  (a): ReLU()\n")


# --- containers


def kinds(modules):
    return "".join(type(module).__name__[0] for module in modules)


@pytest.mark.parametrize("container", [lambda *m: nn.Sequential(*m), lambda *m: nn.ModuleList(m)])
def test_numbered_containers_behave_as_lists(container):
    r, t, s, e = nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.ELU()
    box = container(r, t, s)
    assert (len(box), box[0], box[-1]) == (3, r, s)
    assert kinds(box[1:]) == "TS"
    assert type(box[1:]) is type(box)
    assert box.append(e) is box
    assert kinds(box.insert(1, e)) == "RETSE"
    assert kinds(box.insert(-1, r)) == "RETSRE"
    assert kinds(box.insert(6, t)) == "RETSRET"
    del box[1], box[3:]
    assert kinds(box) == "RTS"
    assert [name for name, _ in box.named_children()] == ["0", "1", "2"]
    box[1] = e
    assert kinds(box.extend([r, t])) == "RESRT"
    assert box.pop() is t
    assert box.pop(0) is r
    assert kinds(box) == "ESR"
    assert kinds(box + nn.ModuleList([t])) == "ESRT"
    assert kinds(box) == "ESR"
    name = type(box).__name__
    with pytest.raises(IndexError, match=rf"{name}: .* of one of its 3 modules, got 3"):
        box[3]
    with pytest.raises(TypeError, match=rf"{name}: expected an int or a slice as index, got 'a'"):
        box["a"]
    with pytest.raises(TypeError, match=rf"{name}.add_module: expected a Module or None as '3'"):
        box.append(3)
    with pytest.raises(IndexError, match="of one of its 0 modules, got 0"):
        container()[0]


def test_a_failed_insert_leaves_the_container_as_it_was():
    box = nn.Sequential(nn.ReLU(), nn.Tanh())
    with pytest.raises(TypeError, match="expected a Module"):
        box.insert(0, "x")
    assert kinds(box) == "RT"


def test_sequential_calls_in_order_and_slices_keep_names():
    net = nn.Sequential(OrderedDict(one=nn.Linear(2, 3), act=nn.ReLU(), two=nn.Linear(3, 1)))
    assert [name for name, _ in net[1:].named_children()] == ["act", "two"]
    x = image(4, 2)
    assert (net(x) == net.two(net.act(net.one(x)))).all()
    assert nn.Sequential()(3) == 3
    assert net[0] is net.one
    tail = nn.Sequential(nn.Tanh(), nn.Sigmoid(), nn.ReLU())[1:].append(nn.ELU())
    assert [name for name, _ in tail.named_children()] == ["1", "2", "3"]

    class Block(nn.Sequential):
        def __init__(self, width):
            super().__init__(nn.Linear(width, width), nn.ReLU())

    assert type(Block(2)[:1]) is nn.Sequential


def test_module_dict_behaves_as_a_dict():
    box = nn.ModuleDict({"a": nn.ReLU()})
    box["b"] = nn.Tanh()
    box.update([("c", nn.Sigmoid())])
    box.update(nn.ModuleDict({"a": nn.ELU()}))
    assert list(box) == list(box.keys()) == ["a", "b", "c"]
    assert kinds(box.values()) == "ETS"
    assert [name for name, _ in box.items()] == ["a", "b", "c"]
    assert "a" in box
    assert "training" not in box
    assert isinstance(box.pop("a"), nn.ELU)
    del box["b"]
    assert len(box) == 1
    with pytest.raises(KeyError, match="expected one of the names c, got 'a'"):
        box["a"]
    with pytest.raises(KeyError, match="got 'b'"):
        del box["b"]
    with pytest.raises(ValueError, match="does not use itself, got 'values'"):
        box["values"] = nn.ReLU()
    box.clear()
    assert len(box) == 0
    with pytest.raises(KeyError, match=re.escape("(none)")):
        box.pop("c")
    assert len(nn.ModuleDict([("x", nn.ReLU())])) == 1


# --- utils


def with_gradients(*gradients):
    tensors = []
    for gradient in gradients:
        tensors.append(nn.Parameter(numpy.zeros_like(gradient)))
        tensors[-1].grad = tinycnn.tensor(gradient)
    return tensors


@pytest.mark.parametrize(("p", "norm"), [(2, 13), (1, 19), (math.inf, 12), (3, 1819 ** (1 / 3))])
def test_clip_grad_norm_measures_and_scales_all_gradients_together(p, norm):
    tensors = with_gradients(numpy.array([3.0, -4.0]), numpy.array([[12.0]]))
    tensors.append(nn.Parameter([1.0]))
    total = utils.clip_grad_norm_(iter(tensors), norm / 2, norm_type=p)
    assert total.item() == pytest.approx(norm)
    assert numpy.allclose(tensors[0].grad.data, [1.5, -2.0], rtol=1e-6)
    assert numpy.allclose(tensors[1].grad.data, [[6.0]], rtol=1e-6)
    assert tensors[2].grad is None


def test_clip_grad_norm_leaves_small_gradients_alone_and_survives_large_ones():
    (tensor,) = with_gradients(numpy.array([0.3, 0.4], "float32"))
    assert utils.clip_grad_norm_(tensor, 1.0).item() == pytest.approx(0.5)
    assert tensor.grad.tolist() == pytest.approx([0.3, 0.4])
    (tensor,) = with_gradients(numpy.array([3e30, 4e30], "float32"))
    assert utils.clip_grad_norm_(tensor, 1.0).item() == pytest.approx(5e30)
    assert tensor.grad.tolist() == pytest.approx([0.6, 0.8])
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    (tensor,) = with_gradients(numpy.array([math.nan, 1.0]))
    with pytest.raises(RuntimeError, match="expected a finite norm of the gradients, got nan"):
        utils.clip_grad_norm_(tensor, 1.0, error_if_nonfinite=True)
    assert tensor.grad.tolist()[1] == 1.0
    utils.clip_grad_norm_(tensor, 1.0)
    assert math.isnan(tensor.grad.tolist()[1])


def test_clip_grad_value_limits_every_value():
    tensors = with_gradients(numpy.array([3.0, -4.0, 0.5]), numpy.array([[12.0]]))
    utils.clip_grad_value_(tensors, 2.0)
    assert tensors[0].grad.tolist() == [2.0, -2.0, 0.5]
    assert tensors[1].grad.tolist() == [[2.0]]


def test_parameters_go_to_a_vector_and_back():
    net = Net()
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (sum(p.numel() for p in net.parameters()),)
    twin = Net()
    utils.vector_to_parameters(vector.detach(), twin.parameters())
    assert all((a.data == b.data).all() for a, b in zip(net.parameters(), twin.parameters()))
    vector.sum().backward()
    assert net.scale.grad.tolist() == [1.0]


@pytest.mark.parametrize(("error", "message", "action"), [
    (ValueError, "max_norm >= 0, got -1", lambda: utils.clip_grad_norm_([], -1)),
    (ValueError, "norm_type > 0, got 0", lambda: utils.clip_grad_norm_([], 1, 0)),
    (TypeError, "clip_grad_norm_: expected Tensors as parameters, got int",
     lambda: utils.clip_grad_norm_([1], 1)),
    (ValueError, "clip_value >= 0, got -1", lambda: utils.clip_grad_value_([], -1)),
    (ValueError, r"expected vec \(3,\), one number per value .*, got \(2,\)",
     lambda: utils.vector_to_parameters(tinycnn.zeros(2), nn.Linear(2, 1).parameters())),
    (TypeError, "expected vec to be a Tensor, got list",
     lambda: utils.vector_to_parameters([1.0], nn.Linear(2, 1).parameters())),
])
def test_every_misuse_of_the_helpers_is_explained(error, message, action):
    with pytest.raises(error, match=message):
        action()

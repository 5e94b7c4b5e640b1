"""summary(): known networks, what is counted, how it is shown, and a model that is what it was."""

import json
import os
import threading
import warnings

import numpy as np
import pytest
from summary_models import Calls, alexnet, conv, resnet, resnet_like, vgg_16

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import arithmetic, nn, summary
from tinycnn.__main__ import main
from tinycnn.autograd import Function
from tinycnn.models import LeNet5, LeNet1998


def row_of(info, name):
    """The only row of that name."""
    (row,) = [row for row in info.rows if row.name == name]
    return row


# --- known networks


def test_lenet_layer_by_layer():
    info = summary(LeNet5(padding=0), (1, 1, 32, 32))
    layers = [row for row in info.rows if row.parameters and row.depth]
    assert [row.parameters for row in layers] == [156, 2_416, 48_120, 10_164, 850]
    assert [row.multiply_adds for row in layers] == [117_600, 240_000, 48_000, 10_080, 840]
    assert [row.output_shape for row in layers] == [
        (1, 6, 28, 28), (1, 16, 10, 10), (1, 120, 1, 1), (1, 84), (1, 10)]
    assert info.total_parameters == info.trainable_parameters == 61_706
    assert info.total_multiply_adds == 416_520
    assert info.total_connections == 117_600 + 6 * 784 + 240_000 + 1600 + 48_120 + 10_164 + 850
    assert info.parameter_bytes == 4 * 61_706
    assert [row.receptive_field for row in layers[:3]] == [(5, 5), (14, 14), (32, 32)]
    assert layers[2].jump == (4, 4)
    assert [row.sees_all for row in layers] == [False, False, False, True, True]


def test_a_connection_table_counts_where_it_connects():
    """The sums of LeCun et al. 1998: 340,908 connections; a layer of four inputs and a bias has
    five for each unit."""
    info = summary(LeNet1998(), (2, 1, 32, 32))
    layers = [row for row in info.rows if row.multiply_adds and row.depth]
    assert [row.multiply_adds for row in layers] == [
        117_600, 4_704, 150_000, 1_600, 48_000, 10_080, 840]
    assert [row.connections for row in layers] == [
        122_304, 5_880, 151_600, 2_000, 48_120, 10_164, 840]
    assert info.total_connections == info.to_dict()["total_connections"] == 340_908
    with tinycnn.no_grad():
        assert summary(LeNet1998(), (1, 1, 32, 32)).total_connections == 340_908


def test_connections_of_layers_with_and_without_biases():
    model = nn.Sequential(nn.ConvTranspose2d(2, 4, 3, stride=2), nn.LocallyConnected2d(
        4, 3, (9, 9), 3, bias=False), nn.Flatten(), nn.Linear(147, 5, bias=False))
    rows = summary(model, (1, 2, 4, 4)).rows
    assert [row.connections for row in rows[1:]] == [
        16 * 72 + 4 * 81, 49 * 3 * 36, 0, 147 * 5]


def test_alexnet_of_2012():
    info = summary(alexnet(), (1, 3, 227, 227))
    layers = [row for row in info.rows if row.type == "Conv2d"]
    assert [row.parameters for row in layers] == [34_944, 307_456, 885_120, 663_936, 442_624]
    assert [row.multiply_adds for row in layers] == [
        105_415_200, 223_948_800, 149_520_384, 112_140_288, 74_760_192]
    assert [row.groups for row in layers] == [1, 2, 1, 2, 2]
    last = info.rows[-1]
    assert (last.output_shape, last.receptive_field, last.jump, last.start) == (
        (1, 256, 6, 6), (195, 195), (32, 32), (33, 33))


def test_vgg_16():
    info = summary(vgg_16(), (1, 3, 224, 224))
    assert info.total_parameters == 14_714_688
    last = info.rows[-1]
    assert (last.receptive_field, last.jump, last.start) == ((212, 212), (32, 32), (15.5, 15.5))
    assert info.total_multiply_adds == 15_470_264_320 - 512 * 49 * 4096 - 4096 * 4096 - 4_096_000


def test_resnet_18_with_residual_sums_written_in_forward():
    info = summary(resnet((2, 2, 2, 2)), (1, 3, 224, 224))
    assert info.total_parameters == 11_689_512
    assert info.total_buffers == 9_600 + 20  # and how many batches each of the 20 has seen
    assert 1.8135e9 < info.total_multiply_adds < 1.8145e9
    last = row_of(info, "11")
    assert (last.receptive_field, last.jump) == ((435, 435), (32, 32))
    assert row_of(info, "12").sees_all


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux tells of the peak")
def test_it_takes_little_more_memory_than_a_run_without_gradients(run_python):
    """Peak of the process, in KiB, above what it was after such a run. There are 21 maps of
    16 MiB."""
    code = """
import tinycnn
from tinycnn import nn
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
layers = [nn.Conv2d(3, 64, 3, padding=1)]
for _ in range(10):
    layers += [nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)]
model = nn.Sequential(*layers)
with tinycnn.no_grad(), nn.no_fusion():
    model(tinycnn.zeros(1, 3, 256, 256))
before = peak()
tinycnn.summary(model, (1, 3, 256, 256))
print(peak() - before)
"""
    run = run_python(code, OMP_NUM_THREADS="1")
    assert int(run.stdout) < 40 * 1024, run.stderr


# --- counts


def test_multiply_adds_of_functions_called_in_forward():
    model = Calls(lambda self, x: F.linear(F.conv2d(x, self.w).flatten(1), self.v) @ self.m,
                  w=nn.Parameter(np.ones((2, 1, 3, 3), np.float32)),
                  v=nn.Parameter(np.ones((5, 72), np.float32)),
                  m=nn.Parameter(np.ones((5, 4), np.float32)))
    info = summary(model, (3, 1, 8, 8))
    assert info.total_multiply_adds == 2 * 9 * 36 + 5 * 72 + 5 * 4
    assert info.rows[0].own_multiply_adds == info.total_multiply_adds
    assert f"{info.total_multiply_adds:,}" in str(info).splitlines()[2]


def test_multiply_adds_of_transposed_convolutions_are_those_of_the_convolution():
    info = summary(nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (1, 4, 5, 7))
    assert info.total_multiply_adds == arithmetic.conv_multiply_adds(6, 4, 3, (5, 7), groups=2)


@pytest.mark.parametrize("images", [1, 2, 5])
def test_multiply_adds_are_for_one_image_whatever_the_batch(images):
    info = summary(LeNet5(), (images, 1, 28, 28))
    assert info.total_multiply_adds == 416_520
    assert info.activation_bytes == images * summary(LeNet5(), (1, 1, 28, 28)).activation_bytes


def test_a_batch_that_no_window_has_told_of_is_the_first_axis():
    assert summary(nn.Linear(3, 2), (7, 3)).total_multiply_adds == 6
    assert summary(nn.Linear(3, 2), (3,)).total_multiply_adds == 6


def test_a_shared_layer_counts_its_parameters_once_and_its_work_twice():
    layer = conv(padding=1)
    info = summary(nn.Sequential(layer, nn.ReLU(), layer), (1, 1, 8, 8))
    first, _, second = info.rows[1:]
    assert (first.parameters, second.parameters, info.total_parameters) == (10, 0, 10)
    assert (first.shared, second.shared) == (False, True)
    assert first.multiply_adds == second.multiply_adds == 9 * 64
    assert info.total_multiply_adds == 2 * 9 * 64
    assert second.receptive_field == (5, 5)
    assert "Conv2d (shared)" in str(info)


def test_a_shared_parameter_counts_once():
    a, b = nn.Linear(4, 4, bias=False), nn.Linear(4, 4)
    b.weight = a.weight
    info = summary(nn.Sequential(a, b), (1, 4))
    assert [row.parameters for row in info.rows] == [20, 16, 4]
    assert info.total_parameters == 20
    assert info.rows[2].shared


def test_frozen_parameters_are_not_trainable():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    info = summary(model, (1, 2))
    assert (info.total_parameters, info.trainable_parameters) == (13, 4)
    assert "13 (4 trainable)" in str(info)


def test_memory_is_that_of_new_results():
    """A flattening of one channel is a view, dropout and Identity return what they got."""
    info = summary(nn.Sequential(conv(1, 1), nn.Identity(), nn.Dropout(), nn.Flatten(),
                                 nn.Linear(36, 5)), (2, 1, 8, 8))
    assert [row.memory for row in info.rows[1:]] == [2 * 36 * 4, 0, 0, 0, 2 * 5 * 4]
    assert info.activation_bytes == info.rows[0].memory == 2 * 36 * 4 + 2 * 5 * 4
    assert info.input_bytes == 2 * 64 * 4


def test_the_result_of_a_sum_in_forward_is_memory_of_the_block():
    info = summary(Calls(lambda self, x: self.a(x) + x, a=conv(padding=1)), (1, 1, 8, 8))
    assert (info.rows[0].own_memory, info.rows[1].memory, info.activation_bytes) == (256, 256, 512)


def test_float64_doubles_memory():
    model = LeNet5().double()
    info = summary(model, (1, 1, 28, 28))
    assert info.parameter_bytes == 8 * 61_706
    assert info.activation_bytes == 2 * summary(LeNet5(), (1, 1, 28, 28)).activation_bytes


# --- every module has its row, however it is run


@pytest.mark.parametrize("call", [
    lambda self, x: self.conv(x),
    lambda self, x: self.conv.forward(x),
    lambda self, x: self.conv.forward_relu(x),
    lambda self, x: nn.Sequential(self.conv, nn.ReLU())(x),
])
def test_a_layer_that_is_run_in_another_way_is_seen(call):
    info = summary(Calls(call, conv=conv()), (1, 1, 8, 8))
    row = row_of(info, "conv")
    assert (row.output_shape, row.multiply_adds, row.own_multiply_adds) == ((1, 1, 6, 6), 324, 324)
    assert row.depth == 1


def test_chains_that_run_as_one_are_taken_apart():
    model = nn.Sequential(conv(1, 2), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), conv(2, 2),
                          nn.ReLU(), nn.MaxPool2d(2))
    info = summary(model, (1, 1, 16, 16))
    assert [row.type for row in info.rows[1:]] == [type(module).__name__ for module in model]
    assert info.rows[3].output_shape == (1, 2, 14, 14)


class Two(nn.Module):
    """A layer with a second way to be run, which calls the first."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(np.ones((1, 1, 3, 3), np.float32))

    def forward(self, x):
        return F.conv2d(x, self.weight)

    def forward_twice(self, x):
        return self(self.forward(x))


def test_a_layer_that_calls_itself_is_one_call():
    info = summary(Calls(lambda self, x: self.a.forward_twice(x), a=Two()), (1, 1, 8, 8))
    assert [row.name for row in info.rows] == ["", "a"]
    assert info.rows[1].multiply_adds == 9 * 36 + 9 * 16


def test_batch_norm_with_a_residual_is_one_call():
    model = Calls(lambda self, x: self.norm.forward_relu(self.a(x), residual=x),
                  a=conv(padding=1), norm=nn.BatchNorm2d(1))
    info = summary(model, (1, 1, 8, 8))
    assert [row.name for row in info.rows] == ["", "a", "norm"]
    assert info.rows[2].receptive_field == (3, 3)


def test_a_layer_that_is_never_called_keeps_its_parameters():
    model = nn.Sequential(Calls(lambda self, x: F.relu(x), unused=nn.Linear(2, 2)), nn.ReLU())
    info = summary(model, (1, 2))
    row = row_of(info, "0.unused")
    assert (row.output_shape, row.parameters, row.depth) == (None, 6, 2)
    assert info.rows[0].parameters == info.total_parameters == 6
    assert "unused  Linear" in str(info)
    assert "not called" in str(info)


def test_without_an_input_only_parameters_are_listed():
    info = summary(nn.Sequential(nn.Linear(3, 400), nn.ReLU()))
    assert str(info).splitlines() == [
        "Layer         Parameters", "────────────────────────", "Sequential",
        "├─ 0  Linear       1,600", "└─ 1  ReLU             -", "────────────────────────",
        "Parameters     1,600 (1,600 trainable)", "Memory         parameters 6.2 KiB"]
    assert info.to_html().count("<th ") == 2
    assert info.to_html().count("<td ") == 6
    assert info.to_dict()["layers"][1]["output_shape"] is None


def test_the_error_of_a_model_is_told_once():
    with pytest.raises(RuntimeError) as caught:
        summary(nn.Linear(3, 2), (1, 4))
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert cause.__context__ is None


def test_names_are_seen_from_the_call_around():
    model = Calls(lambda self, x: self.parts[1](self.parts[0](x)),
                  parts=nn.ModuleList([nn.ReLU(), nn.Sequential(nn.Tanh())]))
    info = summary(model, (1, 2))
    assert [(row.name, row.label, row.depth) for row in info.rows] == [
        ("", "", 0), ("parts.0", "parts.0", 1), ("parts.1", "parts.1", 1), ("parts.1.0", "0", 2)]


def test_several_inputs_and_results():
    model = Calls(lambda self, x, y=None: {"sum": self.a(x) + y, "rest": (x, y)}, a=conv(padding=1))
    shapes = [(1, 1, 8, 8)] * 3
    for info in (summary(model, [(1, 1, 8, 8), (1, 1, 8, 8)]),
                 summary(model, input_data=(tinycnn.ones(1, 1, 8, 8), tinycnn.ones(1, 1, 8, 8))),
                 summary(model, input_data={"y": tinycnn.ones(1, 1, 8, 8),
                                            "x": tinycnn.ones(1, 1, 8, 8)})):
        assert info.rows[0].output_shape == shapes
        assert info.rows[0].receptive_field == (3, 3)


def test_integers_may_be_the_input():
    model = Calls(lambda self, x: self.table[x].mean(1),
                  table=nn.Parameter(np.ones((10, 4), np.float32)))
    info = summary(model, (2, 3), dtype="int64")
    assert info.rows[0].output_shape == (2, 4)
    assert info.rows[0].receptive_field is None


def test_batch_dim_says_where_the_batch_goes():
    info = summary(LeNet5(), (1, 28, 28), batch_dim=0)
    assert info.rows[0].output_shape == (1, 10)
    assert info.total_multiply_adds == 416_520
    data = tinycnn.ones(1, 28, 28)
    assert summary(LeNet5(), input_data=data, batch_dim=0).rows[0].output_shape == (1, 10)


def test_without_an_input_there_are_parameters_only():
    info = summary(nn.Sequential(conv(), nn.Sequential(nn.BatchNorm2d(1))))
    assert [(row.name, row.parameters) for row in info.rows] == [
        ("", 12), ("0", 10), ("1", 2), ("1.0", 2)]
    assert info.total_multiply_adds is None
    assert "Multiply-adds  " not in str(info)
    assert str(info)


# --- the model is what it was


class Busy(nn.Module):
    """Changes all that a forward may change."""

    def __init__(self, fails=False):
        super().__init__()
        self.conv, self.norm, self.drop = conv(1, 2), nn.BatchNorm2d(2), nn.Dropout(0.5)
        self.loose = nn.BatchNorm2d(2, track_running_stats=False)
        self.register_buffer("count", tinycnn.zeros(3))
        self.history, self.fails, self.last = [], fails, None

    def forward(self, x):
        y = self.loose(self.drop(self.norm(self.conv(x))))
        self.count.add_(1)
        self.count = self.count + 1
        self.history.append(y)
        self.last = y
        self.new = nn.Linear(2, 2)
        y = y + tinycnn.randn(*y.shape) + F.dropout(y, 0.5, training=True)
        if self.fails:
            self.conv(y)  # 2 channels, not 1
        return y


def state_of(model):
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_the_model_changes(fails):
    model = Busy(fails)
    model.train()
    model.norm.eval()
    model.conv.weight.grad = tinycnn.ones_like(model.conv.weight)
    model.conv.bias.requires_grad_(False)
    calls = []
    model.conv.register_forward_hook(lambda module, args, output: calls.append(output.shape))
    tinycnn.manual_seed(3)
    tinycnn.random.generator().random(5)
    tinycnn.random.next_offset(5)
    generator = tinycnn.random.generator()
    drawn = json.dumps(generator.bit_generator.state, default=str)
    before = {module: dict(vars(module)) for module in model.modules()}
    kinds = {module: dict(module._kinds) for module in model.modules()}
    values, gradient, hooks = state_of(model), model.conv.weight.grad, dict(model.conv._hooks)
    if fails:
        with pytest.raises(RuntimeError, match="Conv2d"):
            summary(model, (2, 1, 8, 8))
    else:
        summary(model, (2, 1, 8, 8))
    assert calls  # its hooks took part
    assert {module: dict(vars(module)) for module in model.modules()} == before
    assert {module: dict(module._kinds) for module in model.modules()} == kinds
    assert dict(model.conv._hooks) == hooks
    assert model.history == []
    assert model.training
    assert not model.norm.training
    for name, value in state_of(model).items():
        np.testing.assert_array_equal(value, values[name])
    assert model.conv.weight.grad is gradient
    assert model.conv.weight.requires_grad
    assert not model.conv.bias.requires_grad
    assert tinycnn.random.generator() is generator
    assert json.dumps(generator.bit_generator.state, default=str) == drawn
    assert tinycnn.random.next_offset(1) == (3, 8)
    assert tinycnn.is_grad_enabled()
    assert Function.__dict__["apply"].__func__.__qualname__ == "Function.apply"


def test_a_model_trains_after_a_summary_as_without():
    weights = []
    for look in False, True:
        tinycnn.manual_seed(0)
        model = nn.Sequential(conv(1, 2), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.5))
        if look:
            summary(model, (1, 1, 8, 8))
        model(tinycnn.randn(4, 1, 8, 8)).sum().backward()
        weights.append([p.grad.numpy() for p in model.parameters()] + list(
            state_of(model).values()))
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)


def test_the_input_that_is_passed_stays_as_it_is():
    x = tinycnn.ones(1, 1, 8, 8, requires_grad=True)
    y = x * 2

    def forward(self, x):
        x -= 1
        return self.a(x)

    info = summary(Calls(forward, a=conv()), input_data=y)
    assert info.rows[0].receptive_field == (3, 3)
    assert y.detach().numpy().min() == 2
    y.sum().backward()  # its own history is there
    assert x.grad.numpy().min() == 2


def test_a_result_made_earlier_keeps_its_history():
    scale = nn.Parameter([1.0, 2.0])
    used = scale * 3
    model = Calls(lambda self, x: x * self.holder[0])
    model.holder = [used]
    summary(model, (1, 2))
    used.sum().backward()
    assert scale.grad.tolist() == [3, 3]


def test_a_model_that_changes_tensors_in_place_has_a_summary_without_fields():
    def forward(self, x):
        y = self.a(x)
        y[:, :, 0] = 0
        return self.b(y)

    info = summary(Calls(forward, a=conv(), b=conv()), (1, 1, 8, 8))
    assert [row.receptive_field for row in info.rows] == [None] * 3
    assert info.total_multiply_adds == 9 * 36 + 9 * 16
    assert info.rows[0].output_shape == (1, 1, 4, 4)
    without_batch = Calls(lambda self, x: forward(self, x[None])[0], a=conv(2), b=conv())
    info = summary(without_batch, (2, 8, 8))
    assert info.total_multiply_adds == 2 * 9 * 36 + 9 * 16


def test_a_model_that_differentiates_inside_has_a_summary_too():
    def forward(self, x):
        with tinycnn.enable_grad():
            x = x.detach().requires_grad_()
            self.a(x).sum().backward()
        return x.grad

    model = Calls(forward, a=conv())
    info = summary(model, (1, 1, 8, 8))
    assert info.rows[0].output_shape == (1, 1, 8, 8)
    assert model.a.weight.grad is None


def test_inside_no_grad_it_is_the_same():
    with tinycnn.no_grad():
        info = summary(resnet_like(), (1, 1, 16, 16))
        assert not tinycnn.is_grad_enabled()
    assert str(info) == str(summary(resnet_like(), (1, 1, 16, 16)))


def test_other_threads_go_on_meanwhile():
    """They compute, and nothing of it is counted."""
    stop, layer = threading.Event(), nn.Linear(8, 8)

    def work():
        while not stop.is_set():
            layer(tinycnn.ones(4, 8)).sum().backward()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            assert summary(LeNet5(), (1, 1, 28, 28)).total_multiply_adds == 416_520
    finally:
        stop.set()
        thread.join()
    assert layer.weight.grad is not None


def test_two_summaries_at_once_do_not_meet():
    found = []
    threads = [threading.Thread(target=lambda: found.append(
        summary(LeNet5(), (1, 1, 28, 28)).total_multiply_adds)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [416_520] * 4
    assert Function.__dict__["apply"].__func__.__qualname__ == "Function.apply"


def test_a_model_on_a_gpu_gets_its_input_there():
    model = nn.Sequential(conv(1, 2), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    text = str(summary(model, (1, 1, 4, 4)))
    assert str(summary(model.cuda(), (1, 1, 4, 4))) == text
    assert model[0].weight.is_cuda


# --- text, dict, HTML


def test_the_text_has_a_line_for_each_layer_and_the_totals():
    lines = str(summary(LeNet5(), (1, 1, 28, 28))).splitlines()
    assert len(lines) == 2 + 13 + 1 + 3
    assert lines[3].split() == ["├─", "0", "Conv2d", "(1,", "6,", "28,", "28)", "156", "117,600",
                                "18.4", "KiB", "5", "1", "0"]
    assert lines[14].startswith("└─ 11  Linear")
    assert lines[-3] == "Parameters     61,706 (61,706 trainable)"
    assert lines[-2] == "Multiply-adds  416,520 for one image, 423,038 connections"


@pytest.mark.parametrize("model", [vgg_16, alexnet, lambda: nn.Sequential(
    {"a_very_long_name_of_a_layer_that_goes_on_and_on" * 3: conv(3, 3, padding=1)})])
def test_the_text_fits_into_a_hundred_columns(model):
    assert max(map(len, str(summary(model(), (1, 3, 227, 227))).splitlines())) <= 100


def test_columns_add_up_to_the_totals():
    """Of a row whose inside is shown, what is shown there is left out."""
    info = summary(resnet_like(), (1, 1, 16, 16), depth=None)
    for name in "parameters", "multiply_adds", "memory":
        own = sum(getattr(row, "own_" + name) for row in info.rows)
        assert own == getattr(info.rows[0], name) > 0
    assert sum(row.own_parameters for row in info.rows) == info.total_parameters


@pytest.mark.parametrize(("depth", "lines"), [(0, 1), (1, 4), (2, 13), (3, 15), (None, 15)])
def test_depth_says_how_many_levels_are_shown(depth, lines):
    info = summary(resnet_like(), (1, 1, 16, 16), depth=depth)
    table = str(info).split("─" * 20)[1:-1]
    shown = [line for line in "".join(table).splitlines() if line.strip(" ─")]
    assert len(shown) == lines
    assert len(info.rows) == 15  # all
    total = f"{info.total_parameters:,}"
    assert (total in shown[0]) == (depth == 0)


def test_a_dict_is_fit_for_json():
    info = summary(nn.Sequential(nn.ConvTranspose2d(1, 1, 3, stride=3), nn.Flatten()), (1, 1, 4, 4))
    again = json.loads(json.dumps(info.to_dict()))
    assert again["total_parameters"] == info.total_parameters == 10
    assert again["layers"][1]["output_shape"] == [1, 1, 12, 12]
    assert again["layers"][1]["jump"] == [pytest.approx(1 / 3)] * 2
    assert len(again["layers"]) == 3


def test_html_holds_the_same_and_escapes_names():
    model = nn.Sequential({"<b>&": conv()})
    info = summary(model, (1, 1, 8, 8))
    html = info.to_html()
    assert html == info._repr_html_()
    assert html.startswith("<table")
    assert "&lt;b&gt;&amp;  Conv2d" in html
    assert html.count("<tr>") == 3
    assert "324 for one image" in html


def test_repr_is_the_table():
    info = summary(nn.ReLU(), (1, 2))
    assert repr(info) == str(info) == f"{info}"


def test_the_command_prints_the_table(capsys):
    main(["summary", "LeNet5", "1", "1", "28", "28"])
    assert capsys.readouterr().out.strip() == str(summary(LeNet5(), (1, 1, 28, 28)))
    with pytest.raises(SystemExit):
        main(["summary", "LeNet6", "1", "1", "28", "28"])
    assert "there is no LeNet6 in tinycnn.models; perhaps LeNet5" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "message"), [
    (["lenet5", "1", "1", "28", "28"], "there is no lenet5 in tinycnn.models; perhaps LeNet5"),
    (["xyz", "3"], "there is no xyz in tinycnn.models, but Adaline"),
    (["Perceptron", "1", "4"], "Perceptron cannot be made without arguments"),
    (["LeNet5", "1", "1", "5", "5"], "got ValueError in the model (LeNet5): LeNet5: expected"),
    (["LeNet5", "1", "1", "-5", "5"], "expected sizes of at least 0, got (1, 1, -5, 5)"),
])
def test_the_command_says_in_one_sentence_what_is_wrong(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(["summary", *arguments])
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_who_makes_no_summary_imports_none_of_it(run_python):
    run = run_python("import sys, tinycnn; print([m for m in sys.modules if '_summary.' in m])")
    assert run.stdout.strip() == "[]", run.stderr


# --- errors


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: summary(3, (1, 2)), TypeError,
     r"summary: expected model to be a Module, got int\. Pass a layer"),
    (lambda: summary(nn.ReLU(), 3), TypeError,
     r"summary: expected input_size to be a tuple of ints, or a list of them, got 3\. Pass for"),
    (lambda: summary(nn.ReLU(), ()), TypeError, r"a list of them, got \(\)"),
    (lambda: summary(nn.ReLU(), (1.5, 2)), TypeError, r"every size to be an int, got 1\.5"),
    (lambda: summary(nn.ReLU(), (1, -2)), ValueError, r"sizes of at least 0, got \(1, -2\)"),
    (lambda: summary(nn.ReLU(), (1, 2), tinycnn.ones(1)), ValueError,
     r"input_size or input_data, got both"),
    (lambda: summary(nn.ReLU(), input_data=3), TypeError,
     r"input_data to be a Tensor, or a tuple, list or dict of them, got int"),
    (lambda: summary(nn.ReLU(), input_data=[]), TypeError, r"dict of them, got list"),
    (lambda: summary(nn.ReLU(), (1, 2), depth=-1), ValueError, r"depth of at least 0, got -1"),
    (lambda: summary(nn.ReLU(), (1, 2), depth=1.5), TypeError, r"depth to be an int, got 1\.5"),
    (lambda: summary(nn.ReLU(), (2,), batch_dim="0"), TypeError, r"batch_dim to be an int"),
    (lambda: summary(LeNet5()[:3], (1, 3, 28, 28)), RuntimeError,
     r"summary: expected a model that runs on an input \(1, 3, 28, 28\), got ValueError in 0 "
     r"\(Conv2d\) in the model \(Sequential\): conv2d: expected input with 1 channels.* Check "
     r"input_size: it has all axes of the input, the batch included"),
    (lambda: summary(Calls(lambda self: 1), (1, 2)), RuntimeError, r"got TypeError in the model"),
])
def test_bad_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_error_that_a_layer_raised_is_the_cause():
    with pytest.raises(RuntimeError) as caught:
        summary(LeNet5(), (1, 3, 28, 28))
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_interruption_passes_and_leaves_the_model_as_it_was():
    def forward(self, x):
        raise KeyboardInterrupt

    model = Calls(forward)
    with pytest.raises(KeyboardInterrupt):
        summary(model, (1, 2))
    assert "forward" not in vars(model)
    assert model.training


def test_no_warning_is_given_for_an_input_of_no_use():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary(Calls(lambda self, x: x / x.norm() + tinycnn.log(1 - x)), (1, 2))

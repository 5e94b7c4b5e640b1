"""The receptive fields that summary() finds, through branches and functions: where gradients go."""

from types import SimpleNamespace

import numpy as np
import pytest
from summary_models import Calls, conv

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import arithmetic, nn, summary
from tinycnn._core.shapes import conv_window
from tinycnn._summary.rules import RULES
from tinycnn._summary.seen import at_input
from tinycnn.autograd import Function


def positive(model):
    """Positive weights, so that no unit is dead and no sum is 0."""
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    return model


def seen_by(model, n, unit):
    """First and last row of an n x n image that the units of one row of the result read, from the
    gradient."""
    x = tinycnn.ones(1, 1, n, n, requires_grad=True)
    y = model(x)
    chosen = tinycnn.zeros_like(y)
    chosen[:, :, unit] = 1
    (y * chosen).sum().backward()
    rows = np.flatnonzero(x.grad.numpy()[0, 0].sum(1))
    return rows[0], rows[-1]


def inner(self, x):
    a = self.one(x)
    b = F.avg_pool2d(self.two(x), 3, 1, padding=1)
    return tinycnn.cat([a, b, x[:, :, 1:-1, 1:-1]], 1)


def u_net(self, x):
    y = self.up(F.relu(self.deep(F.avg_pool2d(x, 2))))
    return self.end(tinycnn.cat([x, y], 1))


def pixel_shuffle(self, x):
    y = self.conv(x)
    N, _, H, W = y.shape
    y = y.reshape(N, 1, 2, 2, H, W).permute(0, 1, 4, 2, 5, 3)
    return y.reshape(N, 1, 2 * H, 2 * W)


def space_to_depth(self, x):
    N, C, H, W = x.shape
    y = x.reshape(N, C, H // 2, 2, W // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return self.conv(y.reshape(N, 4 * C, H // 2, W // 2))


def channel_shuffle(self, x):
    y = self.one(x)
    N, C, H, W = y.shape
    return self.two(y.reshape(N, 2, C // 2, H, W).transpose(1, 2).reshape(N, C, H, W))


def dense_block(self, x):
    for layer in self.layers:
        x = tinycnn.cat([x, F.relu(layer(x))], 1)
    return x


def split_and_add(self, x):
    a, b = self.one(x).chunk(2, 1)
    return self.two(a) + b[:, :, 2:, 2:]


def halves_of_the_image(self, x):
    top, bottom = x.split(16, 2)
    return self.conv(bottom) if self.bottom else self.conv(top)


NETS = {
    "stack": lambda: nn.Sequential(conv(), nn.AvgPool2d(3, 2, 1), conv(k=5, dilation=2),
                                   nn.AvgPool2d(2)),
    "residual": lambda: Calls(lambda self, x: self.a(x) + x, a=conv(padding=1)),
    "residual, other side": lambda: Calls(lambda self, x: x + self.b(self.a(x)),
                                          a=conv(padding=1), b=conv(padding=1)),
    "inception": lambda: Calls(inner, one=conv(k=3), two=conv(k=3)),
    "u-net": lambda: Calls(u_net, deep=conv(padding=1), up=nn.ConvTranspose2d(1, 1, 2, stride=2),
                           end=conv(2)),
    "pixel shuffle": lambda: Calls(pixel_shuffle, conv=conv(1, 4)),
    "space to depth": lambda: Calls(space_to_depth, conv=conv(4)),
    "channel shuffle": lambda: Calls(channel_shuffle, one=conv(1, 4), two=conv(4, 2, groups=2)),
    "dense": lambda: Calls(dense_block, layers=nn.ModuleList(
        [conv(i, 1, padding=1) for i in (1, 2, 3)])),
    "split": lambda: Calls(split_and_add, one=conv(1, 2), two=conv()),
    "padded": lambda: Calls(lambda self, x: self.a(F.pad(x, (2, 1, 2, 1))), a=conv(stride=2)),
    "cropped": lambda: Calls(lambda self, x: self.a(F.pad(x, (-2, -2, -3, -1)))[..., ::2, :],
                             a=conv()),
    "slice with a step": lambda: Calls(lambda self, x: self.a(x[:, :, 3::2]), a=conv()),
    "top": lambda: Calls(halves_of_the_image, conv=conv(), bottom=None),
    "bottom": lambda: Calls(halves_of_the_image, conv=conv(), bottom=nn.Identity()),
    "transposed layout": lambda: Calls(
        lambda self, x: self.a(x.transpose(2, 3)).permute(0, 1, 3, 2), a=conv(k=(3, 5))),
    "squeezed": lambda: Calls(lambda self, x: self.a(x.squeeze(1).unsqueeze(1)), a=conv()),
    "gate": lambda: Calls(lambda self, x: self.a(x) * F.sigmoid(self.b(x)), a=conv(k=3, padding=1),
                          b=conv(k=5, padding=2)),
    "softmax over channels": lambda: Calls(lambda self, x: F.softmax(self.a(x), 1), a=conv(1, 2)),
    "mean over channels": lambda: Calls(
        lambda self, x: self.b(self.a(x).mean(1, keepdim=True)), a=conv(1, 2), b=conv()),
    "mean without the axis": lambda: Calls(
        lambda self, x: self.b(self.a(x).mean(1).unsqueeze(1)), a=conv(1, 2), b=conv()),
    "detached": lambda: Calls(lambda self, x: self.a(x) + 0 * x[:, :, 2:, 2:].detach(), a=conv()),
}

BETWEEN_PIXELS = ("u-net", "pixel shuffle")


@pytest.mark.parametrize("name", NETS)
def test_a_field_is_where_the_gradient_goes(name):
    """For every unit away from the border, the range of rows with a gradient. Where units lie
    between pixels, some see fewer than others: then the largest counts, and a pixel is allowed."""
    n, model = 32, positive(NETS[name]())
    info = summary(model, (1, 1, n, n))
    row = info.rows[0]
    field = arithmetic.Field(row.receptive_field[0], row.jump[0], row.start[0])
    slack, sizes = (0.5 if name in BETWEEN_PIXELS else 0), []
    for unit in range(row.output_shape[2]):
        found, (first, last) = seen_by(model, n, unit), field.inputs(unit)
        assert first - slack <= found[0]
        assert found[1] <= last + slack
        if first >= 0 and last < n:
            sizes.append(found[1] - found[0] + 1)
    assert len(sizes) > 1
    assert field.size - 2 * slack <= max(sizes) <= field.size
    assert min(sizes) == field.size or slack


EVERYTHING = {
    "linear": lambda: nn.Sequential(conv(), nn.Flatten(), nn.Linear(900, 2)),
    "functional flatten": lambda: Calls(lambda self, x: self.b(tinycnn.flatten(self.a(x), 1)),
                                        a=conv(), b=nn.Linear(900, 2)),
    "view": lambda: Calls(lambda self, x: self.b(self.a(x).reshape(len(x), -1)), a=conv(),
                          b=nn.Linear(900, 2)),
    "global average": lambda: nn.Sequential(conv(padding=1), nn.AdaptiveAvgPool2d(1)),
    "global maximum": lambda: nn.Sequential(conv(padding=1), nn.AdaptiveMaxPool2d((1, 1))),
    "pooling with one window": lambda: nn.Sequential(conv(padding=1), nn.AvgPool2d(32)),
    "mean": lambda: Calls(lambda self, x: self.a(x).mean((2, 3)), a=conv(padding=1)),
    "amax": lambda: Calls(lambda self, x: tinycnn.amax(self.a(x), (2, 3)), a=conv(padding=1)),
    "squeeze and excitation": lambda: Calls(
        lambda self, x: self.a(x) * F.sigmoid(self.b(x.mean((2, 3))).reshape(-1, 1, 1, 1)),
        a=conv(padding=1), b=nn.Linear(1, 1)),
    "attention": lambda: Calls(
        lambda self, x: (F.softmax(x.reshape(-1, 1024, 1) @ x.reshape(-1, 1, 1024), -1)
                         @ x.reshape(-1, 1024, 1)).reshape(x.shape)),
    "softmax over pixels": lambda: Calls(lambda self, x: F.softmax(F.softmax(x, 2), 3)),
    "loss": lambda: Calls(lambda self, x: F.mse_loss(x, tinycnn.zeros_like(x))),
    "sum": lambda: Calls(lambda self, x: self.a(x).sum(), a=conv(padding=1)),
    "sorted": lambda: Calls(lambda self, x: x.sort(2)[0].sort(3)[0]),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_units_that_depend_on_every_pixel_see_all(name):
    row = summary(EVERYTHING[name](), (2, 1, 32, 32)).rows[0]
    assert row.sees_all
    assert (row.receptive_field, row.jump) == ((32, 32), (0, 0))


def test_a_unit_without_a_place_sees_what_its_pixels_see():
    """Behind a flattening of the middle 2 x 2 of 8 x 8 pixels."""
    model = Calls(lambda self, x: self.a(x)[:, :, 2:4, 2:4].flatten(1), a=conv())
    row = summary(model, (1, 1, 8, 8)).rows[0]
    assert (row.receptive_field, row.jump, row.start, row.sees_all) == (
        (4, 4), (0, 0), (3.5, 3.5), False)


def test_one_picked_pixel_sees_its_window():
    row = summary(Calls(lambda self, x: self.a(x)[:, :, 3, -1], a=conv()), (1, 1, 8, 8)).rows[0]
    assert (row.receptive_field, row.start) == ((3, 3), (4, 6))


@pytest.mark.parametrize(("forward", "size", "jump"), [
    (lambda self, x: x @ tinycnn.ones(8, 8), (1, 8), (1, 0)),  # rows are mixed, or columns
    (lambda self, x: tinycnn.ones(8, 8) @ x, (8, 1), (0, 1)),
    (lambda self, x: F.linear(x, tinycnn.ones(5, 8)), (1, 8), (1, 0)),
    (lambda self, x: tinycnn.cat([self.a(x), self.a(x)], 3), (3, 8), (1, 0)),
    (lambda self, x: self.a(x).cumsum(2), (8, 3), (0, 1)),
    (lambda self, x: self.a(x)[:, :, [0, 2]], (8, 8), (0, 0)),  # picked by a list: any
    (lambda self, x: self.a(x) + x[:, :, 2:3, 1:-1], (8, 3), (0, 1)),  # one row, read by all
    (lambda self, x: self.a(x).flip(3), (3, 8), (1, 0)),
])
def test_what_mixes_along_one_axis_leaves_the_other(forward, size, jump):
    row = summary(Calls(forward, a=conv()), (1, 1, 8, 8)).rows[0]
    assert (row.receptive_field, row.jump) == (size, jump)


def test_axes_of_one_pixel_are_told_apart_without_a_batch():
    model = nn.Sequential(conv(k=8), conv(k=(1, 3), padding=1))
    assert summary(model, (1, 8, 8)).rows[2].receptive_field == (8, 10)


def test_a_sum_in_place_with_everything_frozen_is_a_sum():
    def forward(self, x):
        y = self.a(x)
        y += self.b(x)
        return y

    model = Calls(forward, a=conv(padding=1), b=conv(k=5, padding=2)).requires_grad_(False)
    assert summary(model, (1, 1, 8, 8)).rows[0].receptive_field == (5, 5)


def test_axes_that_differ_are_both_shown():
    info = summary(nn.Sequential(conv(k=(1, 7), stride=(1, 2)), conv(k=(3, 1))), (1, 1, 16, 16))
    last = info.rows[-1]
    assert (last.receptive_field, last.jump, last.start) == ((3, 7), (1, 2), (1, 3))
    assert "3x7  1x2   1x3" in str(info)


@pytest.mark.parametrize(("layer", "shape", "size"), [
    (lambda: nn.Conv1d(2, 3, 5, dilation=2), (1, 2, 20), (9,)),
    (lambda: nn.Conv3d(1, 1, (1, 2, 3)), (1, 1, 4, 5, 6), (1, 2, 3)),
    (lambda: nn.MaxPool1d(3), (2, 20), (3,)),
    (lambda: nn.Conv2d(3, 4, 3), (3, 8, 9), (3, 3)),  # one image without a batch
])
def test_one_two_and_three_axes_with_and_without_a_batch(layer, shape, size):
    info = summary(layer(), shape)
    assert info.rows[0].receptive_field == size
    with_batch = shape if len(shape) == len(size) + 2 else (1, *shape)
    assert info.total_multiply_adds == summary(layer(), with_batch).total_multiply_adds


def test_windows_of_several_lengths_are_told_by_what_they_may_see():
    """5 pixels in 2 windows: of 3 each, which overlap."""
    row = summary(nn.AdaptiveAvgPool2d(2), (1, 1, 5, 5)).rows[0]
    assert row.sees_all
    row = summary(nn.AdaptiveAvgPool2d(2), (1, 1, 6, 6)).rows[0]
    assert (row.receptive_field, row.jump, row.start) == ((3, 3), (3, 3), (1, 1))


def rule(name, shape, out, *args):
    """What a rule makes of an input of this shape: (size, jump, start) along its last axis, or
    without a jump if its units have no place."""
    return RULES[name](at_input(shape), shape, (None, *args), out)[-1].field


def test_rules_of_operations_that_other_files_bring():
    """Unpooling by two; interpolation by two with one, two and four taps, and by no whole number;
    a locally connected layer."""
    shape, out = (1, 1, 1, 8), (1, 1, 1, 16)
    assert rule("MaxUnpool", shape, out, None, "max_unpool2d", (1, 16)) == (1, 0.5, -0.25)
    for filter, size in ("nearest", 1), ("linear", 2), ("cubic", 4):
        axis = SimpleNamespace(filter=filter, align_corners=False)
        plan = SimpleNamespace(dims=2, axes=(axis,) * 3)
        assert rule("Resize", shape, out, plan) == (size, 0.5, -0.25)
        assert rule("Resize", shape, (1, 1, 1, 12), plan) == (8, 0, 3.5)
        assert rule("Resize", shape, shape, plan) == (1, 1, 0)
    assert rule("PixelShuffle", (1, 4, 8, 8), (1, 1, 16, 16), 2, False) == (1, 0.5, -0.25)
    assert rule("PixelShuffle", (1, 1, 8, 8), (1, 4, 4, 4), 2, True) == (2, 2, 0.5)
    assert rule("Unfold", (1, 1, 8, 8), (1, 9, 36), None) == (8, 0, 3.5)
    window = conv_window("conv1d", (8,), (3,), 2, 1, 1)
    assert rule("LocallyConnected", (1, 1, 8), (1, 1, 4), None, None, (1, window, (1, 1, 4))) == (
        3, 2, 0)


class Doubled(Function):
    """An operation of one's own: every pixel twice."""

    @staticmethod
    def forward(ctx, x):
        return x.repeat(2, -1)


class Largest(Function):
    """Another one: the largest of all channels."""

    @staticmethod
    def forward(ctx, x):
        return x.max(1, keepdims=True)


class Negated(Function):
    @staticmethod
    def forward(ctx, x):
        return -x


def test_an_operation_of_ones_own_keeps_the_field_if_it_keeps_the_shape():
    info = summary(Calls(lambda self, x: Negated.apply(self.a(x)), a=conv()), (1, 1, 8, 8))
    assert info.rows[0].receptive_field == (3, 3)
    info = summary(Calls(lambda self, x: Largest.apply(self.a(x)), a=conv(1, 2)), (1, 1, 8, 8))
    assert info.rows[0].receptive_field == (3, 3)
    info = summary(Calls(lambda self, x: self.a(Doubled.apply(x)), a=conv()), (1, 1, 8, 8))
    assert info.rows[0].receptive_field is None
    assert info.total_multiply_adds == 9 * 6 * 14


def test_a_branch_that_does_not_depend_on_the_input_changes_no_field():
    model = Calls(lambda self, x: self.a(x) * self.scale + tinycnn.ones(6, 6), a=conv(),
                  scale=nn.Parameter([2.0]))
    assert summary(model, (1, 1, 8, 8)).rows[0].receptive_field == (3, 3)


def test_weights_made_from_the_input_let_units_see_all_that_they_see():
    model = Calls(lambda self, x: F.conv2d(x, self.b(x.mean((2, 3))).reshape(1, 1, 3, 3)),
                  b=nn.Linear(1, 9))
    info = summary(model, (1, 1, 8, 8))
    assert info.rows[0].sees_all
    assert info.total_multiply_adds == 9 * 36 + 9

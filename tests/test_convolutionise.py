"""A classifier made convolutional and back gives the same outputs; a convolution is its matrix."""

import numpy as np
import pytest

import tinycnn
from tinycnn import nn
from tinycnn.models import LeNet5
from tinycnn.nn.utils import to_conv, to_linear


def image(*shape, dtype="float32"):
    return tinycnn.tensor(np.random.default_rng(0).standard_normal(shape).astype(dtype))


def assert_close(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)


CLASSIFIERS = [  # net, size of its input
    (nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                   nn.Linear(4 * 3 * 2, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 3)), (2, 8, 6)),
    (nn.Sequential(nn.Flatten(), nn.Linear(12, 5, bias=False)), (3, 2, 2)),
    (nn.Sequential(nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU()),
                   nn.Sequential(nn.Flatten(), nn.Linear(3 * 5, 4))), (2, 7)),
    (nn.Sequential(nn.Conv3d(1, 2, 2), nn.Flatten(), nn.Linear(2 * 2 * 3 * 1, 4)), (1, 3, 4, 2)),
    (nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
     (1, 7, 6)),
    (nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten(),
                   nn.Linear(64, 3)), (1, 6, 6)),
    (LeNet5(), (1, 28, 28)),
    (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 9, 6), nn.BatchNorm1d(6),
                   nn.ReLU(), nn.Dropout1d(), nn.Linear(6, 4), nn.GLU(), nn.LogSoftmax(-1)),
     (1, 5, 5)),
    (nn.Sequential(nn.Conv1d(1, 4, 3), nn.Flatten(), nn.Linear(12, 6, dtype="float64"),
                   nn.BatchNorm1d(6, dtype="float64"), nn.Maxout(2), nn.Softmax(1))[1:], (4, 3)),
]


@pytest.mark.parametrize(("net", "size"), CLASSIFIERS)
def test_a_classifier_made_convolutional_and_back_gives_the_same_outputs(net, size):
    net.eval()
    x = image(3, *size, dtype=next(net.parameters()).dtype)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    wide = to_conv(net, size)
    assert not [m for m in wide.modules() if isinstance(m, (nn.Linear, nn.Flatten))]
    y = wide(x)
    assert y.shape == (*net(x).shape, *(1,) * (len(size) - 1))
    assert_close(y.flatten(1), net(x))
    if any(isinstance(m, nn.AdaptiveAvgPool2d) for m in net.modules()):
        return
    back = to_linear(wide, size)
    assert_close(back(x), net(x))
    if not isinstance(net, LeNet5):  # whose C5 is a convolution that covers its input
        kinds = [type(m) for m in net.modules() if not isinstance(m, nn.Sequential)]
        kinds = [nn.Dropout if kind is nn.Dropout1d else kind for kind in kinds]
        assert [type(m) for m in back] == kinds


def test_on_a_larger_image_every_place_is_the_classifiers_answer_there():
    net = LeNet5(padding=0).eval()
    wide = to_conv(net, (1, 32, 32))
    x = image(2, 1, 36, 44)
    y = wide(x)
    assert y.shape == (2, 10, 2, 4)  # its layers' strides: every fourth pixel
    for i in range(2):
        for j in range(4):
            assert_close(y[:, :, i, j], net(x[:, :, 4 * i : 4 * i + 32, 4 * j : 4 * j + 32]))


def test_a_convolutional_classifier_still_learns_and_shares_nothing_that_it_converted():
    net, size = CLASSIFIERS[0]
    wide = to_conv(net, size)
    wide(image(2, *size)).sum().backward()
    assert wide[3].weight.grad is not None
    assert net[4].weight.grad is None
    with tinycnn.no_grad():
        wide[3].weight.zero_()
    assert net[4].weight.abs().max().item() > 0
    assert wide[0] is net[0]


CONVOLUTIONS = [
    (nn.Conv2d(2, 3, 3), (2, 5, 4)), (nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), (2, 5, 6)),
    (nn.Conv2d(1, 2, 2, dilation=2, bias=False), (1, 4, 5)), (nn.Conv2d(2, 3, (4, 5)), (2, 4, 5)),
    (nn.Conv1d(2, 3, 3, padding="same"), (2, 6)), (nn.Conv3d(1, 2, 2), (1, 3, 3, 2)),
    (nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), (1, 4, 4)),
    (nn.Conv1d(1, 2, 3, padding="full"), (1, 4)),
]


@pytest.mark.parametrize(("conv", "size"), CONVOLUTIONS)
def test_a_convolution_is_its_matrix(conv, size):
    linear = to_linear(conv, size)
    x = image(3, *size)
    assert_close(linear(x.flatten(1)), conv(x).flatten(1))


def test_the_matrix_of_a_convolution_is_sparse_and_repeats_its_weights():
    conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)
    matrix = to_linear(conv, (1, 5)).weight.detach().numpy()
    assert (matrix != 0).sum() == 13  # of 25: the border has two windows with two pixels
    for offset, value in zip((-1, 0, 1), conv.weight.detach().numpy().ravel()):
        assert (np.diag(matrix, offset) == value).all()


def test_what_follows_the_covering_convolution_is_made_for_rows():
    net = nn.Sequential(nn.Conv2d(1, 4, 8), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                        nn.Dropout2d(), nn.Conv2d(4, 2, 1), nn.Softmax2d()).eval()
    rows = to_linear(net, (1, 8, 8))
    x = image(3, 1, 8, 8)
    assert_close(rows(x), net(x).flatten(1))
    assert [type(m).__name__ for m in rows] == [
        "Flatten", "Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear", "Softmax"]


def test_every_modules_mode_stays_as_it_was():
    block = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = block

        def forward(self, x):
            return self.inside(x)

    net = nn.Sequential(Block(), nn.Flatten(), nn.Linear(8, 2)).train()
    block[1].eval()
    to_conv(net, (1, 4, 4))
    assert [m.training for m in (net, net[0], block, block[1], net[2])] == [
        True, True, True, False, True]


def test_a_net_in_float64_and_in_training_stays_so():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, dtype="float64"), nn.BatchNorm2d(2, dtype="float64"),
                        nn.Flatten(), nn.Linear(8, 3, dtype="float64")).train()
    before = net[1].num_batches_tracked.item()
    wide = to_conv(net, (1, 4, 4))
    assert wide[2].weight.dtype == "float64"
    assert net[1].training
    assert net[1].num_batches_tracked.item() == before


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: to_conv(nn.Linear(5, 2), (1, 2, 2)), ValueError,
     r"to_conv: expected a Linear of 4 inputs behind maps \(1, 2, 2\), got in_features=5"),
    (lambda: to_conv(nn.Linear(4, 2), 4), ValueError, r"to_conv: expected input_size \(C, L\)"),
    (lambda: to_conv(nn.ReLU(), (1, 2, 2)), TypeError,
     "to_conv: expected Linear or Sequential, got ReLU"),
    (lambda: to_conv(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4, 1)),
                     (1, 6, 6)), ValueError, "to_conv: expected adaptive pooling to one pixel"),
    (lambda: to_linear(nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 4, 4)), ValueError,
     r"to_linear: expected a convolution that covers its whole input, .* maps \(2, 2, 2\) at"),
    (lambda: to_linear(nn.Linear(4, 2), (1, 2, 2)), TypeError,
     "to_linear: expected Conv1d, Conv2d, Conv3d or Sequential, got Linear"),
    (lambda: to_conv(nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.LayerNorm(2)), (1, 2, 2)),
     ValueError, "to_conv: expected behind the linear layers activations, .* got LayerNorm"),
    (lambda: to_linear(nn.Conv1d(1, 1, 3), (1,)), ValueError, "to_linear: expected input_size"),
])
def test_says_what_does_not_fit(make, error, message):
    with pytest.raises(error, match=message):
        make()

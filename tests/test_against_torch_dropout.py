"""Dropout does what PyTorch's does: the same two values, over the same parts of the input."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
TF = torch.nn.functional

CASES = [
    ("dropout", (40, 50)), ("dropout1d", (40, 30, 5)), ("dropout1d", (400, 5)),
    ("dropout2d", (40, 30, 5, 2)), ("dropout2d", (40, 30, 5)), ("dropout3d", (40, 30, 2, 3, 2)),
    ("dropout3d", (400, 2, 3, 2)), ("alpha_dropout", (40, 50)),
    ("feature_alpha_dropout", (40, 30)), ("feature_alpha_dropout", (40, 30, 5, 2)),
]


def parts(y):
    """Along which axes all numbers are alike."""
    return tuple([axis for axis in range(y.ndim)
                  if (y == np.take(y, [0], axis)).all() and y.shape[axis] > 1])


@pytest.mark.filterwarnings("ignore:.*dropout2d")
@pytest.mark.parametrize("p", [0.25, 0.5])
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_the_same_values_over_the_same_parts(name, shape, p):
    y = getattr(F, name)(tinycnn.ones(*shape), p, True).numpy()
    expected = getattr(TF, name)(torch.ones(*shape), p, True).numpy()
    np.testing.assert_allclose(np.unique(y.round(5)), np.unique(expected.round(5)), atol=2e-5)
    assert parts(y) == parts(expected)


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout",
                                  "FeatureAlphaDropout"])
def test_layers_have_the_same_text(name):
    for arguments in ((), (0.2,), (0.2, True)):
        assert repr(getattr(nn, name)(*arguments)) == repr(getattr(torch.nn, name)(*arguments))


@pytest.mark.parametrize("name", ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
                                  "conv_transpose2d", "conv_transpose3d", "sigmoid", "tanh", "relu",
                                  "leaky_relu", "selu"])
def test_gains_are_the_same(name):
    assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)

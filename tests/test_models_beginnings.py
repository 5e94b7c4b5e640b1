"""Perceptron to LeNet-5: the counts of the papers, what each can learn, what it cannot, and every
message."""

import math

import numpy as np
import pytest
from model_counts import counts

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import models, nn
from tinycnn.data import SyntheticDigits
from tinycnn.models import (
    Adaline,
    CLayer,
    LeNet5,
    LeNet1989,
    LeNet1998,
    Madaline,
    Neocognitron,
    Perceptron,
    SLayer,
    TwoLayerNet,
    discriminative_loss,
)
from tinycnn.models.lenet1998 import C3_TABLE, CODES
from tinycnn.optim import SGD

CORNERS = tinycnn.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
XOR = tinycnn.tensor([-1.0, 1.0, 1.0, -1.0])


def parameters(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def each(net):
    return [parameters(layer) for layer in net if parameters(layer)]


@pytest.fixture
def separable():
    tinycnn.manual_seed(0)
    x = tinycnn.randn(200, 5)
    score = x @ tinycnn.tensor([1.0, -2.0, 0.5, 0.0, 3.0]) + 0.7
    far = score.abs() > 0.3
    return x[far], score[far].sign()


# --- perceptron, Adaline, Madaline, two layers ---

def test_a_perceptron_learns_what_a_plane_divides_and_then_stands_still(separable):
    unit = Perceptron(5)
    mistakes = [unit.learn(*separable) for _ in range(50)]
    assert mistakes[0] > 0
    assert mistakes[-1] == 0
    assert (unit(separable[0]) == separable[1]).all().item()


def test_the_perceptron_rule_is_gradient_descent_on_its_criterion(separable):
    """One step on max(0, -t y) for each example, with the gradient at 0 that moves."""
    x, t = separable
    unit, weight, bias = Perceptron(5), np.zeros(5), 0.0
    unit.learn(x, t, rate=0.5)
    for row, target in zip(x.numpy(), t.numpy()):
        y = row @ weight + bias
        if (1 if y > 0 else -1) != target:
            weight, bias = weight + 0.5 * target * row, bias + 0.5 * target
    np.testing.assert_allclose(unit.weight.detach().numpy()[0], weight, rtol=1e-5)
    np.testing.assert_allclose(unit.bias.item(), bias, rtol=1e-5)


def test_a_perceptron_never_ends_on_exclusive_or():
    unit = Perceptron(2)
    assert all(unit.learn(CORNERS, XOR) > 0 for _ in range(100))


def test_adaline_goes_to_the_least_squares_solution(separable):
    x, t = separable
    unit = Adaline(5)
    errors = [unit.learn(x, t, rate=0.002) for _ in range(300)]
    design = np.c_[x.numpy(), np.ones(len(x))]
    solution = np.linalg.lstsq(design, t.numpy(), rcond=None)[0]
    learnt = np.r_[unit.weight.detach().numpy()[0], unit.bias.detach().numpy()]
    np.testing.assert_allclose(learnt, solution, atol=0.02)
    assert errors[-1] < errors[0]


def test_the_adaline_rule_is_a_step_of_sgd_on_half_the_squared_error():
    unit, line = Adaline(2), nn.Linear(2, 1)
    for parameter in line.parameters():
        nn.init.zeros_(parameter)
    optimizer = SGD(line.parameters(), lr=0.1)
    for x, t in zip(CORNERS, XOR):
        optimizer.zero_grad()
        (F.mse_loss(line(x), t.reshape(1)) / 2).backward()
        optimizer.step()
    unit.learn(CORNERS, XOR, rate=0.1)
    learnt = unit.weight.detach().numpy()
    np.testing.assert_allclose(learnt, line.weight.detach().numpy(), rtol=1e-6)


def test_adaline_finds_nothing_in_exclusive_or():
    unit = Adaline(2)
    for _ in range(500):
        unit.learn(CORNERS, XOR, rate=0.01)
    assert unit.score(CORNERS).abs().max().item() < 0.1


@pytest.mark.parametrize(("units", "vote"), [(2, "and"), (2, "or"), (3, "majority")])
@pytest.mark.parametrize("seed", range(3))
def test_madaline_solves_exclusive_or(units, vote, seed):
    tinycnn.manual_seed(seed)
    net = Madaline(2, units, vote)
    assert 0 in [net.learn(CORNERS, XOR) for _ in range(300)]
    assert net(CORNERS).tolist() == XOR.tolist()


def test_madaline_turns_only_as_many_units_as_it_must():
    net = Madaline(1, 3)
    with tinycnn.no_grad():
        net.layer.weight.copy_(tinycnn.tensor([[-1.0], [-3.0], [2.0]]))
        net.layer.bias.copy_(tinycnn.zeros(3))
    assert net.learn(tinycnn.tensor([[1.0]]), tinycnn.tensor([1.0])) == 1
    scores = net.layer(tinycnn.tensor([1.0])).tolist()
    assert scores == pytest.approx([1.0, -3.0, 2.0])  # the one nearest 0, exactly to its target


def test_two_layers_solve_exclusive_or():
    tinycnn.manual_seed(0)
    net = TwoLayerNet(2, 4, 1)
    optimizer = SGD(net.parameters(), lr=0.5, momentum=0.9)
    for _ in range(300):
        optimizer.zero_grad()
        F.mse_loss(net(CORNERS)[:, 0], XOR).backward()
        optimizer.step()
    assert net(CORNERS)[:, 0].sign().tolist() == XOR.tolist()
    assert parameters(net) == 3 * 4 + 5


# --- neocognitron ---

def test_an_s_cell_measures_the_cosine_between_window_and_memory():
    """After one lesson with a large rate, u = r relu((1 + r) / r cos - 1), about."""
    layer = SLayer(1, 1, size=3, selectivity=2.0, rate=1e6)
    rng = np.random.default_rng(0)
    seen, other = rng.uniform(0, 1, (2, 1, 1, 3, 3)).astype("float32")
    layer.learn(tinycnn.tensor(seen), zone=3)
    g = layer.window.numpy()[0, 0]
    center = layer(tinycnn.tensor(other)).numpy()[0, 0, 1, 1]
    dot = (g * seen * other).sum()
    cosine = dot / math.sqrt((g * seen * seen).sum() * (g * other * other).sum())
    assert center == pytest.approx(2 * max(1.5 * cosine - 1, 0), abs=1e-3)
    assert layer(tinycnn.tensor(seen)).numpy()[0, 0, 1, 1] == pytest.approx(1, abs=1e-3)


def test_planes_share_the_work_and_only_one_cell_of_each_learns():
    tinycnn.manual_seed(0)
    layer = SLayer(1, 6, size=3)
    image = np.zeros((1, 1, 12, 12), "float32")
    image[..., 2, 1:5] = image[..., 7:11, 8] = 1  # a bar that lies, one that stands
    for _ in range(3):
        layer.learn(tinycnn.tensor(image))
    memory = layer.excitation.weight.numpy()[layer.inhibition.numpy() > 0]
    assert len(memory) >= 2
    flat = memory.reshape(len(memory), -1)
    flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    assert (flat @ flat.T).min() < 0.9  # they have not all found the same


def test_an_image_of_nothing_teaches_nothing():
    net = Neocognitron(planes=(3, 3, 3))
    assert [net.learn(tinycnn.zeros(1, 1, 28, 28), stage) for stage in range(3)] == [0, 0, 0]


def test_c_cells_forgive_a_shift():
    x = np.zeros((2, 2, 9, 9), "float32")
    x[0, 0, 4, 4] = x[1, 0, 4, 5] = 1
    y = CLayer(5, 1)(tinycnn.tensor(x)).numpy()
    assert y[0, 0, 4, 4] > 0.05
    assert y[1, 0, 4, 4] > 0.5 * y[0, 0, 4, 4]
    assert (y[:, 1] == 0).all()  # the mean of all planes inhibits


def test_the_neocognitron_tells_shifted_digits_apart_that_nobody_named():
    """Features are learnt without labels; a least squares fit to 500 digits reads the others."""
    tinycnn.manual_seed(0)
    rng = np.random.default_rng(0)
    data = SyntheticDigits(size=700)
    images = np.stack([np.roll(x, rng.integers(-3, 4, 2), (0, 1)) for x in data.data])
    x = F.relu(tinycnn.tensor(images[:, None].astype("float32") / 255) - 0.2)
    net = Neocognitron()
    untaught = _read(net(x), data.targets)
    for stage in range(3):
        for i in range(300):
            net.learn(x[i : i + 1], stage)
    assert _read(net(x), data.targets) > max(0.5, untaught + 0.2)  # chance is 0.1


def _read(features, labels):
    """Accuracy on the digits from 500 on."""
    rows = features.numpy().reshape(len(labels), -1).astype("float64")
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    known, right = rows[:500], np.eye(10)[labels[:500]]
    fit = np.linalg.solve(known.T @ known + 1e-2 * np.eye(rows.shape[1]), known.T @ right)
    return ((rows[500:] @ fit).argmax(1) == labels[500:]).mean()


# --- LeNet, ConvNetJS ---

def test_lenet_1989_has_the_counts_of_the_paper():
    net = LeNet1989()
    assert each(net) == [1068, 2592, 5790, 310]
    assert parameters(net) == 9760
    info = tinycnn.summary(net, (1, 1, 16, 16))
    assert info.total_multiply_adds == 768 * 25 + 192 * 200 + 30 * 192 + 10 * 30
    of_units = 768 + 192  # biases that are no layer's, but added to the maps
    assert info.total_connections + of_units == 64_660
    x = tinycnn.zeros(2, 1, 16, 16)
    assert [net[:k](x).shape for k in (1, 2, 5, 7)] == [
        (2, 12, 8, 8), (2, 12, 4, 4), (2, 30), (2, 10)]


def test_lenet_1989_sees_background_beyond_the_border():
    net = LeNet1989()
    y = net[0](tinycnn.full((1, 1, 16, 16), -1.0))
    assert y.detach().numpy().reshape(12, -1).std(1).max() < 1e-6


def test_lenet_of_1998_has_the_counts_of_the_paper():
    net = LeNet1998()
    assert each(net) == [156, 12, 1516, 32, 48_120, 10_164]
    assert parameters(net) == 60_000
    maps = [len(row) for row in C3_TABLE]
    assert (maps.count(3), maps.count(4), maps.count(6)) == (6, 9, 1)
    assert tinycnn.summary(net, (1, 1, 32, 32)).total_connections == 340_908
    x = tinycnn.zeros(2, 1, 32, 32)
    shapes = [net[:k](x).shape for k in (1, 3, 5, 7, 9, 12)]
    assert shapes == [(2, 6, 28, 28), (2, 6, 14, 14), (2, 16, 10, 10), (2, 16, 5, 5),
                      (2, 120, 1, 1), (2, 84)]


def test_lenet5_answers_with_the_distance_to_a_drawing():
    assert np.shape(CODES) == (10, 84)
    assert set(np.ravel(CODES)) == {-1.0, 1.0}
    apart = [np.sum(np.array(a) != b) for i, a in enumerate(CODES) for b in CODES[:i]]
    assert min(apart) >= 9
    distances = LeNet1998()[-1](tinycnn.tensor(CODES))
    assert distances.argmin(1).tolist() == list(range(10))
    assert np.abs(np.diag(distances.numpy())).max() == 0


def test_lenet5_drawn_for_a_zip_code_weights_within_the_fan_in():
    net = LeNet1998()
    for layer, inputs in (net[0], 25), (net[8], 400), (net[11], 120):
        bound = 2.4 / inputs
        assert 0.9 * bound < layer.weight.abs().max().item() <= bound
    largest = net[4].weight.abs().amax((1, 2)).detach().numpy()
    fan_in = np.repeat([25 * len(row) for row in C3_TABLE], [len(row) for row in C3_TABLE])
    assert (largest <= 2.4 / fan_in + 1e-7).all()
    assert (largest > 1.5 / fan_in).all()


def test_the_discriminative_loss_is_equation_9():
    rng = np.random.default_rng(0)
    y, t = rng.uniform(0, 5, (4, 10)), np.array([3, 1, 4, 1])
    expected = np.mean(y[range(4), t] + np.log(math.exp(-2) + np.exp(-y).sum(1)))
    loss = discriminative_loss(tinycnn.tensor(y, dtype="float64"), tinycnn.tensor(t), j=2.0)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("build", [LeNet1998, LeNet1989])
def test_an_old_lenet_learns_a_batch_by_heart(build):
    tinycnn.manual_seed(0)
    net, labels = build(), tinycnn.arange(10)
    images = tinycnn.randn(10, 1, *(2 * [32 if build is LeNet1998 else 16]))
    optimizer = SGD(net.parameters(), lr=2e-3 if build is LeNet1998 else 0.1, momentum=0.9)
    targets = 2 * F.one_hot(labels).to(tinycnn.float32) - 1
    for _ in range(150):
        y = net(images)
        loss = discriminative_loss(y, labels) if build is LeNet1998 else F.mse_loss(y, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    read = net(images).argmin(1) if build is LeNet1998 else net(images).argmax(1)
    assert read.tolist() == labels.tolist()


def test_modern_lenet_and_the_networks_of_convnetjs_have_their_counts():
    assert each(LeNet5()) == [156, 2416, 48_120, 10_164, 850]
    assert each(models.convnetjs_mnist()) == [208, 3216, 2570]
    assert each(models.convnetjs_cifar10()) == [1216, 8020, 10_020, 3210]
    assert parameters(models.convnetjs_mnist()) == 5994
    assert parameters(models.convnetjs_cifar10()) == 22_466
    x = tinycnn.zeros(1, 3, 32, 32)
    net = models.convnetjs_cifar10()
    assert [net[:k](x).shape[1:] for k in (2, 5, 8, 9)] == [
        (16, 32, 32), (20, 16, 16), (20, 8, 8), (20, 4, 4)]
    found = counts(net, 3, 32, 32)
    assert (found.multiply_adds, found.receptive_field) == (3_920_000, (36, 8))


# --- what is wrong ---

@pytest.mark.parametrize(("make", "message"), [
    (lambda: Perceptron(2).learn(CORNERS, tinycnn.tensor([0.0, 1.0, 1.0, 0.0])),
     "Perceptron.learn: expected targets of -1 or 1, got 0. Turn classes 0 and 1 into targets"),
    (lambda: Adaline(2).learn(CORNERS, XOR[:3]),
     r"Adaline.learn: expected input \(N, n\) and target \(N,\), got \(4, 2\) and \(3,\)"),
    (lambda: Madaline(2, 3, "most"), "Madaline: expected vote 'majority', 'and' or 'or'"),
    (lambda: Madaline(2, 2), "Madaline: expected at least one unit, and an odd number of them"),
    (lambda: SLayer(1, 4, size=4), "SLayer: expected an odd size, got 4"),
    (lambda: SLayer(1, 0), "SLayer: expected planes of at least 1, got 0"),
    (lambda: SLayer(1, 4, selectivity=0), "SLayer: expected selectivity above 0, got 0"),
    (lambda: SLayer(1, 4, rate=-1), "SLayer: expected rate above 0, got -1"),
    (lambda: SLayer(1, 4)(tinycnn.zeros(1, 5, 5)), r"SLayer: expected images \(N, C, H, W\), got"),
    (lambda: SLayer(1, 4).learn(tinycnn.zeros(2, 1, 5, 5)),
     r"SLayer.learn: expected images \(1, C, H, W\), got \(2, 1, 5, 5\)"),
    (lambda: SLayer(1, 4).learn(tinycnn.zeros(1, 1, 5, 5), 2), "SLayer.learn: expected an odd zo"),
    (lambda: CLayer(4), "CLayer: expected an odd size, got 4"),
    (lambda: CLayer(-1), "CLayer: expected an odd size, got -1"),
    (lambda: CLayer(stride=0), "CLayer: expected stride of at least 1, got 0"),
    (lambda: CLayer(saturation=0), "CLayer: expected saturation above 0, got 0"),
    (lambda: CLayer()(tinycnn.zeros(1, 5, 5)), r"CLayer: expected images \(N, K, H, W\), got"),
    (lambda: Neocognitron(planes=(3, 3)), r"Neocognitron: expected planes of three stages, got"),
    (lambda: Neocognitron(planes=3), "Neocognitron: expected planes of three stages, got 3"),
    (lambda: discriminative_loss(tinycnn.zeros(2, 10), tinycnn.tensor([0, 10])),
     "expected classes from 0 to 9"),
    (lambda: discriminative_loss(tinycnn.zeros(1, 10), tinycnn.tensor([0]), j=0),
     "discriminative_loss: expected j above 0, got 0"),
    (lambda: Perceptron(0), "Perceptron: expected in_features of at least 1, got 0"),
    (lambda: Adaline(0), "Adaline: expected in_features of at least 1, got 0"),
    (lambda: Madaline(0, 3), "Madaline: expected in_features of at least 1, got 0"),
    (lambda: Neocognitron().learn(tinycnn.zeros(1, 1, 28, 28), 3),
     "Neocognitron.learn: expected stage 0, 1 or 2, got 3"),
    (lambda: LeNet5(num_classes=0), "LeNet5: expected num_classes of at least 1, got 0"),
    (lambda: LeNet5()(tinycnn.zeros(1, 1, 32, 32)), r"LeNet5: expected images \(N, 1, 28, 28\)"),
    (lambda: LeNet5()(tinycnn.zeros(1, 3, 28, 28)), r"LeNet5: expected images \(N, 1, 28, 28\)"),
    (lambda: LeNet1989(num_classes=0), "LeNet1989: expected num_classes of at least 1, got 0"),
    (lambda: LeNet1989()(tinycnn.zeros(1, 1, 28, 28)),
     r"LeNet1989: expected images \(N, 1, 16, 16\)"),
    (lambda: LeNet1998()(tinycnn.zeros(1, 1, 28, 28)),
     r"LeNet1998: expected images \(N, 1, 32, 32\)"),
    (lambda: models.convnetjs_mnist()(tinycnn.zeros(1, 1, 28, 28)),
     r"convnetjs_mnist: expected images \(N, 1, 24, 24\)"),
    (lambda: models.convnetjs_cifar10(num_classes=0),
     "convnetjs_cifar10: expected num_classes of at least 1, got 0"),
    (lambda: TwoLayerNet(2, 0, 1), "TwoLayerNet: expected hidden of at least 1, got 0"),
])
def test_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Perceptron(2).learn(np.zeros((4, 2)), XOR),
     "Perceptron.learn: expected input to be a Tensor, got ndarray"),
    (lambda: Perceptron(2).learn(CORNERS, XOR, rate="x"), "expected rate to be a number"),
    (lambda: Adaline(2).learn(CORNERS, [1, 1, 1, 1]),
     "Adaline.learn: expected target to be a Tensor, got list"),
    (lambda: Adaline(2).learn(CORNERS, XOR, rate=None), "expected rate to be a number"),
    (lambda: Madaline(2, "x"), "Madaline: expected units to be an int"),
    (lambda: SLayer(1, 4, selectivity="x"), "SLayer: expected selectivity to be a number"),
    (lambda: LeNet5(padding="same"), "LeNet5: expected padding to be an int"),
    (lambda: LeNet5()(None), "LeNet5: expected a Tensor, got NoneType"),
])
def test_says_which_type_is_wrong(make, message):
    with pytest.raises(TypeError, match=message):
        make()

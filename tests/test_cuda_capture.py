"""Captured steps: what a replay computes is, bit for bit, what the step itself would have.

In the simulator a captured step is a list of what was done to arrays, done again: numbers that
Python held while it was recorded stay as they were, as in a CUDA graph.
"""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn, optim


def network():
    tinycnn.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.25), nn.Linear(8, 3),
    ).to("cuda")


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-3),
    "plain SGD": lambda p: optim.SGD(p, lr=0.1), "Adam": lambda p: optim.Adam(p, lr=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01), "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01), "Adadelta": lambda p: optim.Adadelta(p),
}


def train(optimizer, captured, steps=6):
    """Losses and parameters of some steps with a learning rate that changes in each."""
    model = network()
    optimizer = OPTIMIZERS[optimizer](model.parameters())
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.7)

    def step(images, labels):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    call = tinycnn.cuda.capture(step) if captured else step
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(steps):
        images = tinycnn.tensor(rng.standard_normal((3, 1, 6, 6), np.float32), device="cuda")
        labels = tinycnn.tensor(rng.integers(0, 3, 3), device="cuda")
        losses.append(call(images, labels).item())
        schedule.step()
    state = {name: value.cpu().numpy() for name, value in model.state_dict().items()}
    return losses, state, tinycnn.rand(1).item(), F.dropout(tinycnn.ones(64)).tolist()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_replays_are_the_step_itself_bit_for_bit(optimizer):
    losses, state, *random = train(optimizer, captured=False)
    replayed, replayed_state, *replayed_random = train(optimizer, captured=True)
    assert replayed == losses
    for name, value in state.items():
        np.testing.assert_array_equal(replayed_state[name], value, err_msg=name)
    assert replayed_random == random


def test_each_set_of_shapes_is_recorded_by_itself():
    calls = []

    @tinycnn.cuda.capture
    def double(x):
        calls.append(x.shape)
        return {"y": x * 2}

    for n in (2, 3, 2, 3, 2, 3, 2, 2):
        x = tinycnn.full((n,), float(n))
        y = double(x)["y"]  # from the CPU, too
        assert (y.device, y.tolist()) == ("cuda", [2.0 * n] * n)
    assert calls == [(2,), (3,)] * 3


def test_other_arguments_are_part_of_what_is_recorded():
    @tinycnn.cuda.capture
    def scale(x, factor):
        return x * factor

    x = tinycnn.ones(2, device="cuda")
    for _ in range(4):
        assert scale(x, 2).tolist() == [2, 2]
        assert scale(x, factor=3).tolist() == [3, 3]


def test_a_step_that_asks_for_numbers_is_told():
    @tinycnn.cuda.capture
    def ask(x):
        return x if x.sum() > 0 else -x

    x = tinycnn.ones(2, device="cuda")
    ask(x), ask(x)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="capture: expected a step that leaves its numbers"):
            ask(x)
    assert (x + 1).tolist() == [2, 2]  # nothing stays in the way


def test_seeds_count_in_replays():
    @tinycnn.cuda.capture
    def drop(x):
        return F.dropout(x)

    x = tinycnn.ones(64, device="cuda")
    tinycnn.manual_seed(5)
    expected = [F.dropout(x).tolist() for _ in range(3)]
    for _ in range(3):
        tinycnn.manual_seed(5)
        assert [drop(x).tolist() for _ in range(3)] == expected


def test_random_numbers_of_the_host_are_refused():
    @tinycnn.cuda.capture
    def noisy(x):
        return x + tinycnn.randn(2, device="cuda")

    x = tinycnn.zeros(2, device="cuda")
    assert noisy(x).tolist() != noisy(x).tolist()
    with pytest.raises(RuntimeError, match="generator: expected a captured step without random"):
        noisy(x)


def test_a_captured_step_within_another_is_part_of_it():
    total = tinycnn.zeros(1, device="cuda")

    @tinycnn.cuda.capture
    def inner(x):
        total.add_(x)
        return total

    @tinycnn.cuda.capture
    def outer(x):
        return inner(x) * 1

    one = tinycnn.ones(1, device="cuda")
    assert [outer(one).item() for _ in range(6)] == [1, 2, 3, 4, 5, 6]


def test_true_is_not_one():
    @tinycnn.cuda.capture
    def choose(x, flag):
        return x * (10 if flag is True else 1)

    x = tinycnn.ones(1, device="cuda")
    for _ in range(4):
        assert (choose(x, 1).item(), choose(x, True).item()) == (1, 10)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: tinycnn.cuda.capture(3), "capture: expected a function, got 3"),
    (lambda: tinycnn.cuda.capture(len)(np.zeros(2)),
     "capture: expected arguments that are Tensors"),
])
def test_misuse_is_explained(call, message):
    with pytest.raises(TypeError, match=message):
        call()

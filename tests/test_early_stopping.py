"""Early stopping: when it stops, what it gives back, and every message."""

import math

import pytest

import tinycnn
from tinycnn import nn
from tinycnn.optim import EarlyStopping


@pytest.mark.parametrize(("mode", "metrics", "stops_at"), [
    ("min", [3, 2, 2, 2, 2, 1], 5), ("min", [3, 2, 2, 2, 1], None), ("min", [3, 2, 1, 0], None),
    ("max", [1, 2, 1, 1, 1], 5),
    ("max", [math.nan, 1, math.nan, math.nan, math.nan], 5), ("min", [math.nan] * 3, 3),
    ("min", [1, math.inf, -math.inf, 0, 0, 0], 6),
])
def test_stops_after_more_than_patience_epochs_without_improvement(mode, metrics, stops_at):
    stopping = EarlyStopping(patience=2, mode=mode)
    stops = [stopping.step(metric) for metric in metrics]
    assert (stops.index(True) + 1 if True in stops else None) == stops_at


def test_a_gain_of_no_more_than_min_delta_does_not_count():
    stopping = EarlyStopping(patience=0, mode="max", min_delta=0.5)
    assert [stopping.step(m) for m in (1.0, 1.5)] == [False, True]
    assert (stopping.best, stopping.best_epoch) == (1.0, 1)


def test_restores_the_weights_and_buffers_of_the_best_epoch():
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    stopping = EarlyStopping(patience=1, model=model)
    stopping.step(tinycnn.tensor(1.0))
    best = {key: value.tolist() for key, value in model.state_dict().items()}
    with tinycnn.no_grad():
        model[0].weight.add_(1)
        model[1].running_mean.add_(1)
    stopping.step(2.0)
    stopping.restore()
    assert {key: value.tolist() for key, value in model.state_dict().items()} == best


@pytest.mark.parametrize(("settings", "message"), [
    ({"mode": "up"}, "EarlyStopping: expected mode 'min' or 'max', got 'up'"),
    ({"patience": -1}, "EarlyStopping: expected patience of at least 0, got -1"),
    ({"min_delta": -0.1}, "EarlyStopping: expected min_delta of at least 0, got -0.1"),
])
def test_says_what_is_wrong_with_a_setting(settings, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**settings)


def test_training_goes_on_from_a_saved_state():
    model = nn.Linear(1, 1)
    first, second = EarlyStopping(patience=2, model=model), EarlyStopping(patience=2, model=model)
    for metric in (2.0, 1.0, 1.5):
        first.step(metric)
    second.load_state_dict(first.state_dict())
    assert [second.step(1.2), second.step(1.3)] == [False, True]
    second.restore()
    assert repr(second) == (
        "EarlyStopping(patience=2, mode='min', min_delta=0.0, best=1.0 of epoch 2)")
    with pytest.raises(ValueError, match=r"expected what state_dict\(\) returned, got nothing"):
        second.load_state_dict({"epoch": 1, "weights": None})


@pytest.mark.parametrize(("make", "message"), [
    (lambda: EarlyStopping(patience=1.5), "EarlyStopping: expected patience to be an int, got 1.5"),
    (lambda: EarlyStopping(min_delta="x"), "EarlyStopping: expected min_delta to be a number"),
    (lambda: EarlyStopping(model=3), "EarlyStopping: expected a Module as model, got int"),
    (lambda: EarlyStopping().step(None), "step: expected a metric, a number, got None"),
    (lambda: EarlyStopping().step("x"), "step: expected a metric, a number, got 'x'"),
])
def test_says_which_type_is_wrong(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_there_is_nothing_to_restore_without_a_model_or_an_improvement():
    with pytest.raises(ValueError, match=r"restore: expected a model and an epoch that improved"):
        EarlyStopping(model=nn.Linear(1, 1)).restore()

"""Optimizers and schedules give the numbers that PyTorch's give, step by step."""

import copy

import numpy as np
import pytest

import tinycnn
from tinycnn import optim

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

SHAPES = [(), (1,), (3,), (16,), (33,), (4, 3, 3, 2), (0,), (70, 65)]
STEPS = 50

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.01, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("SGD", {}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.5)}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.7, "maximize": True}),
    ("RMSprop", {"lr": 0.02, "centered": True, "eps": 1e-2}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.7, "weight_decay": 0.1, "eps": 1e-2}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
]


def ids(case):
    return f"{case[0]}({', '.join(f'{k}={v}' for k, v in case[1].items())})"


def start(dtype):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    ours = [tinycnn.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return ours, theirs


def set_gradients(ours, theirs, step, dtype):
    """The same gradients on both sides: noise, and sometimes none for every second parameter.

    Parameters move by a few units, so that 1e-6 is about four times float32's last digit.
    """
    rng = np.random.default_rng(step + 1)
    for i, (p, q) in enumerate(zip(ours, theirs)):
        g = np.asarray(0.3 * rng.standard_normal(p.shape), dtype)
        if (step + i) % 3 == 0 and i % 2:
            p.grad = q.grad = None
        else:
            p.grad, q.grad = tinycnn.tensor(g), torch.tensor(g)


def assert_same(ours, theirs, dtype):
    """1e-6 over 50 steps; in float64 nothing but rounding remains."""
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=tolerance, atol=tolerance)
        assert p.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", OPTIMIZERS, ids=ids)
def test_optimizer_gives_the_same_numbers(case, dtype):
    name, options = case
    ours, theirs = start(dtype)
    optimizer = getattr(optim, name)(ours, **options)
    reference = getattr(torch.optim, name)(theirs, **options)
    for step in range(STEPS):
        set_gradients(ours, theirs, step, dtype)
        optimizer.step()
        reference.step()
        assert_same(ours, theirs, dtype)


@pytest.mark.parametrize("case", OPTIMIZERS, ids=ids)
def test_state_dict_has_the_structure_of_pytorch_and_its_state_can_be_continued(case):
    name, options = case
    ours, theirs = start(np.float64)
    optimizer = getattr(optim, name)(ours, **options)
    reference = getattr(torch.optim, name)(theirs, **options)
    for step in range(20):
        set_gradients(ours, theirs, step, np.float64)
        optimizer.step()
        reference.step()
    mine, yours = optimizer.state_dict(), reference.state_dict()
    assert mine["param_groups"][0]["params"] == yours["param_groups"][0]["params"]
    assert set(mine["param_groups"][0]) <= set(yours["param_groups"][0])
    assert set(mine["state"]) == set(yours["state"])
    for number, state in yours["state"].items():
        assert set(mine["state"][number]) == set(state)
        for key, value in state.items():
            np.testing.assert_allclose(mine["state"][number][key].data, value.numpy(), 1e-12)
    fresh = getattr(optim, name)(ours)
    fresh.load_state_dict(copy.deepcopy(yours))
    for step in range(20, 40):
        set_gradients(ours, theirs, step, np.float64)
        fresh.step()
        reference.step()
    assert_same(ours, theirs, np.float64)


def test_groups_have_options_of_their_own_as_in_pytorch():
    ours, theirs = start(np.float64)

    def groups(p):
        return [{"params": p[:3], "lr": 0.3}, {"params": p[3:], "momentum": 0.5, "name": "rest"}]

    optimizer = optim.SGD(groups(ours), lr=0.1, weight_decay=0.1)
    reference = torch.optim.SGD(groups(theirs), lr=0.1, weight_decay=0.1)
    for step in range(STEPS):
        set_gradients(ours, theirs, step, np.float64)
        optimizer.step()
        reference.step()
    assert_same(ours, theirs, np.float64)
    mine, yours = optimizer.state_dict()["param_groups"], reference.state_dict()["param_groups"]
    assert [g["params"] for g in mine] == [g["params"] for g in yours]
    assert mine[1]["name"] == "rest"


@pytest.mark.parametrize("case", OPTIMIZERS, ids=ids)
def test_nan_and_infinite_gradients_pass_through_as_in_pytorch(case):
    name, options = case
    values = np.array([1.0, np.nan, np.inf, -np.inf, 0.0] * 7, np.float32)
    p = tinycnn.tensor(np.ones(35, np.float32), requires_grad=True)
    q = torch.ones(35, requires_grad=True)
    optimizer = getattr(optim, name)([p], **options)
    reference = getattr(torch.optim, name)([q], **options)
    for factor in (1, 0.5, 0):
        with np.errstate(invalid="ignore"):
            g = values * np.float32(factor) if factor else np.ones(35, np.float32)
        p.grad, q.grad = tinycnn.tensor(g), torch.tensor(g)
        optimizer.step()
        reference.step()
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-5)


# --- schedules

SCHEDULES = [
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}, 60),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: 1.0]}, 60),
    ("StepLR", {"step_size": 7}, 60),
    ("StepLR", {"step_size": 1, "gamma": 0.9}, 60),
    ("MultiStepLR", {"milestones": [3, 10, 10, 40], "gamma": 0.5}, 60),
    ("MultiStepLR", {"milestones": []}, 60),
    ("ConstantLR", {}, 60),
    ("ConstantLR", {"factor": 0.5, "total_iters": 9}, 60),
    ("LinearLR", {}, 60),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 20}, 60),
    ("ExponentialLR", {"gamma": 0.93}, 60),
    ("CosineAnnealingLR", {"T_max": 20}, 60),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}, 60),
    ("CosineAnnealingLR", {"T_max": 1}, 60),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}, 60),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 0.001}, 60),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 60}, 60),
    ("OneCycleLR", {"max_lr": [1.0, 0.5], "epochs": 6, "steps_per_epoch": 10}, 60),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 61, "anneal_strategy": "linear",
                    "pct_start": 0.45, "base_momentum": 0.7, "max_momentum": [0.9, 0.8]}, 60),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 60, "three_phase": True, "pct_start": 0.4,
                    "div_factor": 10.0, "final_div_factor": 100.0}, 60),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 60, "cycle_momentum": False}, 60),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 1 - 1 / (2 + t)}, 60),
    ("MultiplicativeLR", {"lr_lambda": [lambda t: 0.9, lambda t: 1.01]}, 60),
    ("PolynomialLR", {}, 60),
    ("PolynomialLR", {"total_iters": 30, "power": 2.5}, 60),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 7}, 60),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.5, 0.3], "step_size_up": 7,
                  "step_size_down": 4, "mode": "triangular2", "base_momentum": 0.7}, 60),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 5, "mode": "exp_range",
                  "gamma": 0.97}, 60),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 5, "cycle_momentum": False,
                  "scale_fn": lambda t: 1 / (1 + t), "scale_mode": "iterations"}, 60),
]


def schedule_id(value):
    return f"{value[0]}({', '.join(value[1])})" if isinstance(value, tuple) else str(value)


def pair(kind):
    """Our optimizer and PyTorch's, each with two groups of different learning rates."""
    made = []
    for module, p, q in (
        (optim, *(tinycnn.tensor([1.0], requires_grad=True) for _ in range(2))),
        (torch.optim, *(torch.ones(1, requires_grad=True) for _ in range(2))),
    ):
        options = {"momentum": 0.9} if kind == "SGD" else {}
        groups = [{"params": [p]}, {"params": [q], "lr": 0.3}]
        made.append(getattr(module, kind)(groups, lr=0.1, **options))
    return made


def settings(optimizer):
    keys = ("lr", "initial_lr", "momentum", "betas")
    return [g[key] for g in optimizer.param_groups for key in keys if key in g]


def assert_equal_settings(ours, theirs):
    mine, yours = settings(ours), settings(theirs)
    assert len(mine) == len(yours)
    for a, b in zip(mine, yours):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("case", SCHEDULES, ids=schedule_id)
def test_schedule_gives_the_same_learning_rates_and_continues_from_either_state(case, kind):
    name, options, steps = case
    ours, theirs = pair(kind)
    mine = getattr(optim.lr_scheduler, name)(ours, **options)
    yours = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    assert_equal_settings(ours, theirs)
    for step in range(steps):
        ours.step()
        theirs.step()
        mine.step()
        yours.step()
        assert_equal_settings(ours, theirs)
        assert mine.get_last_lr() == pytest.approx(yours.get_last_lr(), rel=1e-12, abs=1e-15)
        assert mine.last_epoch == yours.last_epoch
        if step == 20:  # go on with new objects, from our state
            saved = copy.deepcopy((ours.state_dict(), mine.state_dict()))
            ours, _ = pair(kind)
            mine = getattr(optim.lr_scheduler, name)(ours, **options)
            ours.load_state_dict(saved[0])
            mine.load_state_dict(saved[1])
        if step == 40:  # and from PyTorch's
            saved = copy.deepcopy((theirs.state_dict(), yours.state_dict()))
            ours, _ = pair(kind)
            mine = getattr(optim.lr_scheduler, name)(ours, **options)
            ours.load_state_dict(saved[0])
            mine.load_state_dict(saved[1])


@pytest.mark.parametrize("case", SCHEDULES, ids=schedule_id)
def test_schedule_begins_at_a_later_epoch_as_in_pytorch(case):
    name, options, _ = case
    ours, theirs = pair("SGD")
    for optimizer in (ours, theirs):
        for group in optimizer.param_groups:
            group.update(initial_lr=group["lr"], max_lr=1.0, min_lr=1e-4,
                         max_momentum=0.95, base_momentum=0.85)
    mine = getattr(optim.lr_scheduler, name)(ours, **options, last_epoch=8)
    yours = getattr(torch.optim.lr_scheduler, name)(theirs, **options, last_epoch=8)
    for _ in range(20):
        assert_equal_settings(ours, theirs)
        for each in (ours, theirs, mine, yours):
            each.step()


@pytest.mark.parametrize("case", [c for c in SCHEDULES if c[0] != "OneCycleLR"], ids=schedule_id)
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_jump_to_an_epoch_as_in_pytorch(case):
    name, options, _ = case
    ours, theirs = pair("SGD")
    mine = getattr(optim.lr_scheduler, name)(ours, **options)
    yours = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    ours.step()
    theirs.step()
    for epoch in (3, 10, 11, 2, 40):
        mine.step(epoch)
        yours.step(epoch)
        assert_equal_settings(ours, theirs)


def test_warm_restarts_take_fractions_of_an_epoch_as_in_pytorch():
    ours, theirs = pair("SGD")
    mine = optim.lr_scheduler.CosineAnnealingWarmRestarts(ours, 3, 2)
    yours = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 3, 2)
    for i in range(200):
        mine.step(i / 8)
        yours.step(i / 8)
        assert_equal_settings(ours, theirs)


def test_two_schedules_on_one_optimizer_multiply_as_in_pytorch():
    ours, theirs = pair("SGD")
    mine = [optim.lr_scheduler.ExponentialLR(ours, 0.9), optim.lr_scheduler.StepLR(ours, 5)]
    scheduler = torch.optim.lr_scheduler
    yours = [scheduler.ExponentialLR(theirs, 0.9), scheduler.StepLR(theirs, 5)]
    for _ in range(20):
        for each in (ours, theirs, *mine, *yours):
            each.step()
        assert_equal_settings(ours, theirs)


@pytest.mark.parametrize("milestones", [[5, 12], [0, 4], [1, 2]])
def test_one_schedule_after_another_as_in_pytorch(milestones):
    ours, theirs = pair("SGD")

    def make(module, optimizer):
        parts = [
            module.LinearLR(optimizer, 0.1, total_iters=5),
            module.CosineAnnealingLR(optimizer, T_max=9),
            module.CosineAnnealingWarmRestarts(optimizer, T_0=4),
        ]
        return module.SequentialLR(optimizer, parts, milestones)

    mine, yours = make(optim.lr_scheduler, ours), make(torch.optim.lr_scheduler, theirs)
    for step in range(60):
        assert_equal_settings(ours, theirs)
        assert mine.get_last_lr() == pytest.approx(yours.get_last_lr(), rel=1e-12)
        for each in (ours, theirs, mine, yours):
            each.step()
        if step == 8:
            saved = copy.deepcopy((ours.state_dict(), mine.state_dict()))
            ours, _ = pair("SGD")
            mine = make(optim.lr_scheduler, ours)
            ours.load_state_dict(saved[0])
            mine.load_state_dict(saved[1])


PLATEAUS = [
    {},
    {"patience": 2},
    {"patience": 0, "factor": 0.5, "cooldown": 3},
    {"patience": 1, "mode": "max", "threshold": 0.05},
    {"patience": 1, "threshold_mode": "abs", "threshold": 0.05, "min_lr": [0.01, 0.02]},
    {"patience": 1, "mode": "max", "threshold_mode": "abs", "threshold": 0.05, "min_lr": 0.001},
    {"patience": 0, "factor": 0.5, "eps": 0.02},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateau_reduces_when_pytorch_does(options):
    ours, theirs = pair("SGD")
    mine = optim.lr_scheduler.ReduceLROnPlateau(ours, **options)
    yours = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    metrics = np.abs(np.random.default_rng(0).standard_normal(60)) / np.arange(1, 61)
    metrics[[7, 30]] = np.nan
    for step, metric in enumerate(metrics):
        mine.step(metric)
        yours.step(metric)
        assert_equal_settings(ours, theirs)
        assert mine.get_last_lr() == pytest.approx(yours.get_last_lr())
        assert (mine.best, mine.num_bad_epochs) == (yours.best, yours.num_bad_epochs)
        assert mine.in_cooldown == yours.in_cooldown
        if step == 20:
            saved = copy.deepcopy((theirs.state_dict(), yours.state_dict()))
            ours, _ = pair("SGD")
            mine = optim.lr_scheduler.ReduceLROnPlateau(ours, **options)
            ours.load_state_dict(saved[0])
            mine.load_state_dict(saved[1])

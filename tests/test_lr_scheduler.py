"""Schedules of the learning rate: formulas, the order of calls, state, every error message."""

import math
import warnings

import pytest

import tinycnn
from tinycnn import optim
from tinycnn.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def sgd(lr=0.5, groups=1, **options):
    parameters = [tinycnn.tensor([1.0], requires_grad=True) for _ in range(groups)]
    return optim.SGD([{"params": p} for p in parameters], lr=lr, **options)


def rates(scheduler, steps):
    """Learning rates of the first group: at once, and after each step."""
    seen = []
    for _ in range(steps):
        seen.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return seen


FORMULAS = [
    (lambda o: LambdaLR(o, lambda t: 0.9**t), lambda t: 0.9**t),
    (lambda o: MultiplicativeLR(o, lambda t: 1 / t), lambda t: 1 / math.factorial(t)),
    (lambda o: PolynomialLR(o, 8, 3), lambda t: max(0, 1 - t / 8) ** 3),
    (lambda o: CyclicLR(o, 0.0, 0.5, 3, 2, cycle_momentum=False),
     lambda t: (0, 1 / 3, 2 / 3, 1, 1 / 2)[t % 5]),
    (lambda o: StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    (lambda o: MultiStepLR(o, [4, 2, 4], 0.5), lambda t: 0.5 ** ((t >= 2) + 2 * (t >= 4))),
    (lambda o: ExponentialLR(o, 0.9), lambda t: 0.9**t),
    (lambda o: ConstantLR(o, 0.25, 4), lambda t: 0.25 if t < 4 else 1.0),
    (lambda o: LinearLR(o, 0.2, 0.8, 6), lambda t: 0.2 + 0.6 * min(1, t / 6)),
    (lambda o: CosineAnnealingLR(o, 10), lambda t: (1 + math.cos(math.pi * t / 10)) / 2),
    (
        lambda o: CosineAnnealingWarmRestarts(o, 4),
        lambda t: (1 + math.cos(math.pi * (t % 4) / 4)) / 2,
    ),
]


@pytest.mark.parametrize(("make", "formula"), FORMULAS)
def test_schedule_follows_its_formula(make, formula):
    seen = rates(make(sgd(lr=0.5)), 30)
    assert seen == pytest.approx([0.5 * formula(t) for t in range(30)], abs=1e-12)


def test_one_cycle_rises_and_falls_and_momentum_goes_the_other_way():
    optimizer = sgd(momentum=0.9)
    scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=21, pct_start=0.5)
    lrs, momenta = [], []
    for _ in range(21):
        lrs.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step()
    assert lrs[0] == pytest.approx(1 / 25)
    assert lrs[-1] == pytest.approx(1 / 25 / 1e4)
    assert max(lrs) == pytest.approx(1.0, abs=0.02)
    peak = lrs.index(max(lrs))
    assert lrs[: peak + 1] == sorted(lrs[: peak + 1])
    assert lrs[peak:] == sorted(lrs[peak:], reverse=True)
    assert momenta[0] == pytest.approx(0.95)
    assert momenta.index(min(momenta)) == peak


def test_one_cycle_moves_beta1_of_adam():
    optimizer = optim.Adam([tinycnn.tensor([1.0], requires_grad=True)], betas=(0.5, 0.99))
    scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.99)
    rates(scheduler, 3)
    assert optimizer.param_groups[0]["betas"][0] < 0.95


@pytest.mark.parametrize(("total", "share"), [(1, 0.3), (2, 0.5), (10, 0.1), (10, 0.0), (10, 1.0)])
def test_one_cycle_of_phases_without_length_stays_finite(total, share):
    scheduler = OneCycleLR(sgd(momentum=0.9), 1.0, total_steps=total, pct_start=share)
    assert all(0 < lr <= 1 for lr in rates(scheduler, total))


def test_plateau_waits_reduces_and_cools_down():
    optimizer = sgd(lr=1.0)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=2, min_lr=0.25)
    seen = []
    for _ in range(12):
        scheduler.step(1.0)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]
    assert scheduler.get_last_lr() == [0.25]


def test_plateau_takes_tensors_and_groups_that_were_added():
    optimizer = sgd(lr=1.0)
    scheduler = ReduceLROnPlateau(optimizer, patience=0)
    optimizer.add_param_group({"params": tinycnn.tensor([1.0], requires_grad=True), "lr": 3.0})
    for _ in range(2):
        scheduler.step(tinycnn.tensor(2.0))
    assert scheduler.get_last_lr() == pytest.approx([0.1, 0.3])


def test_groups_keep_their_ratio():
    optimizer = sgd(groups=2)
    optimizer.param_groups[1]["lr"] = 5.0
    scheduler = ExponentialLR(optimizer, 0.1)
    rates(scheduler, 1)
    assert scheduler.get_last_lr() == pytest.approx([0.05, 0.5])
    assert scheduler.base_lrs == [0.5, 5.0]


def test_sequence_of_sequences_restarts_the_inner_one():
    optimizer = sgd(lr=1.0)
    inner = SequentialLR(optimizer, [ConstantLR(optimizer, 0.5, 9), StepLR(optimizer, 1, 0.1)], [2])
    outer = SequentialLR(optimizer, [ConstantLR(optimizer, 0.25, 9), inner], [3])
    assert rates(outer, 7) == pytest.approx([0.25, 0.25, 0.25, 0.5, 0.5, 1.0, 0.1], abs=1e-12)


# --- order of calls


def test_stepping_the_schedule_first_warns_once_and_the_right_order_does_not():
    scheduler = ExponentialLR(sgd(), 0.9)
    with pytest.warns(UserWarning, match="called before optimizer.step"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()
        rates(ExponentialLR(sgd(), 0.9), 3)


def test_an_optimizer_with_its_own_step_causes_no_warning():
    class Own(optim.SGD):
        def step(self, closure=None):
            return None

    optimizer = Own([tinycnn.tensor([1.0], requires_grad=True)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ExponentialLR(optimizer, 0.9).step()


# --- state


class Halving:
    """A callable object, whose attributes are saved."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


def test_lambda_state_keeps_attributes_of_objects_but_no_functions():
    scheduler = LambdaLR(sgd(groups=2), [Halving(0.5), lambda t: 1.0])
    rates(scheduler, 3)
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}, None]
    fresh = LambdaLR(sgd(groups=2), [Halving(0.9), lambda t: 1.0])
    fresh.load_state_dict(saved)
    assert fresh.lr_lambdas[0].base == 0.5
    assert fresh.last_epoch == 3


def test_cyclic_state_keeps_attributes_of_its_function():
    scheduler = CyclicLR(sgd(momentum=0.9), 0.1, 1.0, 2, scale_fn=Halving(0.5))
    rates(scheduler, 3)
    saved = scheduler.state_dict()
    assert saved["_scale_fn_custom"] == {"base": 0.5}
    fresh = CyclicLR(sgd(momentum=0.9), 0.1, 1.0, 9, scale_fn=Halving(0.9))
    fresh.load_state_dict(saved)
    assert rates(fresh, 5)[1:] == rates(scheduler, 5)[1:]


def test_state_has_no_optimizer_and_continues():
    scheduler = CosineAnnealingLR(sgd(), 20)
    rates(scheduler, 5)
    saved = scheduler.state_dict()
    assert "optimizer" not in saved
    fresh = CosineAnnealingLR(sgd(lr=9.0), 3)
    fresh.load_state_dict(saved)
    fresh.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    assert rates(fresh, 5) == rates(scheduler, 5)


def test_schedule_goes_on_at_a_later_epoch():
    first = sgd()
    rates(ExponentialLR(first, 0.9), 4)
    again = sgd()
    again.load_state_dict(first.state_dict())
    scheduler = ExponentialLR(again, 0.9, last_epoch=3)
    assert scheduler.last_epoch == 4
    assert scheduler.base_lrs == [0.5]


# --- errors


def add_group(optimizer):
    optimizer.add_param_group({"params": tinycnn.tensor([1.0], requires_grad=True)})


def plateau_after_adding_a_group():
    optimizer = sgd()
    scheduler = ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.1])
    add_group(optimizer)
    for _ in range(2):
        scheduler.step(1.0)


def past_the_end():
    rates(OneCycleLR(sgd(momentum=0.9), 1.0, total_steps=3), 4)


def adadelta():
    return optim.Adadelta([tinycnn.tensor([1.0], requires_grad=True)])


def sequence(*make, milestones=(2,)):
    optimizer = sgd()
    return SequentialLR(optimizer, [m(optimizer) for m in make], list(milestones))


def halve(optimizer):
    return ExponentialLR(optimizer, 0.5)


ERRORS = [
    (lambda: StepLR("adam", 3), TypeError, "StepLR: expected an Optimizer, got str"),
    (lambda: OneCycleLR(None, 1.0, 3), TypeError, "OneCycleLR: expected an Optimizer"),
    (lambda: ReduceLROnPlateau(None), TypeError, "ReduceLROnPlateau: expected an Optimizer"),
    (lambda: LambdaLR(3, abs), TypeError, "LambdaLR: expected an Optimizer"),
    (lambda: StepLR(sgd(), 3, last_epoch=4), KeyError, "initial_lr.*with last_epoch"),
    (lambda: LRScheduler(sgd()), TypeError, "get_lr: a subclass of LRScheduler must define it"),
    (lambda: LambdaLR(sgd(), [abs, abs]), ValueError, "one lr_lambda for each of 1 param_groups"),
    (lambda: LambdaLR(sgd(), 0.9), TypeError, "LambdaLR: expected lr_lambda to be a function"),
    (lambda: MultiplicativeLR(sgd(), [2]), TypeError, "MultiplicativeLR: .* got 2"),
    (lambda: PolynomialLR(sgd(), 0), ValueError, "PolynomialLR: expected total_iters"),
    (lambda: CyclicLR(None, 0.1, 1.0), TypeError, "CyclicLR: expected an Optimizer"),
    (lambda: CyclicLR(sgd(), 0.1, 1.0, 0), ValueError, "step_size_up to be at least 1, got 0"),
    (lambda: CyclicLR(sgd(), 0.1, 1.0, 1, 0), ValueError, "step_size_down to be at least 1"),
    (lambda: CyclicLR(sgd(), 0.1, 1.0, mode="up"), ValueError, "mode 'triangular', .* got 'up'"),
    (lambda: CyclicLR(sgd(), 0.1, 1.0, scale_mode="c"), ValueError, "'cycle' or 'iterations'"),
    (lambda: CyclicLR(sgd(), [0.1, 1], 1.0), ValueError, "one base_lr for each of 1"),
    (lambda: CyclicLR(adadelta(), 0.1, 1.0), ValueError, "momentum or betas, got Adadelta"),
    (lambda: StepLR(sgd(), 0), ValueError, "step_size to be at least 1, got 0"),
    (lambda: StepLR(sgd(), 1.5), TypeError, "step_size to be an int, got 1.5"),
    (lambda: StepLR(sgd(), True), TypeError, "step_size to be an int, got True"),
    (lambda: ConstantLR(sgd(), 1.5), ValueError, "factor above 0 and at most 1, got 1.5"),
    (lambda: ConstantLR(sgd(), 0), ValueError, "factor above 0"),
    (lambda: ConstantLR(sgd(), 0.5, 0), ValueError, "total_iters to be at least 1"),
    (lambda: LinearLR(sgd(), 0.0), ValueError, "start_factor above 0"),
    (lambda: LinearLR(sgd(), 0.5, 1.5), ValueError, "end_factor from 0 to 1, got 1.5"),
    (lambda: LinearLR(sgd(), total_iters=0), ValueError, "total_iters to be at least 1"),
    (lambda: CosineAnnealingLR(sgd(), 0), ValueError, "T_max to be at least 1"),
    (lambda: CosineAnnealingWarmRestarts(sgd(), 0), ValueError, "T_0 to be at least 1"),
    (lambda: CosineAnnealingWarmRestarts(sgd(), 2, 0), ValueError, "T_mult to be at least 1"),
    (lambda: CosineAnnealingWarmRestarts(sgd(), 2).step(-1), ValueError, "epoch of at least 0"),
    (lambda: OneCycleLR(sgd(), 1.0), ValueError, "total_steps, or epochs and steps_per_epoch"),
    (lambda: OneCycleLR(sgd(), 1.0, epochs=3), ValueError, "total_steps, or epochs"),
    (lambda: OneCycleLR(sgd(), 1.0, 0), ValueError, "total_steps to be at least 1"),
    (lambda: OneCycleLR(sgd(), 1.0, None, 0, 3), ValueError, "epochs to be at least 1"),
    (lambda: OneCycleLR(sgd(), 1.0, None, 3, 0), ValueError, "steps_per_epoch to be at least 1"),
    (lambda: OneCycleLR(sgd(), 1.0, 9, pct_start=1.5), ValueError, "pct_start from 0 to 1"),
    (lambda: OneCycleLR(sgd(), 1.0, 9, anneal_strategy="exp"), ValueError, "'cos' or 'linear'"),
    (lambda: OneCycleLR(sgd(), [1.0, 1.0], 9), ValueError, "one max_lr for each of 1"),
    (lambda: OneCycleLR(sgd(), 1.0, 9, max_momentum=[1, 1]), ValueError, "one max_momentum"),
    (lambda: OneCycleLR(adadelta(), 1.0, 9), ValueError, "momentum or betas, got Adadelta"),
    (past_the_end, ValueError, "at most 3 steps, got step 4"),
    (lambda: ReduceLROnPlateau(sgd(), factor=1.0), ValueError, "factor below 1, got 1.0"),
    (lambda: ReduceLROnPlateau(sgd(), mode="up"), ValueError, "mode 'min' or 'max', got 'up'"),
    (lambda: ReduceLROnPlateau(sgd(), threshold_mode="a"), ValueError, "'rel' or 'abs', got 'a'"),
    (lambda: ReduceLROnPlateau(sgd(), min_lr=[0, 0]), ValueError, "one min_lr for each of 1"),
    (plateau_after_adding_a_group, ValueError, "one min_lr for each of 2 param_groups, got 1"),
    (lambda: sequence(halve, halve, milestones=[]), ValueError, "2 schedulers and 0 milestones"),
    (lambda: sequence(milestones=[]), ValueError, "0 schedulers and 0 milestones"),
    (lambda: sequence(halve, lambda o: 3), TypeError, "list of schedulers, got int at 1"),
    (lambda: sequence(halve, ReduceLROnPlateau), ValueError, "ReduceLROnPlateau at 1"),
    (lambda: sequence(halve, lambda o: halve(sgd())), ValueError, "of this optimizer.*at 1"),
    (
        lambda: StepLR(sgd(), 3).load_state_dict(halve(sgd()).state_dict()),
        ValueError, r"StepLR.load_state_dict: .* without \['step_size'\]",
    ),
    (
        lambda: LambdaLR(sgd(), abs).load_state_dict(halve(sgd()).state_dict()),
        ValueError, r"without \['lr_lambdas'\]",
    ),
    (
        lambda: sequence(halve, halve).load_state_dict(halve(sgd()).state_dict()),
        ValueError, "SequentialLR.load_state_dict",
    ),
]


@pytest.mark.parametrize(("call", "error", "match"), ERRORS)
def test_error_says_what_was_expected(call, error, match):
    with pytest.raises(error, match=match):
        call()

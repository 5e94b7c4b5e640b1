"""Layers of losses: arguments, text, state, results and gradients are those of PyTorch."""

import inspect

import numpy as np
import pytest
from beside_pytorch import close, torch

import tinycnn
from tinycnn import nn

rng = np.random.default_rng(0)
X, Y, Z, T = *rng.normal(size=(3, 6, 4)), rng.random((6, 4))
WEIGHT = np.array([0.5, 1.0, 2.0, 4.0])
SIDES, SIDE = rng.choice([-1.0, 1.0], size=(6, 4)), rng.choice([-1, 1], size=6)
CLASSES, LISTS = rng.integers(0, 4, 6), rng.integers(-1, 4, (6, 4))
LOGP, LENGTHS = np.log(rng.random((6, 2, 4))), np.array([6, 5])

CASES = [  # name, keywords, inputs
    ("SmoothL1Loss", {"beta": 0.5}, (X, T)),
    ("HuberLoss", {"delta": 0.5}, (X, T)),
    ("KLDivLoss", {"log_target": True}, (X, Y)),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 0.1}, (T, T * 5)),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, (X, Y, T)),
    ("SoftMarginLoss", {}, (X, SIDES)),
    ("HingeEmbeddingLoss", {"margin": 0.5}, (X, SIDES)),
    ("MarginRankingLoss", {"margin": 0.5}, (X, Y, SIDES)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, (X, CLASSES)),
    ("MultiLabelMarginLoss", {}, (X, LISTS)),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, (X, T)),
    ("TripletMarginLoss", {"margin": 0.5, "p": 3, "eps": 0.1, "swap": True}, (X, Y, Z)),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5, "swap": True}, (X, Y, Z)),
    ("CosineEmbeddingLoss", {"margin": 0.5}, (X, Y, SIDE)),
    ("CTCLoss", {"blank": 3, "zero_infinity": True},
     (LOGP, np.array([[0, 1], [2, 2]]), LENGTHS, np.array([2, 1]))),
]
DISTANCES = [("PairwiseDistance", {"p": 3, "eps": 0.1, "keepdim": True}, (X, Y)),
             ("CosineSimilarity", {"dim": 0, "eps": 2.0}, (X, Y))]
# PyTorch's warnings: of kl_div's mean
pytestmark = pytest.mark.filterwarnings("ignore:.*divides")


@pytest.mark.parametrize(("name", "keywords", "inputs"), [
    (name, {**keywords, "reduction": reduction}, inputs)
    for name, keywords, inputs in CASES for reduction in ("mean", "sum", "none")] + DISTANCES)
def test_every_argument_counts_as_in_pytorch(name, keywords, inputs):
    results = []
    for package, make in (nn, tinycnn.tensor), (torch.nn, torch.tensor):
        layer = getattr(package, name)(**{
            k: make(v) if isinstance(v, np.ndarray) else v for k, v in keywords.items()})
        tensors = [make(a) for a in inputs]
        tensors[0].requires_grad = True
        y = layer(*tensors)
        y.sum().backward()
        results.append((y.detach().numpy(), tensors[0].grad.numpy(), repr(layer),
                        list(layer.state_dict())))
    (y, grad, *ours), (expected, expected_grad, *theirs) = results
    close(y, expected)
    close(grad, expected_grad)
    assert ours == theirs


@pytest.mark.parametrize("name", [name for name, *_ in CASES + DISTANCES])
def test_arguments_have_the_order_and_defaults_of_pytorch(name):
    def arguments(function):
        return [(p.name, p.default, p.kind)
                for p in inspect.signature(function).parameters.values()]

    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert arguments(ours) == arguments(theirs)
    assert [a[0] for a in arguments(ours.forward)] == [a[0] for a in arguments(theirs.forward)]


@pytest.mark.parametrize("name", [
    "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss", "gaussian_nll_loss",
    "soft_margin_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss", "cosine_embedding_loss", "ctc_loss"])
def test_functions_have_the_arguments_of_pytorch(name):
    ours, theirs = (inspect.signature(getattr(package.functional, name)).parameters.values()
                    for package in (nn, torch.nn))
    assert [(p.name, p.default, p.kind) for p in ours] == [
        (p.name, p.default, p.kind) for p in theirs]


def test_a_distance_may_be_a_layer():
    layer = nn.TripletMarginWithDistanceLoss(distance_function=nn.CosineSimilarity(dim=-1))
    expected = torch.nn.TripletMarginWithDistanceLoss(
        distance_function=torch.nn.CosineSimilarity(dim=-1))
    close(layer(*map(tinycnn.tensor, (X, Y, Z))).numpy(),
          expected(*map(torch.tensor, (X, Y, Z))).numpy())
    assert repr(layer) == repr(expected)


def test_old_words_of_layers_warn():
    for name, *_ in CASES:
        parameters = inspect.signature(getattr(nn, name)).parameters
        if "size_average" in parameters:
            with pytest.warns(UserWarning, match=f"{name}: size_average and reduce are old words"):
                assert getattr(nn, name)(size_average=False).reduction == "sum"
            with pytest.warns(UserWarning, match="old words"):
                assert getattr(nn, name)(reduce=False).reduction == "none"

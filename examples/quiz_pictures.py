"""Questions about filters on pictures, and about what shifts do. See lecture_quiz.py.

    python examples/quiz_pictures.py
"""

import numpy as np

import tinycnn
import tinycnn.nn.functional as F
from tinycnn.data import SyntheticDigits
from tinycnn.data.transforms import ToFloat

FILTERS = {
    "edges |": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "edges -": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "box": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
}


def images(count):
    """Digits, (count, 1, 28, 28), 0 to 1."""
    digits = SyntheticDigits(size=count, seed=3, transform=ToFloat())
    return tinycnn.stack([digits[i][0] for i in range(count)])


def filtered(image, rows, padding="same"):
    """What conv2d makes of an (N, 1, H, W) image and one filter."""
    return F.conv2d(image, tinycnn.tensor([[rows]], dtype="float32"), padding=padding)


def text(array):
    """A small matrix as lines."""
    return ["  ".join(f"{v:3g}" for v in row) for row in np.asarray(array)]


def home_task():
    picture = np.array([[1, 2, 3, 4, 5], [2, 2, 1, 1, 1], [3, 2, 1, 1, 1], [4, 1, 1, 1, 1],
                        [5, 1, 1, 1, 1]], np.float32)
    kernel = np.array([[0, -1, 0], [1, 1, 1], [0, -1, 0]], np.float32)
    y = F.conv2d(tinycnn.tensor(picture[None, None]), tinycnn.tensor(kernel[None, None]), stride=2)
    steps, by_hand = [], np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            part = picture[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * kernel
            by_hand[i, j] = part.sum()
            terms = " ".join(f"{v:+g}" for v in part[kernel != 0])
            steps.append(f"window at row {2 * i}, column {2 * j}: {terms} = {part.sum():g}")
    assert (y.numpy()[0, 0] == by_hand).all()
    open_ = F.relu(y)
    pooled = F.max_pool2d(open_, 2)
    assert pooled.item() == np.maximum(by_hand, 0).max()
    return {"question": "The home task: 5x5 pixels, a cross as filter, stride 2, ReLU, max pool.",
            "answer": [*text(picture), "filter:", *text(kernel), *steps,
                       f"ReLU: {open_[0, 0].tolist()}", f"max pool 2x2: {pooled.item():g}"],
            "why": "four windows fit at stride 2; the filter likes rows and dislikes columns",
            "pictures": [("input", picture), ("filter", kernel), ("convolved", by_hand),
                         ("ReLU", open_.numpy()[0, 0])]}


def filter_matching():
    image = images(1)
    answers = {name: filtered(image, rows).numpy()[0, 0] for name, rows in FILTERS.items()}
    flat = filtered(tinycnn.ones(1, 1, 5, 5), FILTERS["edges |"], "valid").numpy()
    bright = filtered(tinycnn.ones(1, 1, 5, 5), FILTERS["box"], "valid").numpy()
    assert not flat.any()
    assert np.allclose(bright, 1)
    return {"question": "What do 3x3 filters find in a picture?",
            "answer": [f"{name:8} sum of weights {np.sum(FILTERS[name]):3.0f}, answers from "
                       f"{y.min():6.2f} to {y.max():5.2f}" for name, y in answers.items()],
            "why": "a filter answers where the picture looks like it: weights that add up to 0 are "
                   "silent on even ground, weights that add up to 1 keep its brightness",
            "pictures": [("digit", image.numpy()[0, 0]), *answers.items()]}


def convolution_or_correlation():
    signal, kernel = [0, 0, 1, 0, 0, 2, 0], [1, 2, 3]

    def layer(weights):
        x, w = [tinycnn.tensor([[row]], dtype="float32") for row in (signal, weights)]
        return F.conv1d(x, w, padding="full").numpy()[0, 0].astype(int)

    correlated, convolved = layer(kernel), layer(kernel[::-1])
    assert np.array_equal(convolved, np.convolve(signal, kernel))
    assert np.array_equal(correlated, np.correlate(signal, kernel, "full"))
    return {"question": "Does a convolution layer convolve?",
            "answer": [f"signal                 {signal}", f"filter                 {kernel}",
                       f"conv1d, as it is       {correlated.tolist()}",
                       f"conv1d, filter flipped {convolved.tolist()}"],
            "why": "it correlates; convolution flips the filter, so that a single 1 is answered by "
                   "the filter as it is. Weights that are learnt come out flipped, and all is well"}


def shifted(x, pixels):
    """Pictures moved to the right, with what leaves coming back on the left."""
    return tinycnn.cat([x[..., -pixels:], x[..., :-pixels]], 3)


def change(function, x, pixels, answer_shift=0):
    """Mean of |f(shifted x) - shifted f(x)|, in units of the mean of |f(x)|."""
    before, after = function(x), function(shifted(x, pixels))
    if answer_shift:
        before = shifted(before, answer_shift)
    return float((before - after).abs().mean() / before.abs().mean())


def equivariance_or_invariance():
    x = images(32)
    weight = tinycnn.tensor([[FILTERS["edges |"]]], dtype="float32")

    def conv(x):
        return F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), weight))

    def pooled(x):
        return F.max_pool2d(conv(x), 4)

    def strongest(x):
        return F.adaptive_max_pool2d(conv(x), 1)

    found = {
        "convolution, moved by 4: compared with answers moved by 4": change(conv, x, 4, 4),
        "convolution, moved by 1: compared with answers that stay": change(conv, x, 1),
        "and pooling 4x4, moved by 4: with answers moved by 1": change(pooled, x, 4, 1),
        "and pooling 4x4, moved by 1: with answers that stay": change(pooled, x, 1),
        "the largest of the whole map, moved by 4: with answers that stay": change(
            strongest, x, 4),
    }
    moved, stayed, pooled_moved, pooled_stayed, whole = found.values()
    assert max(moved, pooled_moved, whole) < 1e-6
    assert 0.1 < pooled_stayed < stayed / 2
    digit = x[:1]
    return {"question": "Digits are moved to the right. What becomes of the answers?",
            "answer": [f"{name:65} change {value:.2f}" for name, value in found.items()],
            "why": "convolution is equivariant: its answers move along; pooling makes small moves "
                   "matter less; only over the whole map is it invariant",
            "pictures": [("digit", digit.numpy()[0, 0]), ("moved", shifted(digit, 4).numpy()[0, 0]),
                         ("answers", conv(digit).numpy()[0, 0]),
                         ("of the moved", conv(shifted(digit, 4)).numpy()[0, 0])]}


QUESTIONS = [home_task, filter_matching, convolution_or_correlation, equivariance_or_invariance]

if __name__ == "__main__":
    from lecture_quiz import run

    run(QUESTIONS, __doc__)

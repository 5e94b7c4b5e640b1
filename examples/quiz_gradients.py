"""Questions about gradients: of shared weights, and with and without a Jacobian. See
lecture_quiz.py.

    python examples/quiz_gradients.py
"""

from time import perf_counter

import numpy as np

import tinycnn
import tinycnn.nn.functional as F


def gradient_of_a_shared_weight():
    x = tinycnn.tensor([[[1.0, 2, 0, -1, 3]]])
    weight = tinycnn.tensor([[[0.5, -1, 2]]], requires_grad=True)
    y = F.conv1d(x, weight)
    loss = (y * y).sum() / 2  # dL/dy = y
    loss.backward()
    flow, inputs = y.detach().numpy()[0, 0], x.numpy()[0, 0]
    parts = np.array([flow[o] * inputs[o : o + 3] for o in range(3)]) + 0  # no -0
    assert np.allclose(parts.sum(0), weight.grad.numpy()[0, 0])

    copies = tinycnn.tensor(np.repeat(weight.detach().numpy()[0], 3, 0), requires_grad=True)
    windows = tinycnn.stack([x[0, 0, o : o + 3] for o in range(3)])
    local = (windows * copies).sum(1)  # the same numbers, with weights of its own at each place
    ((local * local).sum() / 2).backward()
    assert np.allclose(copies.grad.numpy(), parts)
    return {"question": "A weight is used at three places. What is its gradient?",
            "answer": [f"place {o}: {parts[o].tolist()}" for o in range(3)]
                      + [f"sum:     {weight.grad[0, 0].tolist()}, and so says backward()"],
            "why": "the sum of what it would be at each place, if each had a weight of its own"}


def jacobian_of_relu():
    n = 1000
    x = tinycnn.randn(n, requires_grad=True)
    grad_y = tinycnn.randn(n)
    start = perf_counter()
    jacobian = np.diag((x.detach().numpy() > 0).astype(np.float32))
    explicit = jacobian.T @ grad_y.numpy()
    explicit_time = perf_counter() - start
    y = F.relu(x)
    start = perf_counter()
    y.backward(grad_y)
    implicit_time = perf_counter() - start
    assert np.array_equal(x.grad.numpy(), explicit)
    zeros = 1 - np.count_nonzero(jacobian) / jacobian.size
    return {"question": f"ReLU of {n} numbers: is its Jacobian needed?",
            "answer": [f"explicit: a matrix of {jacobian.size:,} numbers, {100 * zeros:.2f} % of "
                       f"them 0, {1e3 * explicit_time:.2f} ms",
                       f"implicit: {n:,} comparisons, {1e3 * implicit_time:.2f} ms, the same "
                       f"numbers"],
            "why": "backward multiplies by a Jacobian that it never writes down: grad_x = grad_y "
                   "where x > 0, else 0"}


QUESTIONS = [gradient_of_a_shared_weight, jacobian_of_relu]

if __name__ == "__main__":
    from lecture_quiz import run

    run(QUESTIONS, __doc__)

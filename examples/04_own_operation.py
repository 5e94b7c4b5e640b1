"""An own operation with its own derivative: the Huber-like pseudo-Huber loss, checked in float64.

An operation is a Function: forward(ctx, arrays) and backward(ctx, gradient), on plain arrays. What
backward needs is put on ctx. `gradcheck` compares it with finite differences.

    y = sqrt(1 + x^2) - 1          dy/dx = x / sqrt(1 + x^2)

    python examples/04_own_operation.py
"""

import tinycnn
from tinycnn.autograd import Function
from tinycnn.testing import gradcheck


class PseudoHuber(Function):
    """See pseudo_huber."""

    @staticmethod
    def forward(ctx, x):
        k = ctx.kernels  # the array functions of the device that x is on
        root = k.sqrt(x * x + 1)
        ctx.x, ctx.root = x, root
        return root - 1

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.x / ctx.root


def pseudo_huber(x):
    """sqrt(1 + x^2) - 1: about x^2 / 2 near zero, about |x| far away."""
    return PseudoHuber.apply(x)


def main():
    x = tinycnn.tensor([-3.0, -0.1, 0.0, 0.1, 3.0], requires_grad=True)
    y = pseudo_huber(x)
    y.sum().backward()
    print("x       ", x.detach().numpy())
    print("y       ", y.detach().numpy().round(4))
    print("dy/dx   ", x.grad.numpy().round(4))
    tinycnn.manual_seed(0)
    points = tinycnn.randn(10).to(tinycnn.float64).requires_grad_()
    gradcheck(pseudo_huber, (points,))
    print("the derivative agrees with finite differences")


if __name__ == "__main__":
    main()

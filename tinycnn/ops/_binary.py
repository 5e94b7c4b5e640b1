"""What operations on two operands share: kept shapes, and the gradient of broadcasting."""

from ..autograd import Function, Variable
from ._inputs import sum_to


class Binary(Function):
    """Two operands that broadcast. `partials(ctx, grad)` gives their gradients before the sums."""

    @classmethod
    def backward(cls, ctx, grad):
        grad_x, grad_y = cls.partials(ctx, ctx.kernels, grad)
        return (
            sum_to(ctx.kernels, grad_x, ctx.x_shape) if ctx.needs[0] else None,
            sum_to(ctx.kernels, grad_y, ctx.y_shape) if ctx.needs[1] else None,
        )


def keep_shapes(ctx, x, y):
    if ctx.needs[0]:
        ctx.x_shape = x.shape
    if ctx.needs[1]:
        ctx.y_shape = y.shape


def keep(ctx, x, y):
    """Keep the operands that the gradient of the other one needs."""
    keep_shapes(ctx, x, y)
    ctx.x = x if ctx.needs[1] else None
    ctx.y = y if ctx.needs[0] else None


def common_dtype(x, y):
    """The common dtype of two operands, of which one may be a Python number."""
    return (x if isinstance(x, Variable) else y).data.dtype

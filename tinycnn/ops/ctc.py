"""Connectionist temporal classification: sequences of labels whose places are not known, as words
in the image of a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from .._core import to_host
from .._core.checks import fail, int_of, shape_text
from .._core.dtypes import int64
from ..autograd import Function, Variable, wrap
from ._inputs import cast, check_float, check_integer, kernels_of
from .division import div
from .pair_loss import reduced, reduction_of
from .reduction import mean
from .reshaping import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


class CTC(Function):
    """See ctc_loss: a loss for each image."""

    @staticmethod
    def forward(ctx, log_probs, targets, starts, input_lengths, target_lengths, blank,
                zero_infinity):
        k = ctx.kernels
        x = k.contiguous(log_probs)
        T, N, _ = x.shape
        lengths = [k.asarray(a, int64) for a in (starts, input_lengths, target_lengths)]
        log_alpha = k.empty((N, T, 2 * max(target_lengths) + 1), x.dtype)
        losses = k.empty((N,), x.dtype)
        ctx.saved = x, k.contiguous(targets), *lengths, blank, log_alpha, losses
        bad = k.ctc_forward(*ctx.saved)
        if bad >= 0:
            own = targets[starts[bad] : starts[bad] + target_lengths[bad]]
            _fail_label(own.tolist(), bad, x.shape[2], blank)
        ctx.zero_infinity = zero_infinity
        if zero_infinity:
            return k.where(k.isinf(losses), k.zeros_like(losses), losses)
        return losses

    @staticmethod
    def backward(ctx, grad):
        k = ctx.kernels
        grad_x = k.empty_like(ctx.saved[0])
        k.ctc_backward(*ctx.saved, ctx.zero_infinity, k.contiguous(grad), grad_x)
        return grad_x, None


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int] | int,
    target_lengths: Tensor | Sequence[int] | int,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Negative log likelihood of label sequences, over all ways to place them in time.

    loss[n] = -log(sum, over all paths that read as target n, of the product of p[t, path[t]])

    A path names a class for each step; it reads as what is left when repeats are merged and blanks
    dropped. Mean: of loss[n] / max(target_lengths[n], 1).

    The gradient is that with respect to scores x with log_probs = log_softmax(x), as in PyTorch: at
    log_probs themselves it is exp(log_probs) more than the derivative. A log_softmax in front turns
    both into the same.

    Args:    log_probs (Tensor): logarithms of probabilities, as from log_softmax, (T, N, C) or
                 (T, C), float32 or float64.
             targets (Tensor): labels, integers other than blank: (N, S), of which the first
                 target_lengths[n] of row n count, or all one after the other, (sum of
                 target_lengths,).
             input_lengths (Tensor, ints or int): how many steps of each image count, (N,) or ().
             target_lengths (Tensor, ints or int): how long the targets are, (N,) or (). To read
                 lengths that are on a GPU means to wait for it: leave them on the CPU.
             blank (int): the class that stands for no label.
             reduction (str): "mean", "sum" or "none".
             zero_infinity (bool): whether a target that no path can read, for which the loss is
                 infinite and its gradient NaN, counts as 0 instead.
    Returns: Tensor (), or with "none" (N,).
    Raises:  ValueError: if shapes, lengths or labels do not fit or reduction is unknown.
             TypeError: if a dtype does not fit.
    Example: >>> import tinycnn
             >>> logp = tinycnn.full((2, 1, 2), 0.5).log()  # 3 of 4 paths read as "1"
             >>> ctc_loss(logp, tinycnn.tensor([[1]]), (2,), (1,))
             tensor(0.2877)
    Source:  Graves, Fernandez, Gomez & Schmidhuber 2006, "Connectionist temporal classification:
             labelling unsegmented sequence data with recurrent neural networks", section 4.
    """
    reduction = reduction_of("ctc_loss", reduction)
    T, N, C = _check_log_probs("ctc_loss", log_probs, 1)
    blank = _blank("ctc_loss", blank, C)
    batched = log_probs.data.ndim == 3
    inputs = _lengths("ctc_loss", "input_lengths", input_lengths, N, T,
                      "The input has that many steps.")
    check_integer("ctc_loss", "targets", targets)
    most = targets.data.shape[-1] if targets.data.ndim else 0
    lengths = _lengths("ctc_loss", "target_lengths", target_lengths, N, most,
                       "The targets hold no more labels.")
    starts = _starts(targets.data.shape, lengths, N)
    x = log_probs if batched else reshape(log_probs, (T, 1, C))
    losses = CTC.apply(x, reshape(cast(targets, int64), (-1,)), starts, inputs, lengths, blank,
                       bool(zero_infinity))
    if reduction == "mean":
        counts = kernels_of(x).asarray([max(n, 1) for n in lengths], x.data.dtype)
        return mean(div(losses, wrap(counts)))
    return reduced(losses if batched or reduction == "sum" else reshape(losses, ()), reduction)


def ctc_greedy_decode(
    log_probs: Tensor, input_lengths: Tensor | Sequence[int] | int | None = None, blank: int = 0
) -> list:
    """The labels that the most probable path reads as: not in PyTorch.

    The largest class of every step, repeats merged, blanks dropped. The most probable labels may be
    others, whose probability is spread over more paths.

    Args:    log_probs (Tensor): scores of any kind that order the classes, (T, N, C) or (T, C).
             input_lengths (Tensor, ints, int or None): how many steps of each image count, (N,) or
                 (); None for all.
             blank (int): the class that stands for no label.
    Returns: list of N lists of ints; of (T, C) one list of ints.
    Raises:  ValueError: if the shape, a length or blank does not fit.
             TypeError: if a dtype does not fit.
    Example: >>> import tinycnn
             >>> ctc_greedy_decode(tinycnn.tensor([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]))
             [1, 1]
    Source:  Graves et al. 2006, section 3.2, "best path decoding".
    """
    name = "ctc_greedy_decode"
    T, N, C = _check_log_probs(name, log_probs, 0)
    blank = _blank(name, blank, C)
    lengths = [T] * N if input_lengths is None else _lengths(
        name, "input_lengths", input_lengths, N, T, "The input has that many steps.")
    x, k = log_probs.data, kernels_of(log_probs)
    classes = to_host(k.argmax(x, x.ndim - 1)).reshape((T, N)).tolist()
    read = []
    for n, length in enumerate(lengths):
        path = [blank] + [classes[t][n] for t in range(length)]
        read.append([c for before, c in pairwise(path) if c not in (before, blank)])
    return read if x.ndim == 3 else read[0]


def _check_log_probs(function, log_probs, least):
    """T, N, C of an input with at least so many steps and images."""
    check_float(function, "log_probs", log_probs)
    shape = log_probs.data.shape
    if len(shape) not in (2, 3) or min(shape[:-1]) < least or shape[-1] < 1:
        fail(function, "log_probs (T, N, C) or (T, C)" + ", no size 0" * least, shape_text(shape),
             "Put the steps first, then the images, with permute(...).")
    return shape if len(shape) == 3 else (shape[0], 1, shape[1])


def _blank(function, blank, C):
    blank = int_of(function, "blank", blank, "It is a class.")
    if not 0 <= blank < C:
        fail(function, f"blank from 0 to {C - 1}", str(blank), "It is one of the input's classes.")
    return blank


def _lengths(function, name, lengths, N, most, advice):
    """Lengths as a list of N ints from 0 to `most`."""
    if isinstance(lengths, Variable):
        check_integer(function, name, lengths)
        lengths = to_host(lengths.data).tolist()
    if not hasattr(lengths, "__iter__"):
        lengths = [lengths]
    lengths = [int_of(function, name, n, "Count steps and labels.") for n in lengths]
    if len(lengths) != N:
        fail(function, f"{name} of {N} images", str(len(lengths)), "Give each image one length.")
    for n in lengths:
        if not 0 <= n <= most:
            fail(function, f"{name} from 0 to {most}", str(n), advice)
    return lengths


def _starts(shape, lengths, N):
    """Where the labels of each image begin."""
    if len(shape) == 2 and shape[0] == N:
        return [n * shape[1] for n in range(N)]
    if len(shape) != 1 or shape[0] != sum(lengths):
        fail("ctc_loss", f"targets ({N}, S), or as long as all target_lengths, ({sum(lengths)},)",
             shape_text(shape), "Pad them to one length, or put them one after the other.")
    return [0, *accumulate(lengths)][:N]


def _fail_label(labels, image, C, blank):
    label = next(c for c in labels if not 0 <= c < C or c == blank)
    fail("ctc_loss", f"labels from 0 to {C - 1} other than blank={blank}",
         f"label {label} in the target of image {image}",
         "Give the last layer more outputs, or correct the targets.")

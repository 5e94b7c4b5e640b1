"""Questions about sizes, weights, connections and receptive fields. See lecture_quiz.py.

    python examples/quiz_arithmetic.py
"""

import tinycnn
from tinycnn import arithmetic, nn


def made_by(layer, *shape):
    """Length of what a layer makes of an input of this shape."""
    return layer(tinycnn.ones(*shape)).shape[-1]


def parameters_of(*layers):
    return sum(p.numel() for layer in layers for p in layer.parameters())


def matrix_of(layer, n):
    """The matrix of a linear layer with n inputs: its answer to a single 1 is a column."""
    return layer(tinycnn.eye(n).reshape(n, 1, n)).detach().numpy().reshape(n, -1).T


def window(kernel, **options):
    """One filter of ones without bias."""
    layer = nn.Conv1d(1, 1, kernel, bias=False, **options)
    nn.init.ones_(layer.weight)
    return layer


def three_paddings():
    n, k = 7, 3
    answer, expected = [], {"valid": n - k + 1, "same": n, "full": n + k - 1}
    for rule, length in expected.items():
        made = made_by(nn.Conv1d(1, 1, k, padding=rule), 1, 1, n)
        assert made == arithmetic.output_size(n, k, padding=rule) == length
        answer.append(f"{rule:6} {made}")
    return {"question": f"How long is the output for n = {n} inputs and a filter of k = {k}?",
            "answer": answer,
            "why": "n - k + 1 places where all of the filter fits, n with its middle on an input, "
                   "n + k - 1 where any of it does"}


def stride_two():
    made = made_by(nn.Conv1d(1, 1, 3, stride=2, padding=1), 1, 1, 5)
    assert made == arithmetic.output_size(5, 3, stride=2, padding=1)
    return {"question": "Length 5, filter 3, padding 1, stride 2: how long is the output?",
            "answer": [str(made)],
            "why": "floor((5 + 2 * 1 - 3) / 2) + 1: every second of 5 places"}


def dilated_filter():
    size = arithmetic.effective_kernel_size(7, dilation=3)
    assert made_by(nn.Conv1d(1, 1, 7, dilation=3), 1, 1, size) == 1  # it fits just once
    return {"question": "How far does a filter of length 7 with dilation 3 reach?",
            "answer": [str(size)], "why": "7 taps with 6 steps of 3 between them: 6 * 3 + 1"}


def ten_filters():
    count = arithmetic.conv_parameters(3, 10, kernel_size=5)
    assert parameters_of(nn.Conv2d(3, 10, 5)) == count
    return {"question": "How many parameters have ten 5x5x3 filters?", "answer": [str(count)],
            "why": "10 * (5 * 5 * 3 weights + 1 bias), whatever the size of the image"}


def four_filters():
    count = arithmetic.conv_parameters(1, 4, kernel_size=2)
    assert parameters_of(nn.Conv2d(1, 4, 2)) == count
    return {"question": "And four 2x2 filters with bias?", "answer": [str(count)],
            "why": "4 * (2 * 2 + 1)"}


def dense_against_local():
    dense, local = arithmetic.dense_connections(5, 5), arithmetic.conv_connections(
        5, 3, padding="same")
    matrix = matrix_of(window(3, padding="same"), 5)
    assert matrix.size == dense
    assert int((matrix != 0).sum()) == local
    return {"question": "5 inputs, 5 units: how many connections, dense and of width 3?",
            "answer": [f"dense {dense}", f"local {local}"],
            "why": "5 * 5, and 5 * 3 less the two that reach over the border"}


def shared_weights():
    dense = arithmetic.dense_parameters(7, 3, bias=False)
    local = arithmetic.local_parameters(7, 1, 1, 3, stride=2, bias=False)
    layer = window(3, stride=2)
    shared = parameters_of(layer)
    assert shared == arithmetic.conv_parameters(1, 1, (3,), bias=False)
    assert int((matrix_of(layer, 7) != 0).sum()) == local
    assert parameters_of(nn.Linear(7, 3, bias=False)) == dense
    return {"question": "7 inputs, 3 units: how many weights, dense, local of width 3, shared?",
            "answer": [f"dense  {dense}", f"local  {local}", f"shared {shared}"],
            "why": "7 * 3; 3 units of 3 inputs; and the same 3 for all units"}


def letters_from_pixels():
    count = arithmetic.dense_parameters(28 * 28, 26, bias=False)
    layer = nn.Linear(28 * 28, 26)
    assert layer.weight.numel() == count
    return {"question": "28x28 pixels, 26 letters, one dense layer: how many weights?",
            "answer": [f"{count:,}"], "why": "784 * 26, before any hidden layer"}


def field_of(layers, n=21):
    """How many inputs the unit at the middle depends on, from a gradient."""
    x = tinycnn.ones(1, 1, n, requires_grad=True)
    y = nn.Sequential(*layers)(x)
    y[0, 0, y.shape[2] // 2].backward()
    return int((x.grad != 0).sum())


def stacked_layers():
    answer = []
    for count in 2, 3:
        size = arithmetic.receptive_field([3] * count).size
        assert field_of([window(3) for _ in range(count)]) == size
        answer.append(f"{count} layers of 3x3 see {size}x{size}, with {9 * count} C^2 weights for "
                      f"{size * size} C^2 of one layer")
    return {"question": "What do two and three 3x3 layers see?", "answer": answer,
            "why": "each layer adds k - 1 = 2; and there is a ReLU between them"}


def dense_block():
    x = tinycnn.ones(1, 64, 8, 8)
    for _ in range(2):
        layer = nn.Conv2d(x.shape[1], 32, 3, padding=1)
        x = tinycnn.cat([x, layer(x)], 1)
    assert x.shape[1] == 64 + 32 * 2
    return {"question": "64 channels enter a dense block of two layers with growth rate 32. How "
                        "many leave?",
            "answer": [str(x.shape[1])], "why": "64 + 2 * 32: each layer adds its own"}


STACKS = {  # (kernel, stride, padding, dilation) of a convolution, then of a pooling
    "a) conv 3; pool 3, stride 1": [(3, 1, 0, 1), (3, 1, 0, 1)],
    "b) conv 3, padding 1; pool 3, stride 2": [(3, 1, 1, 1), (3, 2, 0, 1)],
    "c) conv 3, dilation 2; pool 2, stride 2": [(3, 1, 0, 2), (2, 2, 0, 1)],
    "d) conv 3, stride 2; pool 3, stride 1, padding 1": [(3, 2, 0, 1), (3, 1, 1, 1)],
}


def which_stack_is_wrong():
    answer, wrong = [], []
    for name, (conv, pool) in STACKS.items():
        made = made_by(nn.Sequential(nn.Conv1d(1, 1, *conv), nn.MaxPool1d(*pool)), 1, 1, 7)
        assert made == arithmetic.output_size(arithmetic.output_size(7, *conv), *pool)
        answer.append(f"{name}: {made}")
        wrong += [name[0]] * (made != 3)
    assert len(wrong) == 1
    return {"question": "Which of these does not make 3 outputs of 7 inputs?",
            "answer": [*answer, f"it is {wrong[0]})"],
            "why": "with dilation 2 the filter reaches over 5: 3 are left, and pooling leaves 1"}


def stride_that_does_not_fit():
    n, layer = 7, window(3, stride=3)
    x = tinycnn.ones(1, 1, n, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    unseen = [i for i, used in enumerate(x.grad[0, 0].tolist()) if not used]
    units = arithmetic.output_size(n, 3, stride=3)
    last = arithmetic.input_range([(3, 3)], units - 1, n)[1]
    assert (y.shape[2], unseen) == (units, list(range(last + 1, n)))
    ceil = made_by(nn.MaxPool1d(3, 3, ceil_mode=True), 1, 1, n)
    same = made_by(nn.Conv1d(1, 1, 3, stride=3, padding="same"), 1, 1, n)
    return {"question": "7 inputs, filter 3, stride 3: (7 - 3) / 3 is not whole. What happens?",
            "answer": [f"{units} outputs; input {unseen[0]} (from 0) is seen by none",
                       f"{ceil} with ceil_mode of pooling, {same} with padding='same'"],
            "why": "sizes are rounded down, as in PyTorch: what is left over is not read"}


def known_networks():
    conv, pool = (3, 1, 1), (2, 2)
    nets = {"LeNet-5, C5": [5, pool, 5, pool, 5],
            "AlexNet, pool5": [(11, 4), (3, 2), (5, 1, 2), (3, 2), conv, conv, conv, (3, 2)],
            "VGG-16, pool5": 2 * [conv, conv, pool] + 3 * [conv, conv, conv, pool]}
    answer = []
    for name, layers in nets.items():
        field = arithmetic.receptive_field(layers)
        stack = nn.Sequential(*[nn.AvgPool1d(*([*layer, 0][:3] if isinstance(layer, tuple) else
                                               (layer, 1))) for layer in layers])
        row = tinycnn.summary(stack, (1, 1, 400)).rows[-1]
        assert (row.receptive_field, row.jump) == ((field.size,), (field.jump,))
        answer.append(f"{name:14} sees {field.size:3} pixels, every {field.jump}")
    return {"question": "How much of the image do units of known networks see?", "answer": answer,
            "why": "size += (k - 1) * jump, jump *= stride, layer by layer"}


def lenet_counted():
    info = tinycnn.summary(tinycnn.models.LeNet5(padding=0), (1, 1, 32, 32))
    counts = [arithmetic.conv_parameters(1, 6, 5), arithmetic.conv_parameters(6, 16, 5),
              arithmetic.conv_parameters(16, 120, 5), arithmetic.dense_parameters(120, 84),
              arithmetic.dense_parameters(84, 10)]
    assert [row.parameters for row in info.rows[1:] if row.parameters] == counts
    return {"question": "What does each layer of LeNet-5 (modern form) cost?",
            "answer": str(info).splitlines(),
            "why": "most weights are in C5, most work is in C3: weights are shared by places"}


QUESTIONS = [three_paddings, stride_two, dilated_filter, ten_filters, four_filters,
             dense_against_local, shared_weights, letters_from_pixels, stacked_layers, dense_block,
             which_stack_is_wrong, stride_that_does_not_fit, known_networks, lenet_counted]

if __name__ == "__main__":
    from lecture_quiz import run

    run(QUESTIONS, __doc__)

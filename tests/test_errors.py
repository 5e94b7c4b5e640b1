"""Bad input to convolutions, products, devices and threads: a sentence that says what was expected,
what came and what to do. Other families have theirs in their own files."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn
from tinycnn._core import kernels_for
from tinycnn.testing import reference_kernels

ones = tinycnn.ones


def conv(x=(2, 3, 8, 8), weight=(4, 3, 3, 3), bias=None, **arguments):
    return F.conv2d(ones(*x), ones(*weight), bias, **arguments)


def transpose(x=(2, 3, 8, 8), weight=(3, 4, 3, 3), bias=None, **arguments):
    return F.conv_transpose2d(ones(*x), ones(*weight), bias, **arguments)


# call, error, what the message says
CONV = [
    # tensors
    (lambda: F.conv2d(np.ones((1, 1, 3, 3)), ones(1, 1, 1, 1)), TypeError,
     r"conv2d: expected input to be a Tensor, got ndarray\. Make one with tinycnn\.tensor"),
    (lambda: F.conv1d(ones(1, 1, 3), [[[1.0]]]), TypeError,
     r"conv1d: expected weight to be a Tensor, got list\. Make one"),
    (lambda: F.conv3d(ones(1, 1, 3, 3, 3).to("int64"), ones(1, 1, 1, 1, 1)), TypeError,
     r"conv3d: expected input to be of dtype float32 or float64, got int64 \(1, 1, 3, 3, "
     r"3\)\. Conv"),
    (lambda: conv(bias=3.0), TypeError, r"conv2d: expected bias to be a Tensor, got float\. Make"),
    (lambda: F.conv2d(ones(1, 1, 3, 3), ones(1, 1, 1, 1, dtype="float64")), TypeError,
     r"conv2d: expected weight in the dtype of input, float32, got float64\. Convert one"),
    (lambda: conv(bias=ones(4, dtype="float64")), ValueError,
     r"conv2d: expected bias \(4,\) of float32, got \(4,\) of float64\. One number for each"),
    # shapes
    (lambda: conv((8, 8)), ValueError,
     r"conv2d: expected input \(N, C, H, W\), or one image without N, got \(8, 8\)\. Reshape "
     r"it to 4"),
    (lambda: F.conv1d(ones(1, 1, 3, 3), ones(1, 1, 3)), ValueError,
     r"conv1d: expected input \(N, C, L\), or one image without N, got \(1, 1, 3, 3\)\. "
     r"Reshape it to 3"),
    (lambda: F.conv3d(ones(3, 3, 3), ones(1, 3, 1, 1, 1)), ValueError,
     r"conv3d: expected input \(N, C, D, H, W\), or one image without N, got \(3, 3, 3\)\. "
     r"Reshape"),
    (lambda: conv(weight=(4, 3, 3)), ValueError,
     r"conv2d: expected weight \(OC, C/groups, KH, KW\), no size 0, got \(4, 3, 3\)\. Check"),
    (lambda: conv(weight=(4, 3, 0, 3)), ValueError,
     r"conv2d: expected weight .*, no size 0, got \(4, 3, 0, 3\)\. Check the layer's "
     r"channels"),
    (lambda: conv(weight=(0, 3, 3, 3)), ValueError, r"no size 0, got \(0, 3, 3, 3\)"),
    (lambda: conv((2, 8, 8, 3)), ValueError,
     r"conv2d: expected input with 3 channels, for weight \(4, 3, 3, 3\) and groups=1, got 8 "
     r"channels in input \(2, 8, 8, 3\)\. Check in_channels .* input must be \(N, C, H, W\)"),
    (lambda: conv((0, 2, 8, 8)), ValueError, r"got 2 channels in input \(0, 2, 8, 8\)"),
    (lambda: conv(bias=ones(3)), ValueError,
     r"conv2d: expected bias \(4,\) of float32, got \(3,\) of float32\. One number for each "
     r"output"),
    (lambda: conv(bias=ones(4, 1)), ValueError, r"expected bias \(4,\) of float32, got \(4, 1\)"),
    # groups
    (lambda: conv(groups=3), ValueError,
     r"conv2d: expected groups to divide 4 channels of weight \(4, 3, 3, 3\), got groups=3\. "
     r"Use groups=1, or channels that it divides"),
    (lambda: conv(groups=0), ValueError, r"got groups=0"),
    (lambda: conv(groups=-1), ValueError, r"got groups=-1"),
    (lambda: conv(groups=1.0), ValueError, r"got groups=1\.0"),
    (lambda: conv(groups=2), ValueError, r"expected input with 6 channels, .* groups=2, got 3"),
    # window
    (lambda: conv(stride=0), ValueError,
     r"conv2d: expected stride to be one int or 2 ints, each at least 1, got 0\. Pass for "
     r"example stride=1"),
    (lambda: conv(stride=(1, 2, 3)), ValueError, r"expected stride .* 2 ints.*got \(1, 2, 3\)"),
    (lambda: conv(stride=()), ValueError, r"expected stride .* got \(\)"),
    (lambda: conv(stride=1.5), TypeError,
     r"conv2d: expected stride to be an int or 2 ints, got 1\.5"),
    (lambda: conv(stride="2"), TypeError, r"expected stride to be an int or 2 ints, got '2'"),
    (lambda: conv(stride={2}), TypeError, r"expected stride to be an int or 2 ints, got '\{2\}'"),
    (lambda: conv(stride=None), TypeError, r"expected stride to be an int or 2 ints, got None"),
    (lambda: conv(stride=2**31), ValueError,
     r"expected stride below 2\*\*31, got 2147483648\. No "),
    (lambda: conv(stride=2**70), ValueError, r"expected stride below 2\*\*31"),
    (lambda: conv(dilation=0), ValueError, r"expected dilation to be one int .* at least 1, got 0"),
    (lambda: conv(dilation=(1, "a")), TypeError, r"expected dilation to be an int or 2 ints"),
    (lambda: conv(padding=-1), ValueError, r"expected padding to be one int .* at least 0, got -1"),
    (lambda: conv(padding=0.5), TypeError, r"expected padding to be an int or 2 ints, got 0\.5"),
    (lambda: conv(padding=((1, 2), (1, -2))), ValueError, r"expected padding .* 0, got \(1, -2\)"),
    (lambda: conv(padding=((1, 2), (1, 2, 3))), ValueError, r"expected padding .*got \(1, 2, 3\)"),
    (lambda: conv(padding="SAME"), ValueError,
     r"conv2d: expected padding 'valid', 'same', 'full', or numbers, got 'SAME'\. Use one of "
     r"these names"),
    (lambda: conv((2, 3, 2, 8)), ValueError,
     r"conv2d: expected an input that the window \(3, 3\) fits into \(kernel \(3, 3\), "
     r"dilation \(1, 1\)\), got \(2, 8\), \(2, 8\) with padding\. Pad more, or"),
    (lambda: conv(dilation=(1, 5), padding=1), ValueError,
     r"window \(3, 11\) .*\(10, 10\) with padd"),
    (lambda: conv((2, 3, 0, 8)), ValueError, r"got \(0, 8\), \(0, 8\) with padding"),
    (lambda: conv(dilation=2**31 - 1), ValueError, r"window \(4294967295, 4294967295\)"),
    # transposed
    (lambda: F.conv_transpose2d([1.0], ones(1, 1, 1, 1)), TypeError,
     r"conv_transpose2d: expected input to be a Tensor, got list"),
    (lambda: transpose((2, 4, 8, 8)), ValueError,
     r"conv_transpose2d: expected input with 3 channels"),
    (lambda: transpose(groups=2), ValueError, r"groups to divide 3 channels of weight"),
    (lambda: transpose(weight=(3, 4, 3)), ValueError, r"expected weight \(C, OC/groups, KH, KW\)"),
    (lambda: F.conv_transpose1d(ones(1, 3, 4), ones(3, 2, 0)), ValueError, r"\(C, OC/groups, K\)"),
    (lambda: F.conv_transpose3d(ones(3, 4), ones(3, 2, 1, 1, 1)), ValueError,
     r"Reshape it to 5 axes"),
    (lambda: transpose(bias=ones(3)), ValueError, r"expected bias \(4,\) of float32, got \(3,\)"),
    (lambda: transpose(weight=(3, 4, 3, 3), bias=ones(4), groups=3), ValueError, r"bias \(12,\)"),
    (lambda: transpose(output_padding=1), ValueError,
     r"conv_transpose2d: expected output_padding below stride or dilation, got 1 with stride "
     r"\(1, 1\) and dilation \(1, 1\)\. It picks among"),
    (lambda: transpose(stride=(3, 2), output_padding=(2, 2)), ValueError,
     r"got \(2, 2\) with stride"),
    (lambda: transpose(output_padding=-1), ValueError, r"output_padding .* at least 0, got -1"),
    (lambda: transpose((2, 3, 1, 1), padding=2), ValueError,
     r"conv_transpose2d: expected an output of at least one pixel along each axis, got size "
     r"\(-1, -1\) from input size \(1, 1\)\. Use less"),
    (lambda: transpose(padding="half"), ValueError, r"expected padding 'valid', 'same', 'full'"),
]

LAYERS = [
    (lambda: nn.Conv2d("3", 4, 3), TypeError,
     r"Conv2d: expected in_channels to be an int, got '3'"),
    (lambda: nn.Conv2d(0, 4, 3), ValueError, r"Conv2d: expected in_channels of at least 1, got 0"),
    (lambda: nn.Conv1d(3, -4, 3), ValueError,
     r"Conv1d: expected out_channels of at least 1, got -4"),
    (lambda: nn.Conv2d(3, 4, 3, groups=1.0), TypeError, r"expected groups to be an int, got 1\.0"),
    (lambda: nn.Conv2d(6, 4, 3, groups=3), ValueError,
     r"Conv2d: expected groups to divide in_channels and out_channels, got groups=3 for 6 "
     r"and 4\. Use a divisor of 2, their greatest common one"),
    (lambda: nn.Conv2d(3, 4, 0), ValueError, r"Conv2d: expected kernel_size .* at least 1, got 0"),
    (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError,
     r"expected kernel_size to be one int or 2 ints"),
    (lambda: nn.Conv3d(3, 4, 2.0), TypeError,
     r"Conv3d: expected kernel_size to be an int or 3 ints"),
    (lambda: nn.Conv2d(3, 4, 3, stride=0), ValueError,
     r"Conv2d: expected stride .* at least 1, got 0"),
    (lambda: nn.Conv2d(3, 4, 3, dilation=0), ValueError, r"Conv2d: expected dilation .* got 0"),
    (lambda: nn.Conv2d(3, 4, 3, padding=-1), ValueError,
     r"Conv2d: expected padding .* got \(-1, -1\)"),
    (lambda: nn.Conv2d(3, 4, 3, padding="smae"), ValueError,
     r"Conv2d: expected padding 'valid', 'same'"),
    (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), ValueError,
     r"Conv2d: expected padding_mode 'zeros', 'reflect', 'replicate', 'circular', got "
     r"'mirror'"),
    (lambda: nn.Conv2d(3, 4, 3)(ones(2, 4, 8, 8)), ValueError,
     r"conv2d: expected input with 3 chan"),
    (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), ValueError,
     r"ConvTranspose2d: expected padding_mode 'zeros', got 'reflect'\. Its padding cuts "
     r"pixels"),
    (lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=2), ValueError,
     r"ConvTranspose2d: expected output_padding below stride or dilation, got 2\. It picks "
     r"among"),
    (lambda: nn.ConvTranspose2d(3, 4, 3, stride=2)(ones(1, 3, 4, 4), (11, 9)), ValueError,
     r"ConvTranspose2d: expected output_size from \(9, 9\) to \(10, 10\) for input \(1, 3, "
     r"4, 4\), got \(11, 9\)\. Pass a size that the layer can make"),
    (lambda: nn.ConvTranspose2d(3, 4, 3)(ones(1, 3, 4, 4), (9,)), ValueError,
     r"ConvTranspose2d: expected output_size of 2 numbers, or as many axes as the input, got "
     r"\(9,\)"),
]

PRODUCTS = [
    (lambda: ones(2, 3) @ ones(2, 3), ValueError,
     r"matmul: expected input \(\.\.\., M, K\) and other \(\.\.\., K, N\), got \(2, 3\) and "
     r"\(2, 3\)\. The last axis of input .* transpose one of them\?"),
    (lambda: ones(3) @ ones(2), ValueError, r"got \(3,\) and \(2,\)"),
    (lambda: tinycnn.matmul(ones(()), ones(2)), ValueError, r"got \(\) and \(2,\)"),
    (lambda: ones(2, 3, 4) @ ones(3, 4, 5), ValueError, r"matmul: expected shapes that broadcast"),
    (lambda: ones(2, 3) @ ones(3, 2, dtype="float64"), TypeError,
     r"matmul: expected other of the input's dtype float32, got float64\. Convert one of "
     r"them"),
    (lambda: tinycnn.matmul(ones(2, 2), [[1.0]]), TypeError,
     r"matmul: expected other to be a Tensor"),
    (lambda: ones(2, 2) @ ones(2, 2).to("int64"), TypeError,
     r"matmul: expected other to be of dtype f"),
    (lambda: F.linear(ones(2, 3), ones(4, 2)), ValueError,
     r"linear: expected input \(\.\.\., 2\) for weight \(O, I\) = \(4, 2\), got \(2, 3\)\. "
     r"Check in_features of the layer, or flatten"),
    (lambda: F.linear(ones(2, 3), ones(4, 3, 1)), ValueError, r"weight \(O, I\) = \(4, 3, 1\)"),
    (lambda: F.linear(ones(2, 3), ones(4, 3), ones(3)), ValueError,
     r"linear: expected bias \(4,\) for weight \(4, 3\), got \(3,\)\. One number per output"),
    (lambda: F.linear(ones(2, 3), ones(4, 3), ones(4, dtype="float64")), TypeError,
     r"linear: expected bias of the input's dtype float32, got float64"),
]

RUNTIME = [
    (lambda: tinycnn.set_num_threads(0), ValueError,
     r"set_num_threads: expected a count between 1 and 4096, got 0\. Pass for example 2"),
    (lambda: tinycnn.set_num_threads(5000), ValueError, r"between 1 and 4096, got 5000"),
    (lambda: tinycnn.set_num_threads(2.0), TypeError,
     r"set_num_threads: expected an int, got 2\.0"),
    (lambda: tinycnn.set_num_threads("2"), TypeError, r"set_num_threads: expected an int, got '2'"),
    (lambda: ones(2).to("tpu"), ValueError,
     r"to: expected device 'cpu'( or 'cuda')?, got 'tpu'"),
    (lambda: tinycnn.tensor([1.0], device="gpu"), ValueError,
     r"to: expected device 'cpu'( or 'cuda')?, got 'gpu'"),
    (lambda: nn.Linear(2, 2, device="cuda:7"), ValueError,
     r"expected device 'cpu'( or 'cuda')?, got 'cuda:7'"),
    (lambda: kernels_for([np.ones(1), [1]]), TypeError,
     r"kernels_for: expected NumPy arrays on the CPU, got list\. Make tensors with "
     r"tinycnn\.tensor"),
]


@pytest.mark.parametrize(("call", "error", "message"), CONV + LAYERS + PRODUCTS + RUNTIME,
                         ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_message(call, error, message):
    for _ in range(2):  # the second time what was remembered of the first must not answer
        with pytest.raises(error, match=message) as info:
            call()
        assert info.type is error
        assert str(info.value).endswith((".", "?", ")"))


def test_every_device_says_the_same_words():
    """Checks lie above the dispatch: with the kernels of any device, before any of them runs."""
    with reference_kernels(), pytest.raises(ValueError, match="expected input with 3"):
        conv((2, 8, 8, 3))


def test_read_only_arrays_are_read(rng):
    arrays = [rng.standard_normal(s).astype("f4") for s in [(2, 3, 8, 8), (4, 3, 3, 3), (4,)]]
    expected = F.conv2d(*map(tinycnn.tensor, arrays)).numpy()
    for array in arrays:
        array.flags.writeable = False
    np.testing.assert_array_equal(F.conv2d(*map(tinycnn.from_numpy, arrays)).numpy(), expected)


def test_images_past_two_to_the_31_pixels():
    """Memory that is reserved and never touched costs nothing: few windows of it are read."""
    try:
        x = np.zeros((1, 1, 1, 2**31 + 2**10), np.float32)
    except MemoryError:
        pytest.skip("no address space for 8 GiB here")
    x[..., 2**31] = 7
    weight = tinycnn.tensor([[[[10.0, 100.0]]]], requires_grad=True)
    for stride in 2**30, 2**28:  # by im2col; from 7 windows on by a strip
        y = F.conv2d(tinycnn.from_numpy(x), weight, stride=stride)
        assert y.shape == (1, 1, 1, 2**31 // stride + 1)
        assert y[..., -1].item() == 70
        weight.grad = None
        y.sum().backward()
        assert weight.grad.numpy().tolist() == [[[[7, 0]]]]

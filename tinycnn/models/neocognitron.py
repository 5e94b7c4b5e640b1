"""The neocognitron: S cells that find features, C cells that forgive their place, no teacher.

Source: Fukushima 1980, "Neocognitron: a self-organizing neural network model for a mechanism of
        pattern recognition unaffected by shift in position", Biological Cybernetics 36.

Size letters: N images, C planes of the layer below, K cell planes, H W cells of a plane.
"""

from math import exp

from .. import nn
from .._core.checks import fail, float_of, int_of, require, shape_text
from ..nn import functional as F
from ..tensor import Tensor
from ._shared import counts


class SLayer(nn.Module):
    """Planes of S cells: each fires where its window looks like what its plane has learnt.

    u[k, n] = r * relu((1 + e[k, n]) / (1 + 2 r / (1 + r) * b[k] * v[n]) - 1)
    e[k, n] = sum over c, d of a[k, c, d] * x[c, n + d]           excitation, a convolution
    v[n]    = sqrt(sum over c, d of g[d] * x[c, n + d]^2)         inhibition

    All cells of a plane share a and b. A plane that has learnt fires where the cosine between its
    window and its memory exceeds about r / (1 + r). One that has learnt nothing fires weakly at
    everything, and so is the one to learn what no other plane knows.

    Args:    in_planes (int): C.
             planes (int): K.
             size (int): of the window, odd; the border is padded with zeros.
             selectivity (float): r, above 0.
             rate (float): q, how fast the cells learn.
    Shape:   (N, C, H, W) to (N, K, H, W). a starts positive and very small, b at 0; both are learnt
             without gradients, g is fixed: falling from the middle, its sum over c and d is 1.
    Raises:  ValueError: if size is even, or another number below 1 or not above 0.
    Example: >>> import tinycnn
             >>> from tinycnn.models import SLayer
             >>> SLayer(1, 4, size=3)(tinycnn.ones(2, 1, 5, 5)).shape
             (2, 4, 5, 5)
    Source:  Fukushima 1980, equations 1 to 4.
    """

    def __init__(self, in_planes: int, planes: int, size: int = 5, selectivity: float = 4.0,
                 rate: float = 16.0):
        super().__init__()
        counts("SLayer", in_planes=in_planes, planes=planes)
        odd("SLayer", "size", size)
        for name, value in ("selectivity", selectivity), ("rate", rate):
            number = float_of("SLayer", name, value, f"Pass for example {name}=4.0.")
            require(number > 0, "SLayer", f"{name} above 0", repr(value),
                    f"Pass for example {name}=4.0.")
        self.size, self.selectivity, self.rate = size, selectivity, rate
        self.excitation = nn.Conv2d(in_planes, planes, size, padding=size // 2, bias=False)
        self.inhibition = nn.Parameter([0.0] * planes)
        self.window = nn.Parameter([[bell(size, 1 / in_planes)]])
        self.requires_grad_(False)
        nn.init.uniform_(self.excitation.weight, 0.0, 1e-3)

    def forward(self, input):
        check_images("SLayer", input, "(N, C, H, W)")
        return self._respond(input, self._power(input))

    def _power(self, x):
        """v: how much there is to see in every window, (N, 1, H, W)."""
        return F.conv2d((x * x).sum(1, keepdim=True), self.window, padding=self.size // 2).sqrt()

    def _respond(self, x, v):
        r = self.selectivity
        shunt = 1 + 2 * r / (1 + r) * self.inhibition.reshape(-1, 1, 1) * v
        return r * F.relu((1 + self.excitation(x)) / shunt - 1)

    def learn(self, input, zone: int = 3) -> int:
        """Show one image: the cells that answer best learn what they see, and so do their planes.

        Among the cells of all planes within zone x zone places the largest one is a candidate; of
        each plane, the largest candidate learns: a[k] += q * g * x, b[k] += q / 2 * v.

        Args:    input (Tensor): (1, C, H, W), what the layer below makes of one image.
                 zone (int): size of the neighbourhood that one cell speaks for, odd.
        Returns: int, the number of planes that learnt.
        Raises:  ValueError: if it is not one image, or zone is even.
        Example: >>> import tinycnn
                 >>> from tinycnn.models import SLayer
                 >>> SLayer(1, 4, size=3).learn(tinycnn.eye(5).reshape(1, 1, 5, 5)) > 0
                 True
        Source:  Fukushima 1980, section 3 (representatives of the S columns).
        """
        check_images("SLayer.learn", input, "(1, C, H, W)", count=1)
        odd("SLayer.learn", "zone", zone)
        v = self._power(input)
        u = self._respond(input, v)
        nearby = F.max_pool2d(u.amax(1, keepdim=True), zone, 1, zone // 2)
        value, place = (u * (u == nearby).to(u.dtype))[0].flatten(1).max(1)
        border = self.size // 2
        padded = F.pad(input[0], (border,) * 4)
        learnt = 0
        for k, (best, at) in enumerate(zip(value.tolist(), place.tolist())):
            if best > 0:
                i, j = divmod(at, input.shape[3])
                seen = padded[:, i : i + self.size, j : j + self.size] * self.window[0]
                self.excitation.weight.data[k] += self.rate * seen.data
                self.inhibition.data[k] += self.rate / 2 * v[0, 0, i, j].item()
                learnt += 1
        return learnt

    def extra_repr(self) -> str:
        return f"size={self.size}, selectivity={self.selectivity}, rate={self.rate}"


class CLayer(nn.Module):
    """Planes of C cells: each fires if some S cell of its plane near by does.

    u[k, n] = p / (alpha + p),   p = relu((1 + s[k, n]) / (1 + mean over k of s[k, n]) - 1)
    s[k, n] = sum over d of g[d] * x[k, stride * n + d]

    Args:    size (int): of the window, odd; the border is padded with zeros.
             stride (int): cells of the layer below from one C cell to the next.
             saturation (float): alpha.
    Shape:   (N, K, H, W) to (N, K, ceil(H / stride), ceil(W / stride)); nothing is learnt.
    Raises:  ValueError: if size is even, stride below 1, or saturation not above 0.
    Example: >>> import tinycnn
             >>> from tinycnn.models import CLayer
             >>> CLayer(3, stride=2)(tinycnn.ones(2, 4, 5, 5)).shape
             (2, 4, 3, 3)
    Source:  Fukushima 1980, equations 5 to 7.
    """

    def __init__(self, size: int = 5, stride: int = 2, saturation: float = 0.5):
        super().__init__()
        counts("CLayer", stride=stride)
        odd("CLayer", "size", size)
        saturation = float_of("CLayer", "saturation", saturation, "Pass for example 0.5.")
        require(saturation > 0, "CLayer", "saturation above 0", repr(saturation),
                "Pass for example 0.5.")
        self.size, self.stride, self.saturation = size, stride, saturation
        self.window = nn.Parameter([[bell(size)]], requires_grad=False)

    def forward(self, input):
        check_images("CLayer", input, "(N, K, H, W)")
        N, K, H, W = input.shape
        s = F.conv2d(input.reshape(N * K, 1, H, W), self.window, None, self.stride, self.size // 2)
        s = s.reshape(N, K, *s.shape[2:])
        p = F.relu((1 + s) / (1 + s.mean(1, keepdim=True)) - 1)
        return p / (self.saturation + p)

    def extra_repr(self) -> str:
        return f"size={self.size}, stride={self.stride}, saturation={self.saturation}"


class Neocognitron(nn.Sequential):
    """Three stages of S and C cells that organise themselves by looking at images.

    layer    window   output (28 x 28)
    S1       5x5      planes x 28 x 28     edges and corners
    C1       5x5      planes x 14 x 14
    S2       5x5      planes x 14 x 14     parts
    C2       5x5      planes x 7 x 7
    S3       7x7      planes x 7 x 7       whole shapes
    C3       7x7      planes x 1 x 1       wherever they were

    Train it stage after stage with `learn`; no label is ever used. What the C cells of the last
    stage say can be read by any classifier.

    Args:    planes (triple of int): K of the three stages.
             in_channels (int): of the images, whose values should not be negative.
             selectivity (triple of float): r of the three stages.
    Shape:   (N, in_channels, H, W) to (N, planes[2], H / 28, W / 28), sizes rounded up.
    Example: >>> import tinycnn
             >>> from tinycnn.models import Neocognitron
             >>> Neocognitron()(tinycnn.zeros(2, 1, 28, 28)).shape
             (2, 120, 1, 1)
    Source:  Fukushima 1980, whose network for 16 x 16 images had 24 planes in every layer.
    """

    def __init__(self, planes=(24, 60, 120), in_channels: int = 1, selectivity=(4.0, 1.0, 1.0)):
        super().__init__()
        for name, given in ("planes", planes), ("selectivity", selectivity):
            if not isinstance(given, (tuple, list)) or len(given) != 3:
                fail("Neocognitron", f"{name} of three stages", repr(given), "Pass three numbers.")
        below = in_channels
        for i, (size, pool, stride) in enumerate([(5, 5, 2), (5, 5, 2), (7, 7, 7)]):
            self.append(SLayer(below, planes[i], size, selectivity[i]))
            self.append(CLayer(pool, stride))
            below = planes[i]

    def learn(self, image, stage: int) -> int:
        """Show one image to the S cells of one stage, after the stages below it have learnt.

        Args:    image (Tensor): (1, in_channels, H, W).
                 stage (int): 0, 1 or 2.
        Returns: int, the number of planes that learnt.
        Raises:  ValueError: if there is no such stage.
        Example: >>> import tinycnn
                 >>> from tinycnn.models import Neocognitron
                 >>> Neocognitron().learn(tinycnn.eye(28).reshape(1, 1, 28, 28), stage=0) > 0
                 True
        """
        if stage not in (0, 1, 2):
            fail("Neocognitron.learn", "stage 0, 1 or 2", repr(stage), "Train them in this order.")
        return self[2 * stage].learn(self[: 2 * stage](image))


def bell(size, total=1.0):
    """Weights that fall from the middle of a window to its border, as nested lists; they add up to
    `total`."""
    distance = [(i - size // 2) / (size / 2) for i in range(size)]
    rows = [[exp(-2 * (y * y + x * x)) for x in distance] for y in distance]
    scale = total / sum(map(sum, rows))
    return [[scale * value for value in row] for row in rows]


def odd(function, name, value):
    """Raise unless a size is odd and at least 1: a window has a middle."""
    number = int_of(function, name, value, f"Pass for example {name}=5.")
    require(number % 2 == 1 and number > 0, function, f"an odd {name}", repr(value),
            f"Pass for example {name}=5.")


def check_images(function, input, shape, count=None):
    """Raise unless these are images of cells, as many as `count` says."""
    if not isinstance(input, Tensor):
        fail(function, f"images {shape}", type(input).__name__,
             "Make a tensor with tinycnn.tensor(...).", TypeError)
    if input.ndim != 4 or (count is not None and len(input) != count):
        fail(function, f"images {shape}",
             shape_text(input.shape),
             "Add the missing axes, or show one image after the other.")

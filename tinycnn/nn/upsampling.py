"""Upsampling layers: they keep the arguments and call interpolate of ops/resize.py."""

from .._core.checks import float_of
from ..ops.resize import interpolate
from ..tensor import Tensor
from .module import Module

Size = int | tuple[int, ...] | None
Scale = float | tuple[float, ...] | None


class Upsample(Module):
    """Feature maps of another size, most often larger; see functional.interpolate.

    Shape:   (N, C, L), (N, C, H, W) or (N, C, D, H, W) to the same with OL, OH OW or OD OH OW;
             OH = size, or floor(H * scale_factor).
    Args:    size (int or tuple): of the output; or
             scale_factor (float or tuple): how many times larger it is than the input.
             mode (str): "nearest", "linear" (one axis), "bilinear", "bicubic" (two), "trilinear"
             (three), and others: see functional.interpolate.
             align_corners (bool or None): the first pixel lies on the first, the last on the last.
             recompute_scale_factor (bool or None): let pixels lie H / OH apart.
    Example: >>> import tinycnn
             >>> x = tinycnn.tensor([[[0.0, 4.0]]])
             >>> Upsample(scale_factor=2, mode="linear")(x)
             tensor([[[0., 1., 3., 4.]]])
    """

    def __init__(self, size: Size = None, scale_factor: Scale = None, mode: str = "nearest",
                 align_corners: bool | None = None,
                 recompute_scale_factor: bool | None = None) -> None:
        super().__init__()
        self.size = size
        several = isinstance(scale_factor, (tuple, list))
        factors = [float_of(type(self).__name__, "scale_factor", factor, "Pass for example 2.")
                   for factor in (scale_factor if several else [scale_factor] if scale_factor
                                  else [])]
        self.scale_factor = tuple(factors) if several else factors[0] if factors else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
                           self.recompute_scale_factor)

    def extra_repr(self) -> str:
        given = (f"size={self.size!r}" if self.scale_factor is None
                 else f"scale_factor={self.scale_factor!r}")
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Every pixel repeated: Upsample with mode "nearest".

    Shape:   (N, C, H, W) to (N, C, OH, OW), OH = size, or floor(H * scale_factor).
    Args:    size (int or pair): OH, OW; or
             scale_factor (float or pair): how many times larger the output is.
    Example: >>> import tinycnn
             >>> UpsamplingNearest2d(scale_factor=2)(tinycnn.tensor([[[[1.0, 2.0]]]]))
             tensor([[[[1., 1., 2., 2.],
                       [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: Size = None, scale_factor: Scale = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Bilinear between pixels, corners on corners: Upsample with "bilinear", align_corners=True.

    Shape:   (N, C, H, W) to (N, C, OH, OW), OH = size, or floor(H * scale_factor).
    Args:    size (int or pair): OH, OW; or
             scale_factor (float or pair): how many times larger the output is.
    Example: >>> import tinycnn
             >>> UpsamplingBilinear2d((1, 5))(tinycnn.tensor([[[[0.0, 4.0]]]]))
             tensor([[[[0., 1., 2., 3., 4.]]]])
    """

    def __init__(self, size: Size = None, scale_factor: Scale = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)

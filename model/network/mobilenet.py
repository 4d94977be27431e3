"""MobileNet v2 (Sandler et al., CVPR 2018, table 2) and EfficientNet-Lite0, written down layer by layer."""

from model.network.build import Builder
from model.network.layer import Network

Shape = tuple[int, int, int]

_V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, repeats, first stride of each stage."""

_LITE0 = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""The same with the kernel's edge last (tensorflow/tpu, efficientnet/lite)."""


def mobilenet_v2(width: float) -> Network:
    """MobileNet v2 on one 224 x 224 image; channels times `width`, to a multiple of 8, the last ones never narrower."""
    builder = Builder(f"mobilenet_v2_{width:g}", f"Sandler et al., CVPR 2018, table 2; width {width:g}")
    shape = builder.convolution("conv1", (224, 224, 3), _channels(32, width), 3, stride=2)
    for stage, (expansion, channels, repeats, stride) in enumerate(_V2, start=1):
        for block in range(repeats):
            shape = _inverted(
                builder,
                f"stage{stage}_{block}",
                shape,
                expansion,
                _channels(channels, width),
                stride if block == 0 else 1,
                3,
            )
    return _head(builder, shape, _channels(1280, max(1.0, width)))


def efficientnet_lite0() -> Network:
    """EfficientNet-Lite0 on one 224 x 224 image: no squeeze and excitation, stem and head of fixed width."""
    builder = Builder("efficientnet_lite0", "tensorflow/tpu, efficientnet/lite: Lite0, 224 x 224")
    shape = builder.convolution("conv1", (224, 224, 3), 32, 3, stride=2)
    for stage, (expansion, channels, repeats, stride, kernel) in enumerate(_LITE0, start=1):
        for block in range(repeats):
            shape = _inverted(
                builder, f"stage{stage}_{block}", shape, expansion, channels, stride if block == 0 else 1, kernel
            )
    return _head(builder, shape, 1280)


def _inverted(
    builder: Builder, name: str, shape: Shape, expansion: int, channels: int, stride: int, kernel: int
) -> Shape:
    """Inverted bottleneck: 1 x 1 up (unless expansion is 1), depthwise, 1 x 1 down, added where shapes agree."""
    inner = shape
    if expansion != 1:
        inner = builder.convolution(f"{name}_expand", shape, shape[2] * expansion, 1)
    inner = builder.convolution(f"{name}_depthwise", inner, inner[2], kernel, stride=stride, groups=inner[2])
    inner = builder.convolution(f"{name}_project", inner, channels, 1)
    if inner == shape:
        builder.vector(f"{name}_add", "Add", inner[0] * inner[1] * inner[2], inputs=2)
    return inner


def _head(builder: Builder, shape: Shape, channels: int) -> Network:
    shape = builder.convolution("conv_last", shape, channels, 1)
    builder.pool("pool", "AveragePool", shape, shape[0])
    builder.product("fc", 1, 1000, channels)
    return builder.network()


def _channels(channels: int, width: float) -> int:
    """`channels` times `width` to the nearest multiple of 8, not more than 10 % below."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded

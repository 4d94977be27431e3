"""YOLO detectors, written down layer by layer. Boxes are decoded and chosen on the host.

Up-sampling and concatenation move data only and have no layer. The SiLU behind each convolution of versions 5 and 8 is
a layer, since it has an exponential; the leaky ReLU of version 3 is not.
"""

from math import prod
from typing import Any

from model.network.build import Builder
from model.network.layer import Network

Shape = tuple[int, int, int]


class _Silu(Builder):
    """Puts a SiLU behind every convolution but those that give boxes."""

    def convolution(
        self, name: str, shape: Shape, channels: int, kernel: int | tuple[int, int], **options: Any
    ) -> Shape:
        """As in `Builder`."""
        found = super().convolution(name, shape, channels, kernel, **options)
        self.vector(f"{name}_silu", "Swish", prod(found))
        return found

    def last(self, name: str, shape: Shape, channels: int) -> Shape:
        """A 1 x 1 that gives boxes or classes."""
        return super().convolution(name, shape, channels, 1)


def yolov3(size: int) -> Network:
    """YOLOv3 on one `size` x `size` image, 80 classes: Darknet-53 and three heads (Redmon, Farhadi 2018)."""
    builder = Builder(f"yolov3_{size}", f"pjreddie/darknet, cfg/yolov3.cfg, {size} x {size}")
    shape = builder.convolution("conv0", (size, size, 3), 32, 3)
    routes: list[Shape] = []
    for stage, repeats in enumerate((1, 2, 8, 8, 4), start=1):
        wide = 32 << stage
        shape = builder.convolution(f"down{stage}", shape, wide, 3, stride=2, pads=((1, 1), (1, 1)))
        for block in range(repeats):
            inner = builder.convolution(f"res{stage}_{block}_a", shape, wide // 2, 1)
            builder.convolution(f"res{stage}_{block}_b", inner, wide, 3)
            builder.vector(f"res{stage}_{block}_add", "Add", shape[0] * shape[1] * wide, inputs=2)
        routes.append(shape)
    height, width, channels = shape
    for head, narrow in enumerate((512, 256, 128)):
        if head:
            lateral = builder.convolution(f"head{head}_lateral", (height, width, 2 * narrow), narrow, 1)
            skip = routes[-1 - head]
            height, width, channels = skip[0], skip[1], lateral[2] + skip[2]
        inner = (height, width, channels)
        for index in range(2):
            inner = builder.convolution(f"head{head}_{index}_a", inner, narrow, 1)
            inner = builder.convolution(f"head{head}_{index}_b", inner, 2 * narrow, 3)
        branch = builder.convolution(f"head{head}_branch", inner, narrow, 1)
        inner = builder.convolution(f"head{head}_last", branch, 2 * narrow, 3)
        builder.convolution(f"head{head}_boxes", inner, 255, 1)
    return builder.network()


def yolov3_tiny(size: int) -> Network:
    """YOLOv3-tiny on one `size` x `size` image, 80 classes."""
    builder = Builder(f"yolov3_tiny_{size}", f"pjreddie/darknet, cfg/yolov3-tiny.cfg, {size} x {size}")
    shape: Shape = (size, size, 3)
    skip = shape
    for index, channels in enumerate((16, 32, 64, 128, 256, 512)):
        shape = builder.convolution(f"conv{index}", shape, channels, 3)
        skip = shape if channels == 256 else skip
        if channels < 512:
            shape = builder.pool(f"pool{index}", "MaxPool", shape, 2, stride=2)
    shape = builder.convolution("conv6", shape, 1024, 3)
    branch = builder.convolution("conv7", shape, 256, 1)
    shape = builder.convolution("conv8", branch, 512, 3)
    builder.convolution("boxes0", shape, 255, 1)
    lateral = builder.convolution("lateral", branch, 128, 1)
    shape = builder.convolution("conv9", (skip[0], skip[1], lateral[2] + skip[2]), 256, 3)
    builder.convolution("boxes1", shape, 255, 1)
    return builder.network()


def yolov5s(size: int) -> Network:
    """YOLOv5s (release 6) on one `size` x `size` image, 80 classes: depth 0.33, width 0.5."""
    builder = _Silu(f"yolov5s_{size}", f"ultralytics/yolov5, models/yolov5s.yaml (v6), {size} x {size}")
    shape = builder.convolution("conv0", (size, size, 3), 32, 6, stride=2, pads=((2, 2), (2, 2)))
    routes: list[Shape] = []
    for stage, (channels, repeats) in enumerate(((64, 1), (128, 2), (256, 3), (512, 1)), start=1):
        shape = builder.convolution(f"down{stage}", shape, channels, 3, stride=2, pads=((1, 1), (1, 1)))
        shape = _c3(builder, f"c3_{stage}", shape, channels, repeats, add=True)
        routes.append(shape)
    inner = builder.convolution("sppf_a", shape, 256, 1)
    for index in range(3):
        builder.pool(f"sppf_pool{index}", "MaxPool", inner, 5, pad=2)
    shape = builder.convolution("sppf_b", (inner[0], inner[1], 1024), 512, 1)
    lateral5 = builder.convolution("lateral5", shape, 256, 1)
    skip = routes[2]
    shape = _c3(builder, "up4", (skip[0], skip[1], 256 + skip[2]), 256, 1, add=False)
    lateral4 = builder.convolution("lateral4", shape, 128, 1)
    skip = routes[1]
    maps = [_c3(builder, "up3", (skip[0], skip[1], 128 + skip[2]), 128, 1, add=False)]
    for name, lateral, channels in (("out4", lateral4, 256), ("out5", lateral5, 512)):
        previous = maps[-1]
        down = builder.convolution(f"{name}_down", previous, previous[2], 3, stride=2, pads=((1, 1), (1, 1)))
        maps.append(_c3(builder, name, (down[0], down[1], down[2] + lateral[2]), channels, 1, add=False))
    for index, one in enumerate(maps):
        builder.last(f"boxes{index}", one, 255)
    return builder.network()


def _c3(builder: _Silu, name: str, shape: Shape, channels: int, repeats: int, *, add: bool) -> Shape:
    """Two 1 x 1 branches of half the channels, bottlenecks (1 x 1, 3 x 3) in one of them, joined by a 1 x 1."""
    half = channels // 2
    inner = builder.convolution(f"{name}_a", shape, half, 1)
    builder.convolution(f"{name}_b", shape, half, 1)
    for index in range(repeats):
        narrow = builder.convolution(f"{name}_{index}_a", inner, half, 1)
        inner = builder.convolution(f"{name}_{index}_b", narrow, half, 3)
        if add:
            builder.vector(f"{name}_{index}_add", "Add", inner[0] * inner[1] * half, inputs=2)
    return builder.convolution(f"{name}_c", (inner[0], inner[1], channels), channels, 1)


def yolov8s(size: int) -> Network:
    """YOLOv8s on one `size` x `size` image, 80 classes: depth 0.33, width 0.5."""
    builder = _Silu(f"yolov8s_{size}", f"ultralytics, cfg/models/v8/yolov8.yaml, scale s, {size} x {size}")
    shape = _down(builder, "conv0", (size, size, 3), 32)
    routes: list[Shape] = []
    for stage, (channels, repeats) in enumerate(((64, 1), (128, 2), (256, 2), (512, 1)), start=1):
        shape = _down(builder, f"down{stage}", shape, channels)
        shape = _c2f(builder, f"c2f_{stage}", shape, channels, repeats, add=True)
        routes.append(shape)
    inner = builder.convolution("sppf_a", shape, 256, 1)
    for index in range(3):
        builder.pool(f"sppf_pool{index}", "MaxPool", inner, 5, pad=2)
    deepest = builder.convolution("sppf_b", (inner[0], inner[1], 1024), 512, 1)
    middle = _c2f(builder, "up4", (*routes[2][:2], 512 + 256), 256, 1, add=False)
    maps = [_c2f(builder, "up3", (*routes[1][:2], 256 + 128), 128, 1, add=False)]
    for name, lateral, channels in (("out4", middle, 256), ("out5", deepest, 512)):
        down = _down(builder, f"{name}_down", maps[-1], maps[-1][2])
        maps.append(_c2f(builder, name, (down[0], down[1], down[2] + lateral[2]), channels, 1, add=False))
    for index, one in enumerate(maps):
        for branch, width, out in (("boxes", 64, 64), ("classes", 128, 80)):
            inner = builder.convolution(f"{branch}{index}_a", one, width, 3)
            inner = builder.convolution(f"{branch}{index}_b", inner, width, 3)
            builder.last(f"{branch}{index}_c", inner, out)
    return builder.network()


def _down(builder: _Silu, name: str, shape: Shape, channels: int) -> Shape:
    return builder.convolution(name, shape, channels, 3, stride=2, pads=((1, 1), (1, 1)))


def _c2f(builder: _Silu, name: str, shape: Shape, channels: int, repeats: int, *, add: bool) -> Shape:
    """A 1 x 1 whose second half passes bottlenecks (3 x 3, 3 x 3) one behind the other, all joined by a 1 x 1."""
    half = channels // 2
    inner = builder.convolution(f"{name}_a", shape, channels, 1)
    inner = (inner[0], inner[1], half)
    for index in range(repeats):
        middle = builder.convolution(f"{name}_{index}_a", inner, half, 3)
        inner = builder.convolution(f"{name}_{index}_b", middle, half, 3)
        if add:
            builder.vector(f"{name}_{index}_add", "Add", inner[0] * inner[1] * half, inputs=2)
    return builder.convolution(f"{name}_c", (inner[0], inner[1], (2 + repeats) * half), channels, 1)

"""Residual networks for image classification (He et al., CVPR 2016), written down layer by layer."""

from typing import Literal

from model.network.build import Builder
from model.network.layer import Network

Downsampling = Literal["1x1", "3x3"]
"""Which convolution of a bottleneck carries stride 2: the first 1 x 1 (version 1 of the paper and its Caffe
model) or the 3 x 3 (version 1.5, MLPerf's; 6 % more multiply-accumulates)."""

_SAME_3 = ((1, 1), (1, 1))


def resnet_50(stride_in: Downsampling, height: int = 224, width: int = 224) -> Network:
    """ResNet-50 on one image of 3 channels, padded, with its 53 convolutions and one fully connected layer."""
    version = {"1x1": "1", "3x3": "1.5"}[stride_in]
    size = "" if (height, width) == (224, 224) else f"_{width}x{height}"
    source = f"He et al., CVPR 2016, table 1; stride 2 in the {stride_in} convolution"
    builder = Builder(f"resnet50_v{version}{size}", source)
    shape = builder.convolution("conv1", (height, width, 3), 64, 7, stride=2, pads=((3, 3), (3, 3)))
    shape = builder.pool("pool1", "MaxPool", shape, 3, stride=2, pad=1)
    for stage, (blocks, channels) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), start=2):
        for block in range(blocks):
            stride = 2 if stage > 2 and block == 0 else 1
            first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
            name = f"res{stage}_{block}"
            inner = builder.convolution(f"{name}_a", shape, channels, 1, stride=first)
            inner = builder.convolution(f"{name}_b", inner, channels, 3, stride=second, pads=_SAME_3)
            inner = builder.convolution(f"{name}_c", inner, 4 * channels, 1)
            if block == 0:
                builder.convolution(f"{name}_shortcut", shape, 4 * channels, 1, stride=stride)
            shape = inner
            builder.vector(f"{name}_add", "Add", shape[0] * shape[1] * shape[2], inputs=2)
    if shape[:2] == (7, 7):
        builder.pool("pool5", "AveragePool", shape, 7)
    else:
        builder.vector("pool5", "GlobalAveragePool", shape[0] * shape[1] * shape[2])
    builder.product("fc", 1, 1000, 2048)
    return builder.network()

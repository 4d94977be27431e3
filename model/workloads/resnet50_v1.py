"""ResNet-50 version 1 (stride in the first 1 x 1), padded, 3.858 GMAC: the layer list NPU simulators ship."""

from model.network.resnet import resnet_50
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="ResNet-50 version 1, one 224 x 224 image, 3.858 GMAC padded",
    build=lambda: resnet_50("1x1"),
    work={"images": 1},
)

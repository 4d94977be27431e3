"""ResNet-50 version 1.5 on one image of 640 x 320, padded, 16.7 GMAC."""

from model.network.resnet import resnet_50
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="ResNet-50 version 1.5, one 640 x 320 image, padded",
    build=lambda: resnet_50("3x3", 320, 640),
    work={"images": 1},
)

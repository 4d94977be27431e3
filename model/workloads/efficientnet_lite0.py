"""EfficientNet-Lite0: one 224 x 224 image, 0.385 GMAC."""

from model.network.mobilenet import efficientnet_lite0
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="EfficientNet-Lite0, one 224 x 224 image, SAME padding",
    build=efficientnet_lite0,
    work={"images": 1},
)

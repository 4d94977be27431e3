"""MobileNet v2 of width 1.4: one 224 x 224 image, 0.582 GMAC."""

from model.network.mobilenet import mobilenet_v2
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="MobileNet v2, width 1.4, one 224 x 224 image, SAME padding",
    build=lambda: mobilenet_v2(1.4),
    work={"images": 1},
)

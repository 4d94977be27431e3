"""MLPerf's SSD-ResNet-34: one 1200 x 1200 image, padded, 217 GMAC."""

from model.network.detection import ssd_resnet_34
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="SSD-ResNet-34, one 1200 x 1200 image, padded",
    build=ssd_resnet_34,
    work={"images": 1},
)

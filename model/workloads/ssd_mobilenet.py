"""MLPerf's SSD-MobileNet: one 300 x 300 image, SAME padding, 1.24 GMAC."""

from model.network.detection import ssd_mobilenet_v1
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="SSD-MobileNet v1, one 300 x 300 image, SAME padding",
    build=ssd_mobilenet_v1,
    work={"images": 1},
)

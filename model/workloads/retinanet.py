"""MLPerf's RetinaNet: one 800 x 800 image, padded, 264 classes."""

from model.network.detection import retinanet
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="RetinaNet ResNeXt-50 32x4d, one 800 x 800 image, 264 classes, padded",
    build=retinanet,
    work={"images": 1},
)

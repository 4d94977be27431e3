"""YOLOv3-tiny: one 416 x 416 image, padded, 2.78 GMAC."""

from model.network.workload import NetworkWorkload
from model.network.yolo import yolov3_tiny

WORKLOAD = NetworkWorkload(
    title="YOLOv3-tiny, one 416 x 416 image, padded",
    build=lambda: yolov3_tiny(416),
    work={"images": 1},
)

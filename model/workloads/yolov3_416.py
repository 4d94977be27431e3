"""YOLOv3: one 416 x 416 image, padded, 32.9 GMAC."""

from model.network.workload import NetworkWorkload
from model.network.yolo import yolov3

WORKLOAD = NetworkWorkload(
    title="YOLOv3, one 416 x 416 image, padded",
    build=lambda: yolov3(416),
    work={"images": 1},
)

"""YOLOv8s: one 640 x 640 image, padded, 14.3 GMAC."""

from model.network.workload import NetworkWorkload
from model.network.yolo import yolov8s

WORKLOAD = NetworkWorkload(
    title="YOLOv8s, one 640 x 640 image, padded",
    build=lambda: yolov8s(640),
    work={"images": 1},
)

"""YOLOv5s: one 640 x 640 image, padded, 8.22 GMAC."""

from model.network.workload import NetworkWorkload
from model.network.yolo import yolov5s

WORKLOAD = NetworkWorkload(
    title="YOLOv5s release 6, one 640 x 640 image, padded",
    build=lambda: yolov5s(640),
    work={"images": 1},
)

"""ResNet-50 as the ONNX package ships it: version 1.5 (stride in the 3 x 3), padded, 4.089 GMAC."""

from model.network.workload import onnx_workload

WORKLOAD = onnx_workload(
    "ResNet-50 from light_resnet50.onnx, one 224 x 224 image, 4.089 GMAC padded", "light_resnet50", {"images": 1}
)

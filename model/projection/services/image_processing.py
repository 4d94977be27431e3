"""Image processing: classification of 224 x 224 images, the task with published results of three chips."""

from model.projection.service import Service

SERVICE = Service(
    title="ResNet-50, 224 x 224",
    workload="resnet50",
    unit="images",
    number_format="INT8",
    batch="offline",
)

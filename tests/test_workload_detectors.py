"""Networks of the boards' model zoos: operations and weights against published counts."""

import pytest

from model import workloads
from model.network.resnet import resnet_50

# name: published 10^9 multiply-accumulates, 10^6 parameters (with biases and normalisation), source
PUBLISHED = {
    "mobilenet_v2": (0.300, 3.50, "Sandler et al., CVPR 2018, table 4: 300 M, 3.4 M; torchvision 3.50 M"),
    "mobilenet_v2_14": (0.585, 6.9, "Sandler et al., CVPR 2018, table 4: 585 M, 6.9 M"),
    "yolov3_416": (65.86 / 2, 61.95, "pjreddie.com/darknet/yolo: 65.86 Bn operations; 61.95 M parameters"),
    "yolov3_tiny_416": (5.56 / 2, 8.86, "pjreddie.com/darknet/yolo: 5.56 Bn operations; 8.86 M parameters"),
    "yolov8s_640": (28.6 / 2, 11.16, "ultralytics documentation: 28.6 GFLOPs, 11.2 M parameters"),
    "yolov5s_640": (16.5 / 2, 7.23, "ultralytics/yolov5 release 6: 16.5 GFLOPs, 7.2 M parameters"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_operations_agree_with_published_counts(name: str) -> None:
    gmac, _, _ = PUBLISHED[name]
    assert workloads.load(name).network().macs / 1e9 == pytest.approx(gmac, rel=0.01)


@pytest.mark.parametrize("name", [n for n in PUBLISHED if n != "mobilenet_v2_14"])
def test_weights_are_the_published_parameters_less_biases(name: str) -> None:
    parameters = PUBLISHED[name][1] * 1e6
    assert 0.985 * parameters < workloads.load(name).network().weights <= parameters


def test_efficientnet_lite0_has_its_published_parameters() -> None:
    assert workloads.load("efficientnet_lite0").network().weights == pytest.approx(4.65e6, rel=0.015)


def test_the_wide_resnet50_has_the_weights_of_the_square_one_and_its_pixels_in_proportion() -> None:
    wide, square = workloads.load("resnet50_640x320").network(), resnet_50("3x3")
    assert wide.weights == square.weights
    assert wide.macs == pytest.approx(square.macs * 640 * 320 / 224**2, rel=0.001)


def test_retinanet_has_the_boxes_of_its_levels_and_counts_shared_heads_once() -> None:
    network = workloads.load("retinanet").network()
    boxes = sum(g.m * g.n for g in network.gemms() if g.name.startswith("box") and g.name.endswith("_out")) // 4
    assert boxes == 9 * (100**2 + 50**2 + 25**2 + 13**2 + 7**2)
    assert network.weights == pytest.approx(38e6, rel=0.05)


def test_bert_without_padding_is_the_padded_network_at_its_mean_length() -> None:
    short, full = (workloads.load(n).network() for n in ("bert_large_177", "bert_large"))
    assert short.weights == full.weights
    assert short.macs == pytest.approx(full.macs * 177 / 384, rel=0.05)

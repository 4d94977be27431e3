"""Networks written down layer by layer: counts against published ones, padding, batches."""

import pytest

from model import workloads
from model.network.build import Builder

# name: multiply-accumulates, published operations (2 per MAC, with element-wise work), source of the latter
PUBLISHED = {
    "resnet50": (4_089_184_256, 8.2e9, "MLPerf Inference (ISCA 2020), table 1"),
    "ssd_mobilenet": (1_237_129_408, 2.494e9, "OpenVINO Open Model Zoo, ssd_mobilenet_v1_coco: 2.494 GFLOPs"),
    "ssd_resnet34": (216_415_931_904, 433.411e9, "OpenVINO Open Model Zoo, ssd-resnet34-1200-onnx: 433.411 GFLOPs"),
}

WEIGHTS_M = {"ssd_mobilenet": 6.807, "ssd_resnet34": 20.058}
"""Million parameters from the same pages; theirs hold biases, normalisation and box priors too."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_operations_agree_with_published_counts(name: str) -> None:
    macs, operations, _ = PUBLISHED[name]
    network = workloads.load(name).network()
    assert network.macs == macs
    assert 0.99 * operations < 2 * macs <= operations


@pytest.mark.parametrize("name", WEIGHTS_M)
def test_weights_agree_with_published_counts(name: str) -> None:
    weights = workloads.load(name).network().weights / 1e6
    assert 0.99 * WEIGHTS_M[name] < weights < WEIGHTS_M[name]


def test_the_detectors_have_the_boxes_of_their_reference_models() -> None:
    for name, boxes in (("ssd_mobilenet", 1917), ("ssd_resnet34", 15130)):
        gemms = workloads.load(name).gemms()
        assert sum(g.m * g.n for g in gemms if g.name.endswith("_location")) == 4 * boxes


def test_bert_large_has_its_302_million_encoder_weights_and_counts_by_hand() -> None:
    network = workloads.load("bert_large").network()
    tokens, width = 384, 1024
    per_layer = 4 * tokens * width**2 + 2 * tokens**2 * width + 2 * tokens * width * 4 * width
    assert network.macs == 24 * per_layer + tokens * width * 2
    assert network.weights == 24 * 12 * width**2 + 2 * width


def test_same_padding_rounds_the_output_up_and_puts_the_odd_element_after() -> None:
    builder = Builder("x", "test")
    assert builder.convolution("a", (75, 75, 4), 8, 3, stride=2) == (38, 38, 8)
    assert builder.convolution("b", (150, 150, 4), 8, 3, stride=2) == (75, 75, 8)
    pads = [layer.window.pads for layer in builder.network().layers if layer.window]
    assert pads == [((1, 1), (1, 1)), ((0, 1), (0, 1))]


def test_a_batch_shares_weights_and_repeats_attention() -> None:
    one = workloads.load("bert_large").network()
    four = one.batched(4)
    assert four.macs == 4 * one.macs
    assert four.weights == one.weights
    scores = next(g for g in four.gemms() if g.name == "layer0_scores")
    assert (scores.m, scores.count) == (384, 64)


@pytest.mark.parametrize(
    "name", [n for n in workloads.names() if hasattr(workloads.load(n), "network") and not n.startswith("digits")]
)
def test_every_network_names_its_layers_apart_and_says_what_one_run_gives(name: str) -> None:
    workload = workloads.load(name)
    names = [g.name for g in workload.gemms()]
    assert len(names) == len(set(names))
    assert workload.work

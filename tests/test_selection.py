"""Choice of boxes of a detector: counts of the definitions, bytes and steps by hand, what is left open."""

from dataclasses import replace

import pytest

from hw import chips
from model import workloads
from model.card.device import device
from model.card.layer_time import Formats
from model.card.machine import Extra, machine
from model.card.range import readings
from model.card.rules import CHOICE_STEP, HOST_SCORE, SCORE_TRAFFIC
from model.card.run import offline, single_stream
from model.card.selection import selection_time
from model.network.layer import BoxChoice, Layer

CHOICES = {
    "retinanet": BoxChoice(scores=120_087 * 264, sorted_scores=5_000, lists=1, candidates=5_000, kept=300),
    "ssd_mobilenet": BoxChoice(scores=1_917 * 91, sorted_scores=1_917 * 90, lists=90, candidates=100, kept=100),
    "ssd_resnet34": BoxChoice(scores=15_130 * 81, sorted_scores=15_130 * 80, lists=80, candidates=200, kept=200),
}


def choice_layer(network: str) -> Layer:
    (found,) = [x for x in workloads.load(network).network().layers if x.choice is not None]
    return found


@pytest.mark.parametrize("network", CHOICES)
def test_counts_are_those_of_the_reference_models(network: str) -> None:
    assert choice_layer(network).choice == CHOICES[network]
    assert choice_layer(network).batched(7).choice == CHOICES[network].times(7)
    assert workloads.load(network).network().detects
    assert not workloads.load("resnet50").network().detects


def test_a_choice_by_hand() -> None:
    """One list of 64 boxes of 1,000 scores on a machine with round numbers, nothing of it in the scratchpads."""
    spec = device(chips.load("nvidia_a100_pcie"))
    plain = replace(
        machine(spec, "int8"),
        dram=1e9,
        mixed=1.0,
        vector=1e12,
        clock=1e9,
        start=0.0,
        units=10,
        port=1e9,
        choice_step=100.0,
    )
    choice = BoxChoice(scores=1_000, sorted_scores=64, lists=1, candidates=64, kept=5)
    layer = Layer(
        name="boxes", operator="BoxSelection", kind="vector", operations=1_000, input_elements=1_000, choice=choice
    )
    found = selection_time(plain, layer, choice, Formats(), 0.0)
    moved = 1_000 * (SCORE_TRAFFIC.nominal - 1) + 3 * 64 * 8  # the heads wrote one byte of each score
    passes = 64 * 4 * 20 / 10e9
    chain = 64 * 100 / 1e9
    assert found.bytes == moved
    assert found.time == pytest.approx(moved / 1e9 + passes + chain, rel=1e-9)
    twice = selection_time(plain, layer.batched(20), choice.times(20), Formats(), 0.0)
    assert twice.vector == pytest.approx(20 * passes + chain, rel=1e-9)  # lists of other inputs run side by side
    beside = selection_time(replace(plain, chosen="beside"), layer, choice, Formats(), 0.0)
    assert beside.time == pytest.approx(1_000 * (SCORE_TRAFFIC.nominal - 1) / 1e9, rel=1e-9)


def test_a_list_that_is_passed_box_by_box_delays_a_single_query_and_hardly_a_batch() -> None:
    spec, network = device(chips.load("nvidia_a100_pcie")), workloads.load("retinanet").network()
    slow = Extra(choice_step=CHOICE_STEP.maximum)
    one = single_stream(spec, network, extra=slow).time - single_stream(spec, network).time
    expected = 5_000 * (CHOICE_STEP.maximum - CHOICE_STEP.nominal) / (1.41e9 * spec.most_share)
    assert one == pytest.approx(expected, rel=0.02)
    assert offline(spec, network, extra=slow).per_second > 0.95 * offline(spec, network).per_second


def test_a_submission_whose_host_chooses_moves_its_scores_over_the_link() -> None:
    """A fact of the chip: Warboy's code takes the raw scores of SSD and sorts them in C++ on the host."""
    spec, network = device(chips.load("furiosa_warboy")), workloads.load("ssd_mobilenet").network()
    assert spec.boxes_on_host
    here = replace(spec, boxes_on_host=False)
    assert not any(layer.name == "boxes" for layer in offline(spec, network).layers)
    assert offline(spec, network).per_second > offline(here, network).per_second
    run, other = single_stream(spec, network), single_stream(here, network)
    scores, answer = 1_917 * 91, 100 * 7
    link = (scores - answer) / spec.host_bandwidth.nominal
    assert run.host - other.host == pytest.approx(link + scores * HOST_SCORE.nominal, rel=1e-6)
    assert {name for name, _, _ in readings(spec, detects=True)} - {name for name, _, _ in readings(spec)} == {
        "host_score"
    }


def test_only_a_detector_leaves_the_choice_of_boxes_open() -> None:
    spec = device(chips.load("nvidia_l4"))
    more = {name for name, _, _ in readings(spec, detects=True)} - {name for name, _, _ in readings(spec)}
    assert more == {"score_traffic", "choice_step", "boxes_on_the_host"}
    network = workloads.load("ssd_mobilenet").network()
    assert offline(spec, network, extra=Extra(boxes_beside=True)).per_second > offline(spec, network).per_second
    alone = single_stream(spec, network, extra=Extra(boxes_beside=True))
    assert alone.time == single_stream(spec, network).time  # nothing runs beside a single query

"""A workload's prediction and its RTL run are the same record but for the witness."""

import pytest

from hw import chips
from hw.spec.npu_event import VALUE_EVENTS
from model import workloads
from model.predict import predict
from tb.bench.measure import Case, measure


@pytest.mark.rtl
@pytest.mark.parametrize("workload", ["gemm_queue", "digits_60"])
def test_rtl_takes_the_predicted_cycles_events_and_layers(workload: str) -> None:
    measurement, outcome = measure(Case(bench="core", chip="tiny", workload=workload, seed=5), activity=False)
    assert measurement is not None, outcome.explain()
    assert outcome.passed, outcome.explain()
    measured, predicted = measurement.result, predict(chips.load("tiny"), workloads.load(workload))
    assert measured.cycles == predicted.cycles
    assert dict(measured.phases) == dict(predicted.phases)
    assert {event: count for event, count in measured.counts.items() if event not in VALUE_EVENTS} == predicted.counts
    assert [layer["cycles"] for layer in measured.layers] == [layer["cycles"] for layer in predicted.layers]

"""One cycle a row of bytes."""

from hw.spec.chip import Chip
from model.count import Counts
from model.prediction import Prediction
from model.work.workload import Workload
from tests.support.adder_array.spec import AdderSpec


def predict(chip: Chip, workload: Workload) -> Prediction:
    lanes = chip.machine_as(AdderSpec).lanes
    rows = sum(gemm.k for gemm in workload.gemms())
    return Prediction(
        cycles=rows,
        macs=rows * lanes,
        peak=lanes,
        phases={"add": rows},
        counts=Counts({"adder_array.add": rows * lanes}),
        layers=(),
        what=f"{rows} rows",
        where=f"{lanes} adders",
        how="counting rows",
        missing="nothing",
    )

"""Predict a workload on a chip: the cycle model of its kind of machine."""

from hw.spec.chip import Chip
from model.prediction import Prediction
from model.work.workload import Workload


def predict(chip: Chip, workload: Workload) -> Prediction:
    """Cycles, events and layers of `workload` on `chip`, by the cycle model of the chip's kind.

    Raises
    ------
    InputError
        If the chip has no machine, only published facts, or its machine cannot run the workload.
    """
    return chip.kind.door("cycles").predict(chip, workload)

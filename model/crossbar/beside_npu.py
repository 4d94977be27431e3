"""The crossbars that the chip npu_crossbar has beside its core: what the figures of stage 3 are made with."""

from hw import chips
from hw.spec.crossbar import CrossbarSpec
from hw.spec.system import SystemSpec


def _crossbars() -> CrossbarSpec:
    found = chips.load("npu_crossbar").machine_as(SystemSpec).crossbar
    assert found is not None
    return found


CROSSBARS = _crossbars()

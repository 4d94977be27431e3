"""Which controller and which contents a channel has."""

from collections.abc import Callable

from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from model.cycle.system.aim_controller import AimController
from model.cycle.system.contents import AimContents, Contents, HbmPimContents
from model.cycle.system.controller import Controller, Issued
from model.cycle.system.hbm_pim_controller import HbmPimController


def controller_of(spec: ControllerSpec, timing: Timing, watch: Callable[[Issued], None] = lambda _: None) -> Controller:
    """The stepped model of the controller of `spec`'s channel: AiM if its units have an adder tree."""
    return (AimController if spec.pim.align_bits else HbmPimController)(spec, timing, watch)


def contents_of(spec: ControllerSpec, timing: Timing) -> Contents:
    """Empty banks and shared memory of `spec`'s channel."""
    return (AimContents if spec.pim.align_bits else HbmPimContents)(spec, timing)

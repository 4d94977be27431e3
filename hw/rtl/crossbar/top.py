"""The RTL of a crossbar machine: arrays in RTL if they are digital, ports if they are analogue."""

from amaranth.lib import wiring

from hw.base.error import InputError
from hw.rtl.crossbar.core import CrossbarCore
from hw.rtl.crossbar.digital_core import DigitalCrossbarCore
from hw.spec.crossbar import CrossbarSpec
from hw.spec.machine import Machine


def top(machine: Machine) -> wiring.Component:
    """The core of `machine`; `InputError` if it is no crossbar."""
    if not isinstance(machine, CrossbarSpec):
        raise InputError(f"a crossbar core needs a crossbar description, not one of kind {machine.kind!r}")
    return DigitalCrossbarCore(machine) if machine.array == "digital" else CrossbarCore(machine)

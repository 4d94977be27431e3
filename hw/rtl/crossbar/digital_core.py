"""A crossbar core with a digital array behind every tile: everything in RTL, lossless."""

from amaranth.hdl import *
from amaranth.lib import wiring

from hw.rtl.crossbar.core import CrossbarCore
from hw.rtl.crossbar.digital_array import DigitalArray
from hw.spec.crossbar import CrossbarSpec


class DigitalCrossbarCore(wiring.Component):
    """`CrossbarCore` without its array ports; the same members otherwise."""

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        self.core = CrossbarCore(spec)
        self.arrays = [DigitalArray(spec) for _ in range(spec.tiles)]
        super().__init__(
            {name: member for name, member in self.core.signature.members.items() if not name.startswith("array_")}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = self.core
        for name in self.signature.members:
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(self.core, name))
        for t, array in enumerate(self.arrays):
            m.submodules[f"array_{t}"] = array
            wiring.connect(m, getattr(self.core, f"array_{t}"), array.port)
        return m

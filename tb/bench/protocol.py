"""Stream rules, checked in hardware beside the design: always on, no Python in any cycle.

A source that has raised `valid` keeps it and its payload until `ready`. `Checked` wraps a design and
adds one sticky error bit per top-level stream; `Bench` reads them once, at the end of the test.
"""

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamChecker(wiring.Component):
    """Watches one stream.

    Members
    -------
    payload : In(width)
    valid, ready : In(1)
    error : Out(1)
        High from the cycle after `valid` fell, or the payload changed, without a transfer; stays high.
    """

    if TYPE_CHECKING:
        payload: Any
        valid: Any
        ready: Any
        error: Any

    def __init__(self, width: int) -> None:
        super().__init__({"payload": In(width), "valid": In(1), "ready": In(1), "error": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = Signal()
        held = Signal.like(self.payload)
        m.d.sync += waiting.eq(self.valid & ~self.ready)
        with m.If(self.valid & ~self.ready & ~waiting):
            m.d.sync += held.eq(self.payload)
        with m.If(waiting & (~self.valid | (self.payload != held))):
            m.d.sync += self.error.eq(1)
        return m


class Checked(wiring.Component):
    """`design` with a checker on every stream of its top; same ports and `protocol_errors`.

    `design` is a `wiring.Component`. Bit i of `protocol_errors` belongs to the i-th of
    `checked_streams(design)`. The design is the submodule `dut`, so its names are `<top>.dut...`.
    """

    if TYPE_CHECKING:
        protocol_errors: Any

    def __init__(self, design: Any) -> None:
        self.design = design
        self.streams = checked_streams(design)
        # Members of the design keep their flow: its outputs are ours.
        super().__init__({**dict(design.signature.members.items()), "protocol_errors": Out(max(len(self.streams), 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = self.design
        for name, member in self.design.signature.members.items():
            outer, inner = getattr(self, name), getattr(self.design, name)
            if member.is_signature and not member.dimensions:
                wiring.connect(m, wiring.flipped(outer), inner)
            elif not member.is_signature and not member.dimensions:
                source, sink = (outer, inner) if member.flow == In else (inner, outer)
                m.d.comb += Value.cast(sink).eq(Value.cast(source))
            else:
                raise TypeError(f"member {name} of a checked design must not be an array")
        errors = []
        for name in self.streams:
            watched = getattr(self, name)
            payload = Value.cast(watched.payload)
            checker = StreamChecker(len(payload))
            m.submodules[f"check_{name}"] = checker
            m.d.comb += [
                checker.payload.eq(payload),
                checker.valid.eq(watched.valid),
                checker.ready.eq(watched.ready),
            ]
            errors.append(checker.error)
        m.d.comb += self.protocol_errors.eq(Cat(*errors))
        return m


def checked_streams(design: wiring.Component) -> list[str]:
    """Names of the top-level streams that can be refused, sorted."""
    return sorted(
        name
        for name, member in design.signature.members.items()
        if member.is_signature
        and isinstance(member.signature, stream.Signature)
        and not member.signature.always_ready
        and not member.signature.always_valid
    )

"""What is behind AXI under the port names of the AMBA specification, so that a system connects it without a wrapper."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.npu.memory_side.axi_core import AxiCore
from hw.rtl.npu.memory_side.axi_signature import ADDRESS_BITS, ID_BITS, LITE_ADDRESS_BITS
from hw.spec.axi import AxiSpec
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.register import WORD_BITS

ResetPolarity = Literal["low", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    """One AXI channel: its stream inside, the prefix of its ports, whether we send it, its fields."""

    stream: str
    prefix: str
    sent: bool
    fields: dict[str, tuple[str, int]]  # port's name after the prefix -> field, width
    constants: dict[str, tuple[int, int]]  # port's name after the prefix -> width, value
    ignored: dict[str, int]  # port's name after the prefix -> width


def _channels(dma: DmaSpec, axi: AxiSpec) -> list[_Channel]:
    width = 8 * dma.bytes_per_cycle
    address = {
        "ID": ("id", ID_BITS),
        "ADDR": ("addr", ADDRESS_BITS),
        "LEN": ("len", 8),
        "SIZE": ("size", 3),
        "BURST": ("burst", 2),
    }
    fixed = {"LOCK": (1, 0), "CACHE": (4, axi.cache), "PROT": (3, axi.prot), "QOS": (4, 0)}
    last, response = {"LAST": ("last", 1)}, {"RESP": ("resp", 2)}
    identity = {"ID": ("id", ID_BITS)}

    def channel(stream: str, prefix: str, sent: bool, fields: dict[str, tuple[str, int]], **more: Any) -> _Channel:
        return _Channel(
            stream=stream,
            prefix=prefix,
            sent=sent,
            fields=fields,
            constants=more.get("constants", {}),
            ignored=more.get("ignored", {}),
        )

    lite = {"ADDR": ("addr", LITE_ADDRESS_BITS)}
    return [
        channel("axi_aw", "M_AXI_AW", True, address, constants=fixed),
        channel("axi_w", "M_AXI_W", True, {"DATA": ("data", width), "STRB": ("strb", width // 8)} | last),
        channel("axi_b", "M_AXI_B", False, identity | response),
        channel("axi_ar", "M_AXI_AR", True, address, constants=fixed),
        channel("axi_r", "M_AXI_R", False, identity | {"DATA": ("data", width)} | response | last),
        channel("lite_aw", "S_AXI_AW", False, lite, ignored={"PROT": 3}),
        channel("lite_w", "S_AXI_W", False, {"DATA": ("data", WORD_BITS), "STRB": ("strb", WORD_BITS // 8)}),
        channel("lite_b", "S_AXI_B", True, response),
        channel("lite_ar", "S_AXI_AR", False, lite, ignored={"PROT": 3}),
        channel("lite_r", "S_AXI_R", True, {"DATA": ("data", WORD_BITS)} | response),
    ]


class StandardPorts(wiring.Component):
    """A component with one AXI4 manager and one AXI4-Lite subordinate under the standard names.

    Ports M_AXI_* (manager), S_AXI_* (subordinate), ACLK, ARESETN or ARESET, and INTERRUPT. The reset is synchronous: it
    must be active at one rising edge of ACLK at least, from which on all VALID outputs are low until the first edge
    without it. AxPROT of the registers is ignored.

    Parameters
    ----------
    inner : component
        With `axi_*` and `lite_*` streams as `axi_signature` has them, and `o_interrupt`.
    dma : DmaSpec
        Its beats.
    axi : AxiSpec
    reset : "low" or "high"
        Active level; the port is ARESETN or ARESET.
    """

    def __init__(self, inner: Any, dma: DmaSpec, axi: AxiSpec, reset: ResetPolarity = "low") -> None:
        if reset not in get_args(ResetPolarity):
            raise InputError(f"reset must be low or high, not {reset!r}")
        self.core = inner
        self.reset = "ARESETN" if reset == "low" else "ARESET"
        self._channels = _channels(dma, axi)
        members: dict[str, wiring.Member] = {"ACLK": In(1), self.reset: In(1), "INTERRUPT": Out(1)}
        for channel in self._channels:
            ours, theirs = (Out, In) if channel.sent else (In, Out)
            members |= {channel.prefix + name: ours(width) for name, (_, width) in channel.fields.items()}
            members |= {channel.prefix + name: Out(width) for name, (width, _) in channel.constants.items()}
            members |= {channel.prefix + name: In(width) for name, width in channel.ignored.items()}
            members |= {channel.prefix + "VALID": ours(1), channel.prefix + "READY": theirs(1)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.core = core = self.core
        reset = getattr(self, self.reset)
        m.d.comb += [
            ClockSignal().eq(self.ACLK),
            ResetSignal().eq(~reset if self.reset == "ARESETN" else reset),
            self.INTERRUPT.eq(core.o_interrupt),
        ]
        for channel in self._channels:
            stream = getattr(core, channel.stream)
            valid, ready = (getattr(self, channel.prefix + name) for name in ("VALID", "READY"))
            pairs = [
                (getattr(self, channel.prefix + name), stream.payload[field])
                for name, (field, _) in channel.fields.items()
            ]
            for outer, inner in [*pairs, (valid, stream.valid)]:
                m.d.comb += outer.eq(inner) if channel.sent else inner.eq(outer)
            m.d.comb += [
                getattr(self, channel.prefix + name).eq(value) for name, (_, value) in channel.constants.items()
            ]
            m.d.comb += stream.ready.eq(ready) if channel.sent else ready.eq(stream.ready)
        return m


class AxiTop(StandardPorts):
    """`AxiCore` under the standard names; see `StandardPorts`.

    Parameters
    ----------
    core : CoreSpec
    axi : AxiSpec
    build : int
        64-bit build digest for the registers.
    reset : "low" or "high"
        Active level; the port is ARESETN or ARESET.
    """

    def __init__(
        self,
        core: CoreSpec,
        axi: AxiSpec = AxiSpec(),  # noqa: B008  (frozen)
        build: int = 0,
        reset: ResetPolarity = "low",
    ) -> None:
        inner = AxiCore(core, axi, build)
        assert core.dma is not None, "AxiCore has looked"
        super().__init__(inner, core.dma, axi, reset)

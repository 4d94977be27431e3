"""AXI4 and AXI4-Lite channels as streams: `valid`, `ready` and the fields of the payload."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.spec.dma import DmaSpec
from hw.spec.register import WORD_BITS

ADDRESS_BITS = 64
ID_BITS = 2
LITE_ADDRESS_BITS = 12

ADDRESS = data.StructLayout({"id": ID_BITS, "addr": ADDRESS_BITS, "len": 8, "size": 3, "burst": 2})
"""AR and AW; `len` is beats - 1."""
WRITTEN = data.StructLayout({"id": ID_BITS, "resp": 2})

LITE_ADDRESS = data.StructLayout({"addr": LITE_ADDRESS_BITS})
LITE_WRITE = data.StructLayout({"data": WORD_BITS, "strb": WORD_BITS // 8})
LITE_WRITTEN = data.StructLayout({"resp": 2})
LITE_READ = data.StructLayout({"data": WORD_BITS, "resp": 2})

INCR = 1
OKAY, SLVERR, DECERR = 0, 2, 3

OUTPUT_CHANNEL = 3
"""Number of the write channel where a channel is named; reads have their IDs."""


def read_layout(dma: DmaSpec) -> data.StructLayout:
    """R."""
    return data.StructLayout({"id": ID_BITS, "data": 8 * dma.bytes_per_cycle, "resp": 2, "last": 1})


def write_layout(dma: DmaSpec) -> data.StructLayout:
    """W."""
    return data.StructLayout({"data": 8 * dma.bytes_per_cycle, "strb": dma.bytes_per_cycle, "last": 1})


def read_members(dma: DmaSpec) -> dict[str, wiring.Member]:
    """AR and R of a master."""
    return {
        "axi_ar": Out(stream.Signature(ADDRESS)),
        "axi_r": In(stream.Signature(read_layout(dma))),
    }


def write_members(dma: DmaSpec) -> dict[str, wiring.Member]:
    """AW, W and B of a master."""
    return {
        "axi_aw": Out(stream.Signature(ADDRESS)),
        "axi_w": Out(stream.Signature(write_layout(dma))),
        "axi_b": In(stream.Signature(WRITTEN)),
    }


def lite_members() -> dict[str, wiring.Member]:
    """An AXI4-Lite slave."""
    return {
        "lite_aw": In(stream.Signature(LITE_ADDRESS)),
        "lite_w": In(stream.Signature(LITE_WRITE)),
        "lite_b": Out(stream.Signature(LITE_WRITTEN)),
        "lite_ar": In(stream.Signature(LITE_ADDRESS)),
        "lite_r": Out(stream.Signature(LITE_READ)),
    }


class PortError(wiring.Signature):
    """What a master says about responses that are not as they should be.

    Members
    -------
    valid : Out(1)
        A response other than OKAY arrives.
    address : Out(64)
        Byte address of its beat, of its burst for a write.
    response : Out(2)
    channel : Out(2)
        0 activation, 1 weight, 2 parameter, 3 output.
    orphan : Out(1)
        A response arrives that nobody waits for; it is taken and dropped.
    """

    def __init__(self) -> None:
        super().__init__(
            {"valid": Out(1), "address": Out(ADDRESS_BITS), "response": Out(2), "channel": Out(2), "orphan": Out(1)}
        )

"""Words that a channel has read and that are still on their way."""

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class Arrivals(wiring.Component):
    """The word of a read issued in cycle t, on `i_data` in t + 1, is on `o_data` in t + its latency.

    Reads of different latencies must not be under way together.

    Parameters
    ----------
    bits : int
    latencies : tuple of int
        At least 1 each.

    Members
    -------
    i_issue : In(latencies), one bit per latency: a read of it is issued
    i_data : In(bits); i_data_valid : In(1)
    o_data : Out(bits); o_valid : Out(1)
    """

    def __init__(self, bits: int, latencies: tuple[int, ...]) -> None:
        self.latencies = latencies
        super().__init__(
            {
                "i_issue": In(len(latencies)),
                "i_data": In(bits),
                "i_data_valid": In(1),
                "o_data": Out(bits),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = 1 << max(self.latencies).bit_length()
        m.submodules.words = words = memory.Memory(shape=len(self.i_data), depth=depth, init=[])
        write, read = words.write_port(), words.read_port(domain="comb")
        arrived, left = Signal(range(depth)), Signal(range(depth))
        due = Signal(len(self.latencies))
        for i, latency in enumerate(self.latencies):
            under_way = Signal(latency, name=f"under_way_{i}")
            m.d.sync += under_way.eq(Cat(self.i_issue[i], under_way)[:latency])
            m.d.comb += due[i].eq(under_way[-1])
        m.d.comb += [
            write.addr.eq(arrived),
            write.data.eq(self.i_data),
            write.en.eq(self.i_data_valid),
            read.addr.eq(left),
            self.o_valid.eq(due.any()),
            # the word that comes in this very cycle is not in the memory yet
            self.o_data.eq(Mux(arrived == left, self.i_data, read.data)),
        ]
        m.d.sync += [arrived.eq(arrived + self.i_data_valid), left.eq(left + self.o_valid)]
        return m

"""A single-port operand memory whose port the host may take."""

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.signature import WritePort


class Scratchpad(wiring.Component):
    """One word read or written per cycle; a write wins.

    Members
    -------
    i_write : In(WritePort)
    i_read : In(1)
        Asks for `i_address`; granted in the same cycle unless `o_taken`.
    i_address : In(ceil_log2(depth))
    o_taken : Out(1)
        The host holds the port in this cycle.
    o_data : Out(width)
        The word granted one cycle before; kept until the next.
    """

    def __init__(self, *, depth: int, width: int) -> None:
        self.memory = memory.Memory(shape=width, depth=depth, init=[])
        super().__init__({
            "i_write": In(WritePort(depth=depth, width=width)),
            "i_read": In(1),
            "i_address": In(ceil_log2(depth)),
            "o_taken": Out(1),
            "o_data": Out(width),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        read, write = self.memory.read_port(), self.memory.write_port()
        m.d.comb += [
            write.addr.eq(self.i_write.address),
            write.data.eq(self.i_write.data),
            write.en.eq(self.i_write.enable),
            read.addr.eq(self.i_address),
            read.en.eq(self.i_read & ~self.i_write.enable),
            self.o_taken.eq(self.i_write.enable),
            self.o_data.eq(read.data),
        ]
        return m

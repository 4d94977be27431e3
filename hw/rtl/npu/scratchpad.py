"""An operand memory of single-port banks."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.common.ram import Ram
from hw.rtl.npu.signature import WritePort


class Scratchpad(wiring.Component):
    """One word read or written per bank and cycle; a write wins.

    Parameters
    ----------
    depth, width : int
    banks : int
        By the low address bits; a power of two. With one bank any write makes a read wait.

    Members
    -------
    i_write : In(WritePort)
    i_read : In(1)
        Asks for `i_address`; granted in the same cycle unless `o_taken`.
    i_address : In(ceil_log2(depth))
    o_taken : Out(1)
        The bank of `i_address` is being written in this cycle.
    o_data : Out(width)
        The word granted one cycle before; kept until the next.
    """

    def __init__(self, *, depth: int, width: int, banks: int = 1) -> None:
        self.banks = banks
        self.memory = Ram(shape=width, depth=depth)
        super().__init__(
            {
                "i_write": In(WritePort(depth=depth, width=width)),
                "i_read": In(1),
                "i_address": In(ceil_log2(depth)),
                "o_taken": Out(1),
                "o_data": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        read, write = self.memory.read_port(), self.memory.write_port()
        bank_bits = min(self.banks.bit_length() - 1, len(self.i_address))
        same_bank = self.i_write.address[:bank_bits] == self.i_address[:bank_bits]
        m.d.comb += [
            write.addr.eq(self.i_write.address),
            write.data.eq(self.i_write.data),
            write.en.eq(self.i_write.enable),
            read.addr.eq(self.i_address),
            read.en.eq(self.i_read & ~self.o_taken),
            self.o_taken.eq(self.i_write.enable & same_bank),
            self.o_data.eq(read.data),
        ]
        return m

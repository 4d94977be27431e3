"""Registers in a memory, all of which can be cleared at once."""

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class RegisterFile(wiring.Component):
    """A register that was not written since reset or the last clear reads as zero.

    Parameters
    ----------
    entries, bits : int
    reads : int
        Read ports.

    Members
    -------
    i_address_<n> : In; o_data_<n> : Out, read in the same cycle
    i_write : In(1); i_address, i_data : In
    i_clear : In(1)
    """

    def __init__(self, entries: int, bits: int, reads: int) -> None:
        self.reads = reads
        self.words = memory.Memory(shape=bits, depth=entries, init=[])
        address = max(entries - 1, 1).bit_length()
        super().__init__(
            {
                **{f"i_address_{n}": In(address) for n in range(reads)},
                **{f"o_data_{n}": Out(bits) for n in range(reads)},
                "i_write": In(1),
                "i_address": In(address),
                "i_data": In(bits),
                "i_clear": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = self.words
        write = self.words.write_port()
        held = Signal(self.words.depth)
        m.d.comb += [write.addr.eq(self.i_address), write.data.eq(self.i_data), write.en.eq(self.i_write)]
        with m.If(self.i_clear):
            m.d.sync += held.eq(0)
        with m.Elif(self.i_write):
            m.d.sync += held.eq(held | (1 << self.i_address))
        for n in range(self.reads):
            read = self.words.read_port(domain="comb")
            address = getattr(self, f"i_address_{n}")
            m.d.comb += [
                read.addr.eq(address),
                getattr(self, f"o_data_{n}").eq(Mux(held.bit_select(address, 1), read.data, 0)),
            ]
        return m

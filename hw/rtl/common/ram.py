"""A memory as a module of its own, which a macro of the same interface replaces."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

WORDS = "ram_words"
"""Name of the array in every such module."""


class MemoryMacros:
    """The platform of a delivery: every `Ram` becomes an instance of a module that is not in the design.

    `sizes` maps the names of those modules to (width, depth, read ports).
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.sizes: dict[str, tuple[int, int, int]] = {}

    def name(self, ram: "Ram") -> str:
        """The module for `ram`; equal sizes share one."""
        name = f"{self.prefix}_ram_{ram.reads}r1w_{ram.depth}x{ram.width}"
        self.sizes[name] = (ram.width, ram.depth, ram.reads)
        return name


@dataclass(frozen=True, slots=True)
class RamReadPort:
    """What a user of a `Ram` reads through: as a synchronous port of `amaranth.lib.memory`.

    Parameters
    ----------
    addr : Value
        In, ceil_log2(depth) bits: which word.
    en : Value
        In, 1 bit: asks for the word at `addr`.
    data : shape of a word
        Out: the word asked for last, from the cycle after.
    """

    addr: Any
    en: Any
    data: Any


@dataclass(frozen=True, slots=True)
class RamWritePort:
    """What a user of a `Ram` writes through.

    Parameters
    ----------
    addr : Value
        In, ceil_log2(depth) bits: which word.
    en : Value
        In, 1 bit: writes in this cycle.
    data : shape of a word
        In: what is written.
    """

    addr: Any
    en: Any
    data: Any


def behaviour(name: str, width: int, depth: int, reads: int) -> str:
    """Verilog of a `Ram` under the name of its macro: what the macro's wrapper must do."""
    address = max(ceil_log2(depth) - 1, 0)
    ports = [
        "input clk",
        f"input [{address}:0] i_write_address",
        f"input [{width - 1}:0] i_write_data",
        "input i_write_enable",
    ]
    actions = ["    if (i_write_enable) ram_words[i_write_address] <= i_write_data;"]
    for index in range(reads):
        ports += [
            f"input [{address}:0] i_read_address_{index}",
            f"input i_read_enable_{index}",
            f"output reg [{width - 1}:0] o_read_data_{index}",
        ]
        actions.append(f"    if (i_read_enable_{index}) o_read_data_{index} <= ram_words[i_read_address_{index}];")
    listed, done = ",\n  ".join(ports), "\n".join(actions)
    return (
        f"module {name} (\n  {listed}\n);\n  reg [{width - 1}:0] {WORDS} [{depth - 1}:0];\n"
        f"  always @(posedge clk) begin\n{done}\n  end\nendmodule\n"
    )


class Ram(wiring.Component):
    """`depth` words with one write port and `reads` read ports, all on one clock.

    A word asked for with `i_read_enable_<i>` is at `o_read_data_<i>` from the next cycle on, until the next is asked
    for. A read of the word that is being written gives the former one. Contents are not reset.

    Parameters
    ----------
    shape : shape of a word
    depth : int
    reads : int

    Members
    -------
    i_write_address : In(ceil_log2(depth))
    i_write_data : In(width)
    i_write_enable : In(1)
    i_read_address_<i> : In(ceil_log2(depth))
    i_read_enable_<i> : In(1)
    o_read_data_<i> : Out(width)
    """

    def __init__(self, *, shape: ShapeLike, depth: int, reads: int = 1) -> None:
        self.shape, self.depth, self.reads = shape, depth, reads
        self.width = Shape.cast(shape).width
        self.words = memory.Memory(shape=self.width, depth=depth, init=[])
        self._given = 0
        address = ceil_log2(depth)
        members: dict[str, wiring.Member] = {
            "i_write_address": In(address),
            "i_write_data": In(self.width),
            "i_write_enable": In(1),
        }
        for index in range(reads):
            members |= {
                f"i_read_address_{index}": In(address),
                f"i_read_enable_{index}": In(1),
                f"o_read_data_{index}": Out(self.width),
            }
        super().__init__(members)

    @property
    def data(self) -> Any:
        """The words, for Amaranth's own simulator."""
        return self.words.data

    def write_port(self) -> RamWritePort:
        """The write port; `data` has the shape of a word."""
        return RamWritePort(self.i_write_address, self.i_write_enable, self._shaped(self.i_write_data))

    def read_port(self) -> RamReadPort:
        """The next read port that nobody has; `data` has the shape of a word."""
        index = self._given
        assert index < self.reads, f"a memory of {self.reads} read ports was asked for one more"
        self._given += 1
        address, enable, data = (
            getattr(self, f"{name}_{index}") for name in ("i_read_address", "i_read_enable", "o_read_data")
        )
        return RamReadPort(address, enable, self._shaped(data))

    def _shaped(self, value: Value) -> Any:
        return self.shape(value) if isinstance(self.shape, ShapeCastable) else value

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if isinstance(platform, MemoryMacros):
            ports = {f"{'o' if n.startswith('o_') else 'i'}_{n}": getattr(self, n) for n in self.signature.members}
            m.submodules.macro = Instance(platform.name(self), i_clk=ClockSignal(), **ports)
            return m
        words = self.words
        m.submodules[WORDS] = words
        write = words.write_port()
        m.d.comb += [
            write.addr.eq(self.i_write_address),
            write.data.eq(self.i_write_data),
            write.en.eq(self.i_write_enable),
        ]
        for index in range(self.reads):
            read = words.read_port()
            m.d.comb += [
                read.addr.eq(getattr(self, f"i_read_address_{index}")),
                read.en.eq(getattr(self, f"i_read_enable_{index}")),
                getattr(self, f"o_read_data_{index}").eq(read.data),
            ]
        return m

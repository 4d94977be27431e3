"""The memory controller obeys the rule table and the rows, misses no refresh, loses and doubles no request."""

from typing import Any

from amaranth.hdl import *

from hw.formal import Bug, Proof
from hw.formal._aim_device import device
from hw.formal._queue import no_reset

INTERVAL = 7
"""Cycles between refreshes."""

SLACK = 4
"""Cycles after its due date in which a refresh is issued at the latest, on these timings."""


def descriptors() -> list[Any]:
    """Eight descriptors: short and long, one bank and all banks, all phases and some, one that is refused."""
    from hw.spec.memory_controller import Gemv, Transfer

    return [
        Transfer(write=False, address=3, shared=1, run=2, groups=2, stride=6),
        Transfer(write=True, address=9, shared=2, groups=3, stride=3),
        Transfer(write=False, address=0, shared=4, run=2, groups=2, stride=8, wide=True),
        Transfer(write=True, address=17, shared=0),
        Gemv(columns=1, outputs=2, row=1, copies=2, pitch=2, destination=5),
        Gemv(columns=2, outputs=1, row=0, read=False),
        Gemv(columns=1, outputs=1, row=3, load=False, clear=False, multiply=False),
        Gemv(columns=1, outputs=3, row=0),
    ]


class Harness(Elaboratable):
    """The controller between a host that offers any of eight descriptors at any time and an ideal channel.

    Rules, rows and counts are followed on their own.
    """

    def elaborate(self, platform: object) -> Module:
        from hw.rtl.dram_pim.controller.aim import AimController
        from hw.rtl.dram_pim.controller.arrivals import Arrivals
        from hw.rtl.dram_pim.controller.descriptor import TRANSFER, AimLook
        from hw.spec.memory_controller import OPCODE_READ, OPCODE_WRITE

        m = Module()
        spec, timing = device(INTERVAL)

        class Look(AimLook):
            """Holds the number of a descriptor, not its 160 bits; bounds are tested, not proved."""

            def elaborate(self, platform: object) -> Module:
                m = Module()
                held = Signal(3)
                with m.If(self.i_take):
                    m.d.sync += held.eq(self.i_word[:3])
                items = descriptors()
                packed = Array(Const(item.pack(), len(self.i_word)) for item in items)
                words = [getattr(item, "shared", getattr(item, "destination", 0)) for item in items]
                m.d.comb += [
                    Value.cast(self.o_transfer).eq(packed[held]),
                    Value.cast(self.o_gemv).eq(packed[held]),
                    self.o_address.eq(Array(Const(getattr(item, "address", 0), 8) for item in items)[held]),
                    self.o_destination.eq(Array(Const(word, 8) for word in words)[held]),
                    self.o_code.eq(Mux(held == len(items) - 1, 5, 0)),  # three outputs, two accumulators
                ]
                return m

        class Controller(AimController):
            """Without the counters of labels."""

            def _count(self, m: Module, state: Value, asked: Value, issue: Value) -> None:
                pass

        class Times(Arrivals):
            """Without the words: no claim is about them, and a memory is dear to the solver."""

            def elaborate(self, platform: object) -> Module:
                m = Module()
                due = Signal(len(self.latencies))
                for i, latency in enumerate(self.latencies):
                    under_way = Signal(latency, name=f"under_way_{i}")
                    m.d.sync += under_way.eq(Cat(self.i_issue[i], under_way)[:latency])
                    m.d.comb += due[i].eq(under_way[-1])
                m.d.comb += self.o_valid.eq(due.any())
                return m

        m.submodules.controller = controller = Controller(spec, timing)
        controller.look = Look(spec)
        controller.arrivals = Times(16, controller.arrivals.latencies)
        word, chosen, valid = Signal(TRANSFER), Signal(3), Signal()
        moves = (word.opcode == OPCODE_READ) | (word.opcode == OPCODE_WRITE)
        m.d.comb += [
            Value.cast(word).eq(Array(Const(item.pack(), len(Value.cast(word))) for item in descriptors())[chosen]),
            controller.i_descriptor.payload.eq(chosen),
            controller.i_descriptor.valid.eq(valid),
        ]
        self.inputs = [chosen, valid]
        no_reset(m)
        issue, command = controller.o_valid, controller.o_command
        m.d.sync += controller.i_data_valid.eq(issue & self._is(spec, command, "RD", "RDMAC16"))
        self._rules(m, spec, timing, issue, command)
        self._rows(m, spec, issue, command)
        self._refresh(m, spec, issue, command)
        self._requests(m, spec, controller, word, moves, issue, command)
        return m

    def _is(self, spec: Any, command: Any, *names: str) -> Value:
        codes = [spec.pim.commands.command(name).opcode for name in names if name not in ("SYNC", "EOC")]
        return Cat(*(command.kind == code for code in codes)).any()

    def _addressed(self, spec: Any, command: Any) -> Value:
        return self._is(spec, command, *(c.name for c in spec.pim.commands.commands if c.scope == "bank"))

    def _rules(self, m: Module, spec: Any, timing: Any, issue: Value, command: Any) -> None:
        """Every rule of the table: how long its later commands are still forbidden, at every node it speaks of."""
        banks = spec.pim.dram.organisation.banks
        used = {"ACT", "ACT16", "PRE", "PREA", "REF", "RD", "WR", "WRGB", "WRMAC16", "MAC16", "RDMAC16", "TMOD"}
        for i, rule in enumerate(timing.rules):
            before, after = sorted(used & set(rule.before)), sorted(used & set(rule.after))
            if not before or not after or rule.cycles < 2:
                continue
            nodes = [Const(1)]
            if rule.level in ("bank_group", "bank"):  # here each bank is a group of its own
                nodes = [self._addressed(spec, command) & (command.bank == b) for b in range(banks)]
            for n, here in enumerate(nodes):
                left = Signal(range(rule.cycles), name=f"forbidden_{i}_{n}")
                hit = issue & here & self._is(spec, command, *before)
                m.d.sync += left.eq(Mux(hit, rule.cycles - 1, Mux(left == 0, 0, left - 1)))
                with m.If(issue & here & self._is(spec, command, *after)):
                    m.d.comb += Assert(left == 0)

    def _rows(self, m: Module, spec: Any, issue: Value, command: Any) -> None:
        """Row states and mode that each command asks for."""
        banks = spec.pim.dram.organisation.banks
        is_open, register_mode = Signal(banks), Signal()
        rows = [Signal(2, name=f"open_row_{b}") for b in range(banks)]
        one = Signal(banks)
        m.d.comb += one.eq(Mux(self._addressed(spec, command), 1 << command.bank, (1 << banks) - 1))
        for item in spec.pim.commands.commands:
            with m.If(issue & (command.kind == item.opcode)):
                if item.requires == ("register",):
                    m.d.comb += Assert(register_mode)
                elif item.name != "TMOD":
                    m.d.comb += Assert(~register_mode)
                if item.requires == ("open",):
                    m.d.comb += Assert((~is_open & one) == 0)
                    m.d.comb += [Assert(~one[b] | (rows[b] == command.row)) for b in range(banks)]  # the row it means
                if item.requires == ("closed",):
                    m.d.comb += Assert((is_open & one) == 0)
                if "open_row" in item.operations:
                    m.d.sync += is_open.eq(is_open | one)
                    for b in range(banks):
                        with m.If(one[b]):
                            m.d.sync += rows[b].eq(command.row)
                if "close_row" in item.operations:
                    m.d.sync += is_open.eq(is_open & ~one)
                if "toggle_mode" in item.operations:
                    m.d.sync += register_mode.eq(~register_mode)

    def _refresh(self, m: Module, spec: Any, issue: Value, command: Any) -> None:
        """One refresh in every interval, late by at most the slack."""
        time, due = Signal(8), Signal(8, init=INTERVAL)
        m.d.sync += time.eq(time + 1)
        with m.If(issue & self._is(spec, command, "REF")):
            m.d.comb += Assert(time >= due)
            m.d.sync += due.eq(due + INTERVAL)
        m.d.comb += [Assert(time <= due + SLACK), Cover(due > INTERVAL)]

    def _requests(
        self, m: Module, spec: Any, controller: Any, word: Any, moves: Value, issue: Value, command: Any
    ) -> None:
        """Each accepted descriptor ends once, with as many columns and words as it asked for, in its order."""
        taken = controller.i_descriptor.valid & controller.i_descriptor.ready
        ends = controller.o_done | controller.o_refused
        inside, transfer, writes = Signal(), Signal(), Signal()
        wanted, columns, words = Signal(4), Signal(4), Signal(4)
        address, stride, run, in_run = Signal(8), Signal(8), Signal(4), Signal(4)
        first, shared, group = Signal(8), Signal(8), Signal(8)
        with m.If(taken):
            m.d.comb += Assert(~inside)
            m.d.sync += [
                inside.eq(1), transfer.eq(moves), writes.eq(word.opcode[0]),
                wanted.eq(word.outer * word.groups * word.run), columns.eq(0), words.eq(0), address.eq(word.address),
                group.eq(word.address), stride.eq(word.stride), run.eq(word.run), in_run.eq(0), first.eq(word.shared),
                shared.eq(word.shared),
            ]  # fmt: skip
        moved = issue & self._is(spec, command, "RD", "WR")
        with m.If(moved):
            m.d.comb += [
                Assert(inside & transfer),
                Assert(writes == self._is(spec, command, "WR")),
                Assert(Cat(command.bank, command.column, command.row)[:5] == address[:5]),
            ]
            m.d.sync += columns.eq(columns + 1)
            with m.If(in_run + 1 == run):
                m.d.sync += [in_run.eq(0), address.eq(group + stride), group.eq(group + stride)]
            with m.Else():
                m.d.sync += [in_run.eq(in_run + 1), address.eq(address + 1)]
            with m.If(writes):
                m.d.comb += Assert(controller.o_shared_read_address == first + columns)
        with m.If(transfer & controller.o_shared_write_enable):
            m.d.comb += [Assert(~writes), Assert(controller.o_shared_write_address == shared)]
            m.d.sync += [shared.eq(shared + 1), words.eq(words + 1)]
        with m.If(ends):
            m.d.comb += Assert(inside)
            m.d.sync += inside.eq(0)
        with m.If(controller.o_done & transfer):
            m.d.comb += [
                Assert(columns == wanted),
                Assert(words + controller.o_shared_write_enable == Mux(writes, 0, wanted)),
            ]
        m.d.comb += Assert(~(controller.o_done & controller.o_refused))
        m.d.comb += [
            Cover(controller.o_done & transfer & (wanted == 1)),
            Cover(controller.o_refused),
        ]


PROOF = Proof(
    title="the memory controller obeys rules and rows, misses no refresh, loses and doubles no request",
    build=Harness,
    bounded=13,
    cover=13,
    bugs=(
        Bug(
            name="commands are issued whether or not the rules allow it",
            module="hw.rtl.dram_pim.controller.aim",
            before="issue.eq((running | due) & ~checker.o_early)",
            after="issue.eq(running | due)",
        ),
        Bug(
            name="a refresh waits for the descriptor to end",
            module="hw.rtl.dram_pim.controller.aim",
            before="        with m.If(due):\n            with m.If(register_mode):",
            after="        with m.If(due & ~running):\n            with m.If(register_mode):",
        ),
        Bug(
            name="rows are not closed before a refresh",
            module="hw.rtl.dram_pim.controller.aim",
            before="with m.Elif(rows.o_any):",
            after="with m.Elif(rows.o_any & running & ~running):",
        ),
        Bug(
            name="a column command that waits counts as issued",
            module="hw.rtl.dram_pim.controller.aim",
            before="advance.eq(issue & (asked == CLASSES.COLUMN))",
            after="advance.eq(running & ~due & (asked == CLASSES.COLUMN))",
        ),
    ),
)

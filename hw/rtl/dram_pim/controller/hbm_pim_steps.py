"""The steps of a descriptor of HBM-PIM: which command is needed next, with which addresses."""

from amaranth.hdl import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.dram_pim.bank_array import column_bits, row_bits
from hw.rtl.dram_pim.controller.descriptor import HBM_GEMV, TRANSFER
from hw.spec.hbm_pim_controller import HBM_LABELS, OPCODE_HBM_GEMV, REGISTERS, Step, fixed_rows, steps
from hw.spec.memory_controller import OPCODE_WRITE, ControllerSpec

ACTS = ("open", "close", "RD", "WR")
DATA = ("", "zero", "one", "program", "shared")


class HbmSteps(wiring.Component):
    """Walks through a transfer's loops, or through the steps of a product.

    Members
    -------
    i_start : In(1), the fields are those of a new descriptor; its first need is shown from the next cycle on
    i_transfer, i_gemv : In, its fields; i_address : In(40), DRAM address of a transfer's first word
    i_advance : In(1), the need shown is met in this cycle
    o_last : Out(1), it is the descriptor's last
    o_act : Out(2), index into `ACTS`; o_bank, o_row, o_column : Out, the need
    o_shared : Out(16), the word of the shared memory that it carries
    o_data : Out(3), index into `DATA`
    o_label : Out, index of its label
    o_brings : Out(1), a read of it brings a word
    o_holds : Out(1), a due refresh waits
    o_all_banks : Out(1), the channel is in an all-bank mode
    o_wide : Out(1), its row is opened in all banks of the parity first
    """

    def __init__(self, spec: ControllerSpec) -> None:
        self.spec = spec
        self.steps = steps(spec.pim)
        organisation = spec.pim.dram.organisation
        super().__init__(
            {
                "i_start": In(1),
                "i_transfer": In(TRANSFER),
                "i_gemv": In(HBM_GEMV),
                "i_address": In(40),
                "i_advance": In(1),
                "o_last": Out(1),
                "o_act": Out(2),
                "o_bank": Out(ceil_log2(organisation.banks)),
                "o_row": Out(row_bits(organisation)),
                "o_column": Out(column_bits(organisation)),
                "o_shared": Out(16),
                "o_data": Out(3),
                "o_label": Out(range(len(HBM_LABELS))),
                "o_brings": Out(1),
                "o_holds": Out(1),
                "o_all_banks": Out(1),
                "o_wide": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        transfer, gemv = self.i_transfer, self.i_gemv
        product = Signal()
        m.d.comb += product.eq(gemv.opcode == OPCODE_HBM_GEMV)
        moved_last = self._transfer(m, product)
        step_last = self._product(m, product)
        m.d.comb += self.o_last.eq(Mux(product, step_last, moved_last))
        with m.If(~product):
            m.d.comb += [
                self.o_act.eq(Mux(transfer.opcode == OPCODE_WRITE, ACTS.index("WR"), ACTS.index("RD"))),
                self.o_data.eq(DATA.index("shared")),
                self.o_label.eq(Mux(transfer.opcode == OPCODE_WRITE, self._label("write"), self._label("read"))),
                self.o_brings.eq(1),
            ]
        return m

    def _label(self, name: str) -> int:
        return list(HBM_LABELS).index(name)

    def _transfer(self, m: Module, product: Value) -> Value:
        """Three loops over addresses; whether the present word is the last."""
        transfer = self.i_transfer
        organisation = self.spec.pim.dram.organisation
        run, group, outer = Signal(8), Signal(16), Signal(8)
        block, here, shared = Signal(40), Signal(40), Signal(16)
        ends = [run + 1 == transfer.run, group + 1 == transfer.groups, outer + 1 == transfer.outer]
        # (parity, row, column, rest of the bank in its group, bank group); see `address_of`
        groups, inner = ceil_log2(organisation.bank_groups), ceil_log2(organisation.banks_per_group) - 1
        fields = data.StructLayout(
            {
                "group": groups,
                "inner": inner,
                "column": column_bits(organisation),
                "row": ceil_log2(self.spec.rows),
                "parity": 1,
            }
        )
        address = Signal(fields)
        m.d.comb += Value.cast(address).eq(here + run)
        with m.If(~product):
            m.d.comb += [
                self.o_bank.eq(Cat(address.parity, address.inner, address.group)),
                self.o_column.eq(address.column),
                self.o_row.eq(address.row),
                self.o_wide.eq(transfer.wide),
                self.o_shared.eq(shared),
            ]
        with m.If(self.i_start):
            m.d.sync += [
                run.eq(0), group.eq(0), outer.eq(0), block.eq(self.i_address), here.eq(self.i_address),
                shared.eq(transfer.shared),
            ]  # fmt: skip
        with m.Elif(self.i_advance):
            m.d.sync += [run.eq(run + 1), shared.eq(shared + 1)]
            with m.If(ends[0]):
                m.d.sync += [run.eq(0), group.eq(group + 1), here.eq(here + transfer.stride)]
                with m.If(ends[1]):
                    onward = block + transfer.outer_stride
                    m.d.sync += [group.eq(0), outer.eq(outer + 1), block.eq(onward), here.eq(onward)]
        return Cat(*ends).all()

    def _product(self, m: Module, product: Value) -> Value:
        """The steps, repeated for tiles and passes; whether the present need is the last."""
        gemv = self.i_gemv
        names = [step.name for step in self.steps]
        step = Signal(range(len(names)))
        i = Signal(8)
        left = Signal(8)  # input words from the present tile on
        used = Signal(8)  # words of the present tile
        place = Signal(8)  # row of the present tile's first word within it, from `first`
        row, source = Signal(16), Signal(16)
        done = Signal(8)  # passes
        per_row = ceil_log2(self.spec.pim.dram.organisation.columns // REGISTERS)
        many = gemv.words > REGISTERS
        entered = Signal()
        m.d.comb += [
            used.eq(Mux(left > REGISTERS, REGISTERS, left)),
            place.eq(i + (gemv.first << 3)),
            self.o_all_banks.eq(entered),
        ]
        last_tile = left <= REGISTERS
        last_pass = done + 1 == gemv.passes
        count = Signal(8)
        rows = {name: Const(value, 14) for name, value in fixed_rows(self.spec.pim).items()}
        rows |= {"weights": row + place[5:], "results": gemv.results + (done >> per_row)}
        with m.Switch(step):
            for number, item in enumerate(self.steps):
                with m.Case(number):
                    self._need(m, product, item, i, count, rows, place, source, done[:per_row], used)
        ends = Signal()
        m.d.comb += ends.eq(i + 1 == count)
        index = names.index
        following = Signal.like(step)
        m.d.comb += following.eq(step + 1)
        with m.If(step == index("multiply")):
            m.d.comb += following.eq(Mux(last_tile, index("store"), index("load")))
        with m.If(step == index("store")):
            m.d.comb += following.eq(Mux(last_pass, index("disable"), index("clear")))
        with m.If(step == index("clear")):
            m.d.comb += following.eq(Mux(many, index("load"), index("multiply")))
        start = [left.eq(gemv.words), source.eq(gemv.source)]
        with m.If(self.i_start):
            m.d.sync += [step.eq(0), i.eq(0), done.eq(0), row.eq(gemv.row), *start]
        with m.Elif(self.i_advance & product):
            m.d.sync += i.eq(i + 1)
            with m.If(ends):
                m.d.sync += [i.eq(0), step.eq(following)]
                with m.If(step == index("multiply")):
                    m.d.sync += [row.eq(row + 2), left.eq(left - used), source.eq(source + used)]
                with m.If(step == index("store")):
                    m.d.sync += [done.eq(done + 1), *start]
                with m.If(step == index("enter")):
                    m.d.sync += entered.eq(1)
                with m.If(step == len(names) - 1):
                    m.d.sync += entered.eq(0)
        return ends & (step == len(names) - 1)

    def _need(
        self, m: Module, product: Value, item: Step, i: Signal, count: Signal, rows: dict[str, Value], place: Signal,
        source: Signal, quarter: Value, used: Signal,
    ) -> None:  # fmt: skip
        """What one step asks for."""
        lengths = {"load": used, "multiply": used << 3, "store": REGISTERS, "clear": REGISTERS}
        m.d.comb += count.eq(lengths.get(item.name, len(item.banks)))
        column: Value = item.column + i if item.act in ("RD", "WR") and len(item.banks) == 1 else Const(0)
        if item.name == "load":
            column = item.column + i + self.i_gemv.first
        elif item.name == "multiply":
            column = place[: len(self.o_column)]
        elif item.name == "store":
            column = Cat(i[:3], quarter)
        banks = [Const(bank, len(self.o_bank)) for bank in item.banks]
        with m.If(product):
            m.d.comb += [
                self.o_act.eq(ACTS.index(item.act)),
                self.o_bank.eq(Array(banks)[i] if len(banks) > 1 else banks[0]),
                self.o_row.eq(rows[item.row]),
                self.o_column.eq(column),
                self.o_shared.eq(source + i),
                self.o_data.eq(DATA.index(item.data)),
                self.o_label.eq(self._label(item.label)),
                self.o_holds.eq(item.holds),
            ]

"""The banks of one channel: open rows and cell arrays, scaled in rows only."""

from collections.abc import Mapping

from amaranth.hdl import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.base.error import InputError
from hw.rtl.common.enumeration import enumeration
from hw.spec.dram import Organisation


def row_bits(organisation: Organisation) -> int:
    """Bits of a row address of the full device."""
    return ceil_log2(organisation.rows)


def column_bits(organisation: Organisation) -> int:
    """Bits of a column address."""
    return ceil_log2(organisation.columns)


class Bank(wiring.Component):
    """One bank: the address of its open row and its cell array, read and written through the row buffer.

    Only the low bits of a row address reach the array. A column read asked for in one cycle is on `o_data` in the
    next and stays there until the next read. `names`: texts of reserved rows for waveforms.

    Members
    -------
    i_open, i_close : In(1); i_row : In, row to open
    i_read : In(1); i_column : In, column of the open row
    i_write : In(1); i_write_row, i_write_column, i_write_data : In
    o_is_open : Out(1); o_row : Out, the open row
    o_data : Out, the column read
    """

    def __init__(self, organisation: Organisation, rows: int, names: Mapping[str, int]) -> None:
        if rows < 2 or rows & (rows - 1) or rows > organisation.rows:
            raise InputError(
                f"rows of the cell arrays must be a power of two from 2 to {organisation.rows}, not {rows}"
            )
        columns = column_bits(organisation)
        # what a waveform shows: ROW_<n> for the rows of the array, names of reserved rows, or CLOSED
        self._shown = enumeration(
            "OpenRow", {**{f"ROW_{row}": row for row in range(rows)}, **names, "CLOSED": 1 << row_bits(organisation)}
        )
        self._array_row_bits = ceil_log2(rows)
        self.cells = memory.Memory(shape=organisation.column_bits, depth=rows << columns, init=[])
        super().__init__(
            {
                "i_open": In(1),
                "i_close": In(1),
                "i_row": In(row_bits(organisation)),
                "i_read": In(1),
                "i_column": In(columns),
                "i_write": In(1),
                "i_write_row": In(row_bits(organisation)),
                "i_write_column": In(columns),
                "i_write_data": In(organisation.column_bits),
                "o_is_open": Out(1),
                "o_row": Out(row_bits(organisation)),
                "o_data": Out(organisation.column_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.cells = self.cells
        read, write = self.cells.read_port(), self.cells.write_port()
        is_open = Signal()
        open_row = Signal(len(self.o_row))
        with m.If(self.i_open):
            m.d.sync += [is_open.eq(1), open_row.eq(self.i_row)]
        with m.Elif(self.i_close):
            m.d.sync += is_open.eq(0)
        bits = self._array_row_bits
        shown = Signal(self._shown, name="row", attrs={"keep": 1})  # for waveforms only
        m.d.comb += [
            Value.cast(shown).eq(Mux(is_open, open_row, 1 << len(open_row))),
            self.o_is_open.eq(is_open),
            self.o_row.eq(open_row),
            self.o_data.eq(read.data),
            read.addr.eq(Cat(self.i_column, open_row[:bits])),
            read.en.eq(self.i_read),
            write.addr.eq(Cat(self.i_write_column, self.i_write_row[:bits])),
            write.data.eq(self.i_write_data),
            write.en.eq(self.i_write),
        ]
        return m


class ColumnPort(wiring.Signature):
    """Columns of all banks, as the units beside them read and write them; one element or bit a bank.

    Members
    -------
    read : Out(banks); column : Out, of the open row
        A column read in one cycle is `data` in the next and stays until the next read.
    write : Out(banks); write_row, write_data : Out; write_column : Out, the same in every bank
    open : In(banks), which have an open row; row : In, that row; data : In, the column read
    """

    def __init__(self, organisation: Organisation) -> None:
        count = organisation.banks
        rows_wide, columns_wide = row_bits(organisation), column_bits(organisation)
        super().__init__(
            {
                "read": Out(count),
                "column": Out(columns_wide).array(count),
                "write": Out(count),
                "write_row": Out(rows_wide).array(count),
                "write_column": Out(columns_wide),
                "write_data": Out(organisation.column_bits).array(count),
                "open": In(count),
                "row": In(rows_wide).array(count),
                "data": In(organisation.column_bits).array(count),
            }
        )


class BankArray(wiring.Component):
    """All banks of one channel. A command names the banks it reaches, one bit each.

    Members
    -------
    i_open, i_close : In(banks)
    i_row : In
    columns : In(ColumnPort)
    o_match : Out(banks), whose open row is `i_row`
    """

    def __init__(self, organisation: Organisation, rows: int, names: Mapping[str, int] | None = None) -> None:
        self.banks = [Bank(organisation, rows, names or {}) for _ in range(organisation.banks)]
        count = len(self.banks)
        super().__init__(
            {
                "i_open": In(count),
                "i_close": In(count),
                "i_row": In(row_bits(organisation)),
                "columns": In(ColumnPort(organisation)),
                "o_match": Out(count),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        columns = self.columns
        for b, bank in enumerate(self.banks):
            m.submodules[f"bank_{b}"] = bank
            m.d.comb += [
                bank.i_open.eq(self.i_open[b]),
                bank.i_close.eq(self.i_close[b]),
                bank.i_row.eq(self.i_row),
                bank.i_read.eq(columns.read[b]),
                bank.i_column.eq(columns.column[b]),
                bank.i_write.eq(columns.write[b]),
                bank.i_write_row.eq(columns.write_row[b]),
                bank.i_write_column.eq(columns.write_column),
                bank.i_write_data.eq(columns.write_data[b]),
                columns.open[b].eq(bank.o_is_open),
                self.o_match[b].eq(bank.o_is_open & (bank.o_row == self.i_row)),
                columns.row[b].eq(bank.o_row),
                columns.data[b].eq(bank.o_data),
            ]
        return m

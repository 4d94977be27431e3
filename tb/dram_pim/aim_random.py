"""Random command streams for a GDDR6-AiM channel, with what the model says each command does."""

import numpy as np

from hw.spec.dram import Timing
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.bank import CLOSED
from model.cycle.dram_pim.result import AIM_COLUMN_COMMANDS
from model.functional.aim import AimDevice
from model.functional.dram_pim_numerics import activation_table
from tb.dram_pim.driver import Played
from tb.dram_pim.random import Cells, Expected, to_integer

UNKNOWN = "unknown"
"""Stands for an opcode of no command."""

_WRITES = ("WR", "WRA16", "WRCP", "EWMUL16")


def table_row(spec: PimSpec, code: int, rows: int) -> int:
    """Row of the cell arrays that holds the table of activation `code`: the last rows, one each."""
    return rows - 1 - code


def table_cells(spec: PimSpec, rows: int) -> Cells:
    """The rows with the activation tables, in every bank: pairs of slope and offset, 8 in a column."""
    cells: Cells = {}
    for activation in spec.activations:
        if activation.kind == "table":
            slopes, offsets = activation_table(activation)
            words = np.zeros(spec.dram.organisation.columns * spec.lanes, np.uint16)
            words[0 : 2 * len(slopes) : 2], words[1 : 2 * len(offsets) : 2] = slopes, offsets
            for bank in range(spec.dram.organisation.banks):
                row = words.reshape(-1, spec.lanes).copy()
                cells[bank, table_row(spec, activation.code, rows)] = row
    return cells


class AimRecorder:
    """A device that is told commands and writes down what it did."""

    def __init__(self, spec: PimSpec, timing: Timing, cells: Cells, activation: int = 0) -> None:
        self.spec = spec
        self.device = AimDevice(spec, timing)
        self.device.rows = cells
        self.device.activation = activation
        self.expected = Expected()
        self.now = -1

    def issue(
        self,
        at: int,
        name: str,
        bank: int = 0,
        row: int = 0,
        column: int = 0,
        accumulator: int = 0,
        paired: bool = False,
        data: np.ndarray | None = None,
    ) -> int:
        """One command at cycle `at`; the code it is refused with, or 0."""
        device, e = self.device, self.expected
        device.error = 0
        answer = device.issue(
            name, at, bank=bank, row=row, column=column, accumulator=accumulator, paired=paired, data=data
        )
        reason = device.error
        self.now = at
        e.commands.append(
            Played(at, name, bank, row, column, None if data is None else to_integer(data), accumulator, paired)
        )
        e.reasons.append(reason)
        e.first_error = e.first_error or reason
        if reason:
            return reason
        command = self.spec.commands.command(name)
        e.accepted.append((at, name, (bank,) if command.scope == "bank" else None))
        if command.bus == "read":
            e.words.append(to_integer(answer))
        moved = AIM_COLUMN_COMMANDS.get(name, (0, 0, 0, 0))
        units = self.spec.units
        e.counts.update(
            {
                "activate": {"ACT": 1, "ACT4": device.per_group, "ACT16": device.bank_count}.get(name, 0),
                "precharge": name in ("PRE", "PRE4", "PREA"),
                "refresh": name == "REF",
                "bank_read": moved[0],
                "bank_write": moved[1],
                "word_in": moved[2],
                "word_out": moved[3],
                "unit_mac": {"MAC": 1, "MAC16": units // 2 if paired else units}.get(name, 0),
                "multiply": 4 * (name == "EWMUL16"),
                "activation": units * (name == "AF16"),
                "mode": name == "TMOD",
            }
        )
        return 0

    def do(self, name: str, late: int = 0, **address: object) -> int:
        """Play a command a cycle too early, if timing alone forbids that, and then when it is first legal."""
        banks = self.device.banks
        single = self.spec.commands.command(name).scope == "bank"
        first = banks.earliest(banks.commands[name], int(str(address.get("bank", 0))) if single else None)
        if first > self.now + 1:
            self.issue(first - 1, name, **address)  # type: ignore[arg-type]
        return self.issue(max(first, self.now + 1) + late, name, **address)  # type: ignore[arg-type]


class RandomAimStreams(AimRecorder):
    """A random walk through rows, modes, buffers and sums."""

    def __init__(
        self,
        spec: PimSpec,
        timing: Timing,
        cells: Cells,
        rng: np.random.Generator,
        *,
        rows: int,
    ) -> None:
        super().__init__(spec, timing, cells, int(rng.integers(len(spec.activations))))
        self.rng, self.array_rows = rng, rows
        self.table = spec.activations[self.device.activation].kind == "table"
        free = rows - len(spec.activations)
        self.data_rows = [int(r) for r in rng.integers(0, free, 3)]
        self.table_row = table_row(spec, self.device.activation, rows)
        self.names = [c.name for c in spec.commands.commands]
        self.reserved = {row for _, row in table_cells(spec, rows)}

    def word(self) -> np.ndarray:
        """Lanes of ordinary values, or of arbitrary codes: subnormal, infinite and not a number included."""
        rng, lanes = self.rng, self.spec.lanes
        if rng.random() < 0.3:
            return rng.integers(0, 1 << 16, lanes).astype(np.uint16)
        scale = float(rng.choice((1.0, 6.0, 0.01)))
        values = np.ascontiguousarray((scale * rng.normal(size=lanes)).astype(np.float32))
        return (values.view(np.uint32) >> 16).astype(np.uint16)

    def stream(self, length: int) -> Expected:
        """About `length` legal commands and some that are not."""
        rng, device = self.rng, self.device
        weights = {
            "TMOD": 0.5,
            "REF": 0.5,
            "ACT16": 2.0,
            "MAC16": 4.0,
            "MAC": 2.0,
            "AF16": 2.0,
            "PREA": 0.5,
            "PRE4": 0.3,
            "EWMUL16": 2.0,
            "RDMAC16": 4.0,
            "RDAF16": 4.0,
            "WRMAC16": 4.0,
            "WRGB": 4.0,
            "WRA16": 0.3,
        }
        if self.table:
            self.names = [n for n in self.names if n not in ("ACT", "ACT4", "PRE", "PRE4", "WRA16")]
        p = np.array([weights.get(n, 1.0) for n in self.names])
        p /= p.sum()
        while len(self.expected.accepted) < length:
            if rng.random() < 0.01:
                self.issue(self.now + 1, UNKNOWN, int(rng.integers(device.bank_count)), data=self.word())
            name = str(rng.choice(self.names, p=p))
            command = self.spec.commands.command(name)
            bank = int(rng.integers(device.bank_count))
            if not self._allowed(name):
                continue
            targets = (bank,) if command.scope == "bank" else tuple(range(device.bank_count))
            if command.scope == "bank_group":
                first = bank - bank % device.per_group
                targets = tuple(range(first, first + device.per_group))
            legal = not device._refuse(command.requires, targets)
            if not legal and rng.random() > 0.04:
                continue
            address = {
                "bank": bank,
                "row": self._row(),
                "column": int(rng.integers(self.spec.register("GB").entries)),
                "accumulator": int(rng.integers(4)),
                "paired": name == "MAC16" and rng.random() < 0.3,
                "data": self.word() if command.bus == "write" else None,
            }
            self.do(name, int(rng.integers(1, 6)) if rng.random() < 0.1 else 0, **address)
        return self.expected

    def _row(self) -> int:
        if self.table and self.rng.random() < 0.5:
            return self.table_row
        return int(self.rng.choice(self.data_rows))

    def _allowed(self, name: str) -> bool:
        """Tables are only read, and an activation that needs its table finds it in all banks."""
        rows = self.device.banks.open_row
        if name == "AF16" and self.table and any(r not in (CLOSED, self.table_row) for r in rows):
            return False
        return name not in _WRITES or not any(r in self.reserved for r in rows)

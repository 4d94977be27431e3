"""Every GDDR6-AiM command in legal streams, and what plain arithmetic says of them; host requests one by one."""

import numpy as np

from hw.spec.dram import Timing
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.aim import AF_ROW, AimChannel, HostRequest
from model.cycle.dram_pim.bank import CLOSED
from model.functional.dram_pim_numerics import bf16_of
from model.reference.aim import AimState, aim_step
from tb.dram_pim.aim_random import AimRecorder, table_cells, table_row
from tb.dram_pim.random import Cells, to_integer

DATA_ROWS = (0, 1, 2)

SPECIAL = (
    0x0000,
    0x8000,
    0x0001,
    0x8001,
    0x007F,
    0x807F,
    0x0080,
    0x8080,
    0x7F7F,
    0xFF7F,
    0x7F80,
    0xFF80,
    0x7FC0,
    0xFFC0,
    0x7F81,
    0xFFFF,
)
"""BF16 codes of both signs, one per unit: zeros, subnormals, least and largest normals, infinities, NaN."""


def every_request() -> list[HostRequest]:
    """A stream with every host request that becomes device commands."""
    return [
        HostRequest(name="WR_SBK", count=3, row=1, column=4, bank=6),
        HostRequest(name="WR_ABK", row=2),
        HostRequest(name="WR_GB", count=64),
        HostRequest(name="WR_BIAS"),
        HostRequest(name="MAC_ABK", count=64, row=1),
        HostRequest(name="MAC_SBK", count=9, row=2, column=7, bank=11),
        HostRequest(name="RD_MAC"),
        HostRequest(name="AF"),
        HostRequest(name="RD_AF"),
        HostRequest(name="EWMUL", count=64, row=0),
        HostRequest(name="COPY_BKGB", count=12, row=0, column=3, bank=2),
        HostRequest(name="COPY_GBBK", count=20, row=2, bank=9),
        HostRequest(name="RD_SBK", count=8, row=2, bank=9),
        HostRequest(name="MAC_ABK", count=30, row=0),
        HostRequest(name="RD_MAC"),
    ]


class AimInstructionStreams(AimRecorder):
    """Commands in random order, each when it is first legal; `state` is what plain arithmetic makes of them, `read`
    the words it says are driven on the data bus."""

    def __init__(
        self,
        spec: PimSpec,
        timing: Timing,
        cells: Cells,
        activation: int,
        rng: np.random.Generator,
        *,
        rows: int,
    ) -> None:
        super().__init__(spec, timing, cells, activation)
        self.rng, self.timing = rng, timing
        banks, columns, lanes = spec.dram.organisation.banks, spec.dram.organisation.columns, spec.lanes
        for key, words in table_cells(spec, rows).items():
            cells[key] = words
        for bank in range(banks):
            for row in DATA_ROWS:
                cells[bank, row] = np.stack([self.word() for _ in range(columns)])
        chosen = spec.activations[activation]
        self.table_row = table_row(spec, activation, rows) if chosen.kind == "table" else DATA_ROWS[0]
        slope = int(bf16_of(np.array([chosen.slope], np.float32).view(np.uint32))[0])
        self.state = AimState(
            accumulators=np.zeros((spec.units, 32), np.uint32),
            activations=np.zeros((spec.units, 32), np.uint16),
            buffer=np.zeros((columns, lanes), np.uint16),
            rows={k: v.copy() for k, v in cells.items()},
            function=(chosen.kind, slope, int(chosen.limit)),
        )
        self.read: list[int] = []

    def word(self) -> np.ndarray:
        """Lanes of values around one, of arbitrary codes, or of arbitrary codes that are near the subnormals."""
        rng, lanes = self.rng, self.spec.lanes
        kind = rng.random()
        if kind < 0.2:
            return rng.integers(0, 1 << 16, lanes).astype(np.uint16)
        if kind < 0.3:
            return (rng.integers(0, 0x2200, lanes) | rng.integers(0, 2, lanes) << 15).astype(np.uint16)
        return bf16_of((2 * rng.normal(size=lanes)).astype(np.float32).view(np.uint32))

    def step(self, name: str, at: int | None = None, **address: object) -> None:
        """One legal command, by default when it is first legal, in the device and in plain arithmetic."""
        banks = self.device.banks
        single = self.spec.commands.command(name).scope == "bank"
        first = banks.earliest(banks.commands[name], int(str(address.get("bank", 0))) if single else None)
        reason = self.issue(max(first, self.now + 1) if at is None else at, name, **address)  # type: ignore[arg-type]
        if reason:
            raise AssertionError(f"{name} must be legal, not refused with {reason}")
        word = aim_step(self.state, name, **address)  # type: ignore[arg-type]
        if word is not None:
            self.read.append(to_integer(word))

    def stream(self, rounds: int) -> None:
        """The special values, then `rounds` times every command, in an order that is legal."""
        rng = self.rng
        self._special()
        for _ in range(rounds):
            self.step("TMOD")
            for column in rng.choice(64, 6, replace=False):
                self.step("WRGB", column=int(column), data=self.word())
            for index in range(4):
                self.step("WRMAC16", accumulator=index, data=self.word())
            self.step("TMOD")
            row = int(rng.choice(DATA_ROWS))
            self.step("ACT16", row=row)
            for _ in range(4):
                place = {"column": int(rng.integers(64)), "accumulator": int(rng.integers(4))}
                self.step("MAC16", **place, paired=bool(rng.integers(2)))
                self.step("MAC", bank=int(rng.integers(16)), **place)
            for column in rng.choice(64, 3):
                self.step("EWMUL16", column=int(column))
            self._plain()
            self.step("PREA")
            self.step("ACT16", row=self.table_row)
            for index in range(4):
                self.step("AF16", accumulator=index)
            self.step("PREA")
            self.step("REF")
            bank = int(rng.integers(16))
            self.step("ACT4", bank=bank, row=row)
            self.step("RD", bank=bank, column=int(rng.integers(64)))
            self.step("PRE4", bank=bank)
            self.step("ACT", bank=bank, row=row)
            self.step("WR", bank=bank, column=int(rng.integers(64)), data=self.word())
            self.step("PRE", bank=bank)
            self.step("ACT16", row=row)
            self.step("WRA16", column=int(rng.integers(64)), data=self.word())
            self.step("TMOD")
            for index in range(4):
                self.step("RDMAC16", accumulator=index)
                self.step("RDAF16", accumulator=index)
            self.step("TMOD")

    def _special(self) -> None:
        """Special values loaded and read back with nothing added to them, and their activations."""
        self.step("TMOD")
        self.step("WRMAC16", data=np.array(SPECIAL, np.uint16))
        self.step("RDMAC16")
        self.step("TMOD")
        self.step("ACT16", row=self.table_row)
        self.step("AF16")
        self.step("TMOD")
        self.step("RDAF16")
        self.step("TMOD")
        self.step("PREA")

    def _plain(self) -> None:
        rng = self.rng
        for name in ("RD", "WR", "RDCP", "WRCP"):
            data = self.word() if name == "WR" else None
            self.step(name, bank=int(rng.integers(16)), column=int(rng.integers(64)), data=data)

    def requests(self, requests: list[HostRequest]) -> None:
        """Host-level requests from an idle channel, expanded and timed by the cycle model: columns in order from the
        request's, one bank or all."""
        if self.expected.commands or any(r != CLOSED for r in self.device.banks.open_row):
            raise AssertionError("host requests must start on an idle channel")
        channel = AimChannel(self.spec, self.timing)
        channel.trace = []
        channel.run(requests)
        host = {r.name: self.spec.commands.host_command(r.name) for r in requests}
        moves = iter([(host[r.name].command, r, i) for r in requests for i in range(r.count)])
        for cycle, name, bank, row in channel.trace:
            if name in ("TMOD", "ACT", "ACT16", "PRE", "PREA"):
                self.step(name, cycle, bank=max(bank, 0), row=self.table_row if row >= AF_ROW else row)
                continue
            command, request, i = next(moves)
            if command != name:
                raise AssertionError(f"{request.name} must become {command}, not {name}")
            bus = self.spec.commands.command(name).bus
            self.step(
                name, cycle, bank=max(bank, 0), column=request.column + i, data=self.word() if bus == "write" else None
            )

"""HBM-PIM kernels as request streams: parking, mode changes, instruction memory, triggers, stores."""

from dataclasses import dataclass, field

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.stream import Pattern, Request, Segment, fenced, need_positive

REGISTERS = 8  # vector registers of one file: one aligned instruction is eight triggers
GEMV_COLUMNS = REGISTERS * REGISTERS  # columns of one weight tile: 8 outputs x 8 input words
TREE_WORDS = 10  # MAC, JUMP, NOP (store), MUL (clear) for each bank of the pair, JUMP to the next pair, EXIT
TREE_ZERO_ROW = 1000  # of the public simulator


@dataclass(slots=True)
class KernelStream:
    """The requests of one channel; every channel gets the same ones. `work` says what was counted and padded.

    Parameters
    ----------
    segments : list of Segment
        In order; equal ones share a pattern.
    """

    segments: list[Segment]
    work: dict[str, int] = field(default_factory=dict)


class KernelBuilder:
    """Builds streams for one device. Patterns are kept, so equal segments share one object.

    `exact_layout`: False reproduces the public simulator's addresses, in which an odd number of input tiles makes
    neighbouring output tiles share rows, and sizes of element-wise kernels round down to whole tiles; True gives every
    tile its own rows and rounds up.
    """

    def __init__(self, spec: PimSpec, *, exact_layout: bool) -> None:
        self.spec = spec
        self.exact = exact_layout
        organisation = spec.dram.organisation
        self.columns = organisation.columns
        self.rows = organisation.rows
        self.groups, self.per_group = organisation.bank_groups, organisation.banks_per_group
        self._patterns: dict[tuple[object, ...], Pattern] = {}
        if spec.park_row is None:
            raise InputError(f"{spec.title} must have a parking row to run HBM-PIM kernels, which it has not")
        self.park_row = spec.park_row

    # ---- pieces

    def _keep(self, key: tuple[object, ...], requests: list[Request]) -> Pattern:
        return self._patterns.setdefault(key, fenced(requests))

    def park(self) -> Segment:
        """One read of the parking row in every bank, bank groups in turn."""
        reads = [
            Request(group * self.per_group + bank, self.park_row, 0, False, False, "mode")
            for bank in range(self.per_group)
            for group in range(self.groups)
        ]
        return Segment(self._keep(("park",), reads), 0)

    def change_mode(self, before: str, after: str, base: int = 0) -> Segment:
        """The writes that take the device from one mode to the next."""
        change = self.spec.change(before, after)
        # modes entered by ACT or PRE of a row are reached with a write to that row's last column
        column = self.columns - 1 if change.column is None else change.column
        writes = [Request(b, change.row, column, True, False, "mode", change.data_bit or 0) for b in change.banks]
        return Segment(self._keep(("mode", before, after), writes), base)

    def program(self, words: int) -> Segment:
        """Writes of the instruction memory: eight words a column."""
        crf = self.spec.register("CRF")
        per_column = crf.entries // crf.columns
        if words > crf.entries:
            raise InputError(f"a program must have at most {crf.entries} words, not {words}")
        row, column = _address(crf.row), _address(crf.column)
        writes = [Request(1, row, column + i, True, False, "mode") for i in range(ceil_div(words, per_column))]
        return Segment(self._keep(("program", words), writes), 0)

    def access(self, kind: str, write: bool, bank: int, column: int, count: int = REGISTERS) -> Segment:
        """`count` column accesses from linear column `column` (row x columns + column) of a bank pair's even or odd
        bank, fenced at the end."""
        base, offset = divmod(column, self.columns)
        key = ("access", kind, write, bank, offset, count)
        if key not in self._patterns:
            places = [divmod(offset + i, self.columns) for i in range(count)]
            self._patterns[key] = fenced([Request(bank, r, c, write, False, kind) for r, c in places])
        return Segment(self._patterns[key], base)

    def tile(self, bank: int, column: int) -> Segment:
        """Load of eight input words, then the 64 MAC triggers of one weight tile, a fence after each eight."""
        base, offset = divmod(column, self.columns)
        key = ("tile", bank, offset)
        if key not in self._patterns:
            grf = self.spec.register("GRF_A")
            row, first = _address(grf.row), _address(grf.column)
            load = fenced([Request(1, row, first + i, True, False, "register_load") for i in range(REGISTERS)])
            triggers = tuple(
                Request(
                    bank,
                    (offset + i) // self.columns,
                    (offset + i) % self.columns,
                    False,
                    i % REGISTERS == REGISTERS - 1,
                    "mac",
                )
                for i in range(GEMV_COLUMNS)
            )
            self._patterns[key] = Pattern(load.requests + triggers)
        return Segment(self._patterns[key], base)

    # ---- kernels

    def enter(self, words: int) -> list[Segment]:
        """From plain DRAM to the all-bank mode with a program of `words` loaded."""
        return [self.park(), self.change_mode("SB", "HAB"), self.program(words)]

    def leave(self) -> list[Segment]:
        """Back to plain DRAM."""
        return [self.change_mode("HAB", "SB"), self.park()]

    def gemv_tiles(self, outputs: int, inputs: int, channels: int) -> tuple[int, int]:
        """(output passes, input tiles) of a GEMV: 8 outputs per unit and pass, 8 words of inputs per tile."""
        per_pass = REGISTERS * self.spec.units * channels
        return ceil_div(outputs, per_pass), ceil_div(inputs, REGISTERS * self.spec.lanes)

    def gemv(self, outputs: int, inputs: int, channels: int, batch: int = 1) -> KernelStream:
        """y = W x for `batch` vectors: per output pass and vector, even input tiles from even banks, then odd ones
        from odd banks, then the store of eight results per unit and a PIM-mode toggle that clears the accumulators."""
        need_positive(out=outputs, channels=channels, batch=batch)
        need_positive(**{"in": inputs})
        passes, tiles = self.gemv_tiles(outputs, inputs, channels)
        half = ceil_div(tiles, 2)
        result = GEMV_COLUMNS * (passes * half if self.exact else passes * tiles // 2)
        end = (result + (passes * batch if self.exact else passes + batch) * REGISTERS) // self.columns
        self._check_rows(end, f"GEMV {outputs} x {inputs} on {channels} channels")
        segments = self.enter(6)
        for j in range(passes):
            start = j * half if self.exact else j * tiles // 2
            for b in range(batch):
                base = start * GEMV_COLUMNS // self.columns
                segments.append(self.change_mode("HAB", "HAB_PIM", base))
                for parity in (0, 1):
                    segments += [self.tile(parity, GEMV_COLUMNS * (i // 2 + start)) for i in range(parity, tiles, 2)]
                place = j * batch + b if self.exact else j + b
                segments.append(self.access("store", True, 1, result + place * REGISTERS))
                segments.append(self.change_mode("HAB_PIM", "HAB", base))
        segments += self.leave()
        return KernelStream(
            segments,
            {
                "passes": passes * batch,
                "input_tiles": tiles,
                "macs": outputs * inputs * batch,
                "lane_macs": passes * batch * tiles * GEMV_COLUMNS * self.spec.lanes * self.spec.units * channels,
            },
        )

    def gemv_tree(self, outputs: int, inputs: int, channels: int, batch: int = 1) -> KernelStream:
        """y = W x whose partial sums are stored after every input tile: the host adds them as a tree.

        The host first writes eight columns of zeros into every bank. Tiles come in order, so banks alternate; after
        each its eight results per unit are stored and the accumulators multiplied by zeros from the even banks.
        """
        need_positive(out=outputs, channels=channels, batch=batch)
        need_positive(**{"in": inputs})
        passes, tiles = self.gemv_tiles(outputs, inputs, channels)
        half = ceil_div(tiles, 2)
        result = GEMV_COLUMNS * (passes * half if self.exact else passes * tiles // 2)
        places = (passes * batch if self.exact else passes + batch - 1) * tiles
        end = ceil_div(result + places * REGISTERS, self.columns)
        zeros = end if self.exact else TREE_ZERO_ROW
        self._check_rows(max(end, zeros), f"GEMV {outputs} x {inputs} with stored partial sums on {channels} channels")
        banks = self.spec.dram.organisation.banks
        clear = [Request(b, 0, c, True, False, "host") for b in range(banks) for c in range(REGISTERS)]
        segments = [Segment(self._keep(("zeros",), clear), zeros), *self.enter(TREE_WORDS)]
        for j in range(passes):
            start = j * half if self.exact else j * tiles // 2
            for b in range(batch):
                base = start * GEMV_COLUMNS // self.columns
                segments.append(self.change_mode("HAB", "HAB_PIM", base))
                place = (j * batch + b) * tiles if self.exact else j + b
                for i in range(tiles):
                    segments += [
                        self.tile(i % 2, GEMV_COLUMNS * (i // 2 + start)),
                        self.access("store", True, 1, result + (place + i) * REGISTERS),
                        self.access("compute", False, 0, zeros * self.columns),
                    ]
                segments.append(self.change_mode("HAB_PIM", "HAB", base))
        segments += self.leave()
        return KernelStream(
            segments,
            {
                "passes": passes * batch,
                "input_tiles": tiles,
                "partial_sums": passes * batch * tiles * REGISTERS,
                "macs": outputs * inputs * batch,
                "lane_macs": passes * batch * tiles * GEMV_COLUMNS * self.spec.lanes * self.spec.units * channels,
            },
        )

    def elementwise(self, kind: str, elements: int, channels: int) -> KernelStream:
        """ADD and MUL of two vectors, or ReLU of one: per tile eight columns of every bank."""
        need_positive(elements=elements, channels=channels)
        per_tile = REGISTERS * self.spec.lanes * self.spec.dram.organisation.banks * channels
        words = elements // self.spec.lanes if not self.exact else ceil_div(elements, self.spec.lanes)
        per_tile_words = per_tile // self.spec.lanes
        tiles = ceil_div(words, per_tile_words) if self.exact else words // per_tile_words
        rows_each = ceil_div(tiles * REGISTERS, self.columns)
        spacing = 128 if not self.exact else max(1, rows_each)
        first, second, result = 0, spacing * self.columns, 2 * spacing * self.columns
        self._check_rows(3 * spacing if self.exact else 256 + rows_each, f"{kind} of {elements} elements")
        relu = kind == "relu"
        segments = self.enter((4 if relu else 6) + (tiles > 1) + 1)
        segments.append(self.change_mode("HAB", "HAB_PIM"))
        for i in range(tiles):
            column = i * REGISTERS
            for bank in (0, 1):
                segments.append(self.access("compute", False, bank, first + column))
                if not relu:
                    segments.append(self.access("compute", False, bank, second + column))
                segments.append(self.access("store", True, bank, result + column))
        segments += [self.change_mode("HAB_PIM", "HAB"), *self.leave()]
        return KernelStream(segments, {"tiles": tiles, "elements_done": min(elements, tiles * per_tile)})

    def _check_rows(self, rows: int, what: str) -> None:
        bit = self.spec.row_without_trigger_bit
        limit = self.rows if bit is None else 1 << bit
        if rows >= limit:
            raise InputError(f"{what} must fit {limit} rows of a bank, not {rows + 1}; use more channels or split it")


def _address(value: int | None) -> int:
    if value is None:
        raise InputError("a register written in an all-bank mode must have a reserved row and column, which it has not")
    return value

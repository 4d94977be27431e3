"""The output-stationary array: sums stay in the cells, both operands stream through."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.base.error import InputError
from hw.rtl.arithmetic.fp_decode import FpDecode
from hw.rtl.arithmetic.fp_form import OperandForm
from hw.rtl.arithmetic.fp_mac import FpMac
from hw.rtl.npu.cell import operand_shapes
from hw.rtl.npu.mac_array import delay
from hw.spec.mac_array import MacArraySpec

SUM_BITS = 32


class OutputStationaryCell(wiring.Component):
    """One cell: sum = (first ? 0 : sum) + activation * weight, and one drain register. INT4 pairs add two products.

    With `i_last` the finished sum goes into the drain register at the end of the cycle; with `i_shift` the drain
    register takes the one above instead.

    Floating point: operands in the bits of `OperandForm`, sums are FP32 codes with one rounding. The sums of L =
    `mac_latency` folds live in the pipeline of the MAC and come round every L cycles: a word adds to the sum of the
    fold whose turn it is. `i_last` comes L cycles after the last word, when its sum is at the output. In a turn without
    a word the product must be -0, which changes no sum.

    Members
    -------
    i_activation, i_first, i_last, i_shift : from the left, one cycle later to the right
    i_weight : from above, one cycle later below
    i_drain : drain register of the cell above
    o_drain : drain register of this cell
    o_finished : In the cycle after `i_last`: `o_drain` holds a fresh result
    """

    def __init__(self, array: MacArraySpec) -> None:
        self.spec = array
        self.pairs = array.terms_per_lane == 2
        activation, weight = operand_shapes(array)
        super().__init__(
            {
                "i_activation": In(activation),
                "i_weight": In(weight),
                "i_first": In(1),
                "i_last": In(1),
                "i_shift": In(1),
                "i_drain": In(signed(SUM_BITS)),
                "o_activation": Out(activation),
                "o_weight": Out(weight),
                "o_first": Out(1),
                "o_last": Out(1),
                "o_shift": Out(1),
                "o_drain": Out(signed(SUM_BITS)),
                "o_finished": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        finished = Signal(signed(SUM_BITS))
        drain = Signal(signed(SUM_BITS), reset_less=True)
        if self.spec.is_floating_point:
            self._add_float(m, finished)
        else:
            self._add_integer(m, finished)
        with m.If(self.i_last):
            m.d.sync += drain.eq(finished)
        with m.Elif(self.i_shift):
            m.d.sync += drain.eq(self.i_drain)
        m.d.sync += [
            self.o_activation.eq(self.i_activation),
            self.o_weight.eq(self.i_weight),
            self.o_first.eq(self.i_first),
            self.o_last.eq(self.i_last),
            self.o_shift.eq(self.i_shift),
            self.o_finished.eq(self.i_last),
        ]
        m.d.comb += self.o_drain.eq(drain)
        return m

    def _add_integer(self, m: Module, finished: Signal) -> None:
        """`finished`: the sum with this cycle's word."""
        total = Signal(signed(SUM_BITS), reset_less=True)
        product: Value = self.i_activation * self.i_weight
        if self.pairs:
            halves = [(v[:4].as_signed(), v[4:].as_signed()) for v in (self.i_activation, self.i_weight)]
            product = sum((a * w for a, w in zip(*halves, strict=True)), start=Const(0))
        m.d.comb += finished.eq(Mux(self.i_first, 0, total) + product)
        m.d.sync += total.eq(finished)

    def _add_float(self, m: Module, finished: Signal) -> None:
        """`finished`: the sum with the word of `mac_latency` cycles ago."""
        a_form, b_form = OperandForm([self.spec.activation_format]), OperandForm([self.spec.weight_format])
        m.submodules.mac = mac = FpMac(a_form, b_form, latency=self.spec.mac_latency)
        m.d.comb += [
            mac.a.eq(a_form(self.i_activation)),
            mac.b.eq(b_form(self.i_weight)),
            mac.c.eq(Mux(self.i_first, 0, mac.o)),
            finished.eq(mac.o),
        ]


class OutputStationaryArray(wiring.Component):
    """`rows` x `columns` cells: one word of `rows` activations and one of `columns` weights per cycle, never stalls.

    A fold is K such cycles, `i_first` with its first and `i_last` with its last. Row r enters r cycles late, column c
    c cycles late, so cell (r, c) finishes r + c cycles after the last word, floating point `mac_latency` later. Floats
    are decoded at the edges; L = `mac_latency` folds take turns, each in every L-th cycle, and a cycle without a word
    must bring activations -0 and weights +0.

    drain = "columns": R cycles after the last word the results shift down, bottom row first, one row of `columns`
    sums per cycle; row r shifts in the first r steps only, so it is free again when the next fold's result lands,
    if folds start at least R cycles apart. drain = "link": each cell shows its result on its own link in the cycle
    after it is finished.

    Members
    -------
    i_activation : In(rows * activation bits), row 0 in the low bits
    i_weight : In(columns * weight bits), column 0 in the low bits
    i_first, i_last : In(1)
    o_valid : Out(1) with `o_sums` : Out(columns * 32) for drain = "columns"
    o_valid : Out(rows * columns) with `o_sums` : Out(rows * columns * 32) for drain = "link", cell (r, c) at
        r * columns + c
    """

    def __init__(self, array: MacArraySpec) -> None:
        if array.dataflow != "os":
            raise InputError(f"this array is output-stationary, dataflow must be 'os', not {array.dataflow!r}")
        self.spec = array
        self._activation_bits = array.activation_lane_bits
        self._weight_bits = array.weight_lane_bits
        links = array.cells if array.drain == "link" else 1
        words = array.cells if array.drain == "link" else array.columns
        super().__init__(
            {
                "i_activation": In(array.rows * self._activation_bits),
                "i_weight": In(array.columns * self._weight_bits),
                "i_first": In(1),
                "i_last": In(1),
                "o_valid": Out(links),
                "o_sums": Out(words * SUM_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, columns = range(self.spec.rows), range(self.spec.columns)
        grid = [[OutputStationaryCell(self.spec) for _ in columns] for _ in rows]
        for r in rows:
            for c in columns:
                m.submodules[f"cell_{r}_{c}"] = grid[r][c]

        # `ended[n]`: the last word of a fold came n cycles ago. Row r shifts down in steps 0 to r - 1
        ended: list[Value] = [self.i_last]
        finish = self.spec.finish_latency
        for n in range(2 * len(rows) - 1 + finish):
            later = Signal(name=f"ended_{n + 1}")
            m.d.sync += later.eq(ended[-1])
            ended.append(later)
        ended = ended[finish:]
        steps = ended[len(rows) :]

        # Left edge: row r enters r cycles late
        first: Value = self.i_first
        for r in rows:
            if r:
                first = delay(m, first, 1, f"first_skew_{r}")
            activation = self.i_activation.word_select(r, self._activation_bits)
            m.d.comb += [
                grid[r][0].i_activation.eq(
                    self._decoded(
                        m,
                        delay(m, activation, r, f"activation_skew_{r}"),
                        self.spec.activation_format,
                        f"decode_row_{r}",
                    )
                ),
                grid[r][0].i_first.eq(first),
                grid[r][0].i_last.eq(ended[r]),
            ]
            if self.spec.drain == "columns":
                m.d.comb += grid[r][0].i_shift.eq(Cat(steps[:r]).any())
            for c in columns[1:]:
                m.d.comb += [
                    getattr(grid[r][c], f"i_{name}").eq(getattr(grid[r][c - 1], f"o_{name}"))
                    for name in ("activation", "first", "last", "shift")
                ]
        # Top edge: column c enters c cycles late; drain registers are a chain down each column
        for c in columns:
            weight = self.i_weight.word_select(c, self._weight_bits)
            m.d.comb += grid[0][c].i_weight.eq(
                self._decoded(m, delay(m, weight, c, f"weight_skew_{c}"), self.spec.weight_format, f"decode_column_{c}")
            )
            for r in rows[1:]:
                m.d.comb += [
                    grid[r][c].i_weight.eq(grid[r - 1][c].o_weight),
                    grid[r][c].i_drain.eq(grid[r - 1][c].o_drain),
                ]
        if self.spec.drain == "link":
            for r in rows:
                for c in columns:
                    index = r * len(columns) + c
                    m.d.comb += [
                        self.o_valid[index].eq(grid[r][c].o_finished),
                        self.o_sums.word_select(index, SUM_BITS).eq(grid[r][c].o_drain),
                    ]
            return m
        # Bottom edge: early columns wait for the last one
        for c in columns:
            bottom = delay(m, grid[-1][c].o_drain, len(columns) - 1 - c, f"sum_skew_{c}")
            m.d.comb += self.o_sums.word_select(c, SUM_BITS).eq(bottom)
        m.d.comb += self.o_valid.eq(delay(m, Cat(steps).any(), len(columns) - 1, "valid_skew"))
        return m

    def _decoded(self, m: Module, lane: Value, name: str, submodule: str) -> Value:
        """A lane as the cells take it, as in `MacArray`."""
        if not self.spec.is_floating_point:
            return lane
        m.submodules[submodule] = decoder = FpDecode([name])
        m.d.comb += decoder.code.eq(lane)
        return decoder.o.as_value()

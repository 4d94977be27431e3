"""Max pooling on the way from the output memory into the activation memory."""

from amaranth.hdl import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.geometry import GEOMETRY, PIXEL, TAP, first_tap, inside, next_pixel, offset
from hw.rtl.npu.memory_side.copy_channel import COPY_ORDER, INDEX_BITS, reached
from hw.rtl.npu.signature import WritePort
from hw.spec.command import activation_word_bits, output_word_bits
from hw.spec.core import CoreSpec
from hw.spec.number import NumberFormat, number_format


def order_key(code: Value, fmt: NumberFormat) -> Value:
    """Unsigned number of `fmt.bits` bits that grows with the value of floating-point `code`.

    IEEE 754-2019 `maximum`: -0 below +0, NaN above all.
    """
    sign = code[-1]
    magnitude = code[:-1]
    exponent = magnitude[fmt.fraction_bits :]
    nan = exponent.all() & magnitude[: fmt.fraction_bits].any() if fmt.has_infinity else magnitude.all()
    return Mux(nan, (1 << fmt.bits) - 1, Mux(sign, ~code, Cat(magnitude, 1)))


class _State:
    """The copy of `PoolChannel`, the tap at hand, and the one whose word arrives."""

    def __init__(self) -> None:
        self.geometry = Signal(GEOMETRY)
        self.copy = Signal(COPY_ORDER)
        self.pixel = Signal(PIXEL)
        self.tap = Signal(TAP)
        self.column = Signal(4)
        self.line = Signal(4)
        self.issuing = Signal()
        self.last_tap = Signal()
        self.within = Signal()
        self.to_issue = Signal(24)
        self.advance = Signal()


class PoolChannel(wiring.Component):
    """One kernel tap per cycle; the largest value of each lane is written with the last tap of a pixel.

    Lanes hold the output format of the core. Of equal values, or several NaN, the first tap's code is written.
    A copy starts when the commands it needs have ended. Taps outside the image take their cycle and are not read.

    Members
    -------
    i_copy : In(stream of COPY_ORDER)
        One at a time; `words` = groups * pixels of `i_geometry`.
    i_geometry : In(GEOMETRY)
    (all others as `hw.rtl.npu.memory_side.copy_out.CopyOut`)
    """

    def __init__(self, core: CoreSpec) -> None:
        self.spec = core
        address = ceil_log2(core.output_words)
        super().__init__(
            {
                "i_copy": In(stream.Signature(COPY_ORDER)),
                "i_geometry": In(GEOMETRY),
                "i_ended": In(INDEX_BITS),
                "i_row_address": In(address),
                "o_keep": Out(1),
                "i_hold": In(1),
                "i_address": In(ceil_log2(core.activation_words)),
                "i_index": In(INDEX_BITS),
                "o_missing": Out(1),
                "o_read": Out(1),
                "o_read_address": Out(address),
                "i_data": In(output_word_bits(core)),
                "o_write": Out(WritePort(depth=core.activation_words, width=activation_word_bits(core))),
                "o_done": Out(1),
                "o_open": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        at = _State()
        self._take(m, at)
        self._issue(m, at)
        self._compare(m, at)
        self._guard(m, at)
        return m

    def _take(self, m: Module, at: _State) -> None:
        """One copy at a time."""
        m.d.comb += self.i_copy.ready.eq(~self.o_open)
        with m.If(self.i_copy.valid & self.i_copy.ready):
            m.d.sync += [
                self.o_open.eq(1),
                at.copy.eq(self.i_copy.payload),
                at.geometry.eq(self.i_geometry),
                at.to_issue.eq(self.i_copy.payload.words),
                at.pixel.eq(0),
                at.column.eq(0),
                at.line.eq(0),
                *(at.tap[name].eq(value) for name, value in first_tap(self.i_geometry).items()),
            ]

    def _issue(self, m: Module, at: _State) -> None:
        """Taps: columns, then lines of the kernel, then output pixels."""
        geometry, tap, column, line = at.geometry, at.tap, at.column, at.line
        m.d.comb += [
            at.issuing.eq(self.o_open & (at.to_issue != 0) & reached(self.i_ended, at.copy.needs) & at.advance),
            at.within.eq(inside(geometry, at.pixel, tap)),
            at.last_tap.eq((column == geometry.kernel_width - 1) & (line == geometry.kernel_height - 1)),
            self.o_read.eq(at.issuing & at.within),
            self.o_read_address.eq(at.copy.address + offset(at.pixel, tap)),
        ]
        with m.If(at.issuing):
            m.d.sync += [column.eq(column + 1), tap.x.eq(tap.x + geometry.dilation)]
            with m.If(column == geometry.kernel_width - 1):
                m.d.sync += [
                    column.eq(0),
                    line.eq(line + 1),
                    tap.x.eq(-geometry.pad_left),
                    tap.y.eq(tap.y + geometry.dilation),
                    tap.line.eq(tap.line + geometry.tap_line),
                ]
            with m.If(at.last_tap):
                m.d.sync += [
                    line.eq(0),
                    at.pixel.eq(next_pixel(m, geometry, at.pixel)),
                    at.to_issue.eq(at.to_issue - 1),
                    *(tap[name].eq(value) for name, value in first_tap(geometry).items()),
                ]

    def _compare(self, m: Module, at: _State) -> None:
        """One cycle later: the larger of what came and what was kept; written with the last tap of a pixel."""
        copy, advance = at.copy, at.advance
        stays = Signal()
        full, read, first, last = (Signal(name=name) for name in ("full", "read", "first", "last"))
        with m.If(advance):
            m.d.sync += [
                full.eq(at.issuing),
                read.eq(at.within),
                first.eq((at.column == 0) & (at.line == 0)),
                last.eq(at.last_tap),
            ]
        best = Signal(len(self.i_data))
        larger = Signal(len(self.i_data))
        bits = number_format(self.spec.output_format).bits
        for lane in range(len(self.i_data) // bits):
            before, now = best.word_select(lane, bits), self.i_data.word_select(lane, bits)
            m.d.comb += larger.word_select(lane, bits).eq(self._larger(before, now, first, read))
        with m.If(advance & full):
            m.d.sync += best.eq(larger)
        m.d.comb += [
            stays.eq(full & last & self.i_hold),
            advance.eq(~stays),
            self.o_write.enable.eq(full & last & ~self.i_hold),
            self.o_write.address.eq(copy.other_address),
            self.o_write.data.eq(larger),
            self.o_done.eq(self.o_write.enable & (copy.words == 1)),
        ]
        with m.If(self.o_write.enable):
            m.d.sync += [copy.other_address.eq(copy.other_address + 1), copy.words.eq(copy.words - 1)]
        with m.If(self.o_done):
            m.d.sync += self.o_open.eq(0)

    def _larger(self, before: Value, now: Value, first: Value, read: Value) -> Value:
        """Of one lane; nothing is kept before the `first` tap, nothing came if none was `read`."""
        fmt = number_format(self.spec.output_format)
        if fmt.is_integer:
            kept = Mux(first, fmt.minimum, before.as_signed())
            came = Mux(read, now.as_signed(), fmt.minimum)
            wins = came > kept
        else:
            kept = Mux(first, fmt.lowest_code, before)
            came = Mux(read, now, fmt.lowest_code)
            # a tap outside the image never wins over one inside, which may be as low
            wins = order_key(came, fmt) > order_key(kept, fmt)
        return Mux(wins, came, kept)

    def _guard(self, m: Module, at: _State) -> None:
        """Words that a reader must wait for, and words that a finished row must not overwrite yet."""
        copy = at.copy
        m.d.comb += [
            self.o_missing.eq(
                self.o_open
                & (self.i_address >= copy.other_address)
                & (self.i_address - copy.other_address < copy.words)
                & reached(self.i_index, copy.order)
            ),
            self.o_keep.eq(
                self.o_open
                & (self.i_row_address >= copy.address)
                & (self.i_row_address - copy.address < at.geometry.channels)
                & reached(self.i_ended, copy.order)
            ),
        ]

"""The vector unit: sequencer, 16 lanes, registers, transposer, counters."""

from amaranth.hdl import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.arithmetic.fp32 import widen
from hw.rtl.arithmetic.fp_convert import FpConvert
from hw.rtl.npu.vector_unit.lane import Lane, UnitCode
from hw.rtl.npu.vector_unit.sequencer import DESTINATIONS, SOURCES, Phase, VectorSequencer
from hw.spec.number import OPERAND_CODES, number_format
from hw.spec.vector import DESCRIPTOR_BITS, WORD_BITS, VectorSpec
from hw.spec.vector_micro import EVENTS, LABEL_OF, LABELS, LANES

COUNTER_BITS = 48
_BITS = 16
_CONSTANTS = {"one": 0x3F800000, "minus_infinity": 0xFF800000, "zero": 0}


class VectorUnit(wiring.Component):
    """16 FP32 lanes; words of 16 numbers in BF16 or FP16 come from and go to a shared memory.

    Cycles of a descriptor, from the one in which it is taken to that of `o_done`, both included:
    2 + the sum over its sections of micro-operations x repetitions (`model.cycle.vector`).

    Members
    -------
    i_descriptor : In(stream of 160 bits), ready while idle
    o_done, o_refused : Out(1); o_code : Out(4)
    o_busy : Out(1)
    o_label : Out(4), index into `LABELS` of what this cycle is
    o_read_address_0 : Out(16); i_read_data_0 : In(256), in the same cycle
    o_write_address : Out(16); o_write_data : Out(256); o_write_enable : Out(1)
    i_clear : In(1), sets the counters to zero
    o_count_<event>, o_label_count_<label> : Out(48)
    """

    def __init__(self, spec: VectorSpec) -> None:
        self.spec = spec
        super().__init__(
            {
                "i_descriptor": In(stream.Signature(DESCRIPTOR_BITS)),
                "o_done": Out(1),
                "o_refused": Out(1),
                "o_code": Out(4),
                "o_busy": Out(1),
                "o_label": Out(4),
                "o_read_address_0": Out(16),
                "i_read_data_0": In(WORD_BITS),
                "o_write_address": Out(16),
                "o_write_data": Out(WORD_BITS),
                "o_write_enable": Out(1),
                "i_clear": In(1),
                **{f"o_count_{event.replace('.', '_')}": Out(COUNTER_BITS) for event in EVENTS},
                **{f"o_label_count_{label}": Out(COUNTER_BITS) for label in LABELS},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer = sequencer = VectorSequencer(self.spec)
        wiring.connect(m, wiring.flipped(self.i_descriptor), sequencer.i_descriptor)
        micro, fields = sequencer.o_micro, sequencer.o_fields
        running = Signal()
        m.d.comb += [
            running.eq(sequencer.o_phase == Phase.RUN),
            self.o_busy.eq(sequencer.o_phase != Phase.IDLE),
            self.o_done.eq(sequencer.o_done),
            self.o_refused.eq(sequencer.o_refused),
            self.o_code.eq(sequencer.o_code),
        ]
        is_unit = {unit.name: Signal(name=f"is_{unit.name.lower()}") for unit in UnitCode}
        m.d.comb += [is_unit[unit.name].eq(running & (micro.unit == unit)) for unit in UnitCode]

        # the word that is read, as FP32; lanes beyond the row count as the program says
        used = {s: Signal(name=f"uses_{s}") for s in ("a", "b", "c")}
        m.d.comb += [used[s].eq((micro.x == SOURCES.index(s)) | (micro.y == SOURCES.index(s))) for s in used]
        m.d.comb += self.o_read_address_0.eq(
            Mux(used["b"], sequencer.o_b, Mux(used["c"], sequencer.o_c, sequencer.o_a))
        )
        turned = self._transposer(m, is_unit, sequencer)
        from_turn = micro.y == SOURCES.index("turn")
        word = Signal(WORD_BITS)
        m.d.comb += word.eq(Mux(from_turn, turned, self.i_read_data_0))
        read = self._decoded(m, word, fields.input_format, sequencer)

        registers = [Signal(data.ArrayLayout(32, LANES), name=name) for name in DESTINATIONS[1:]]
        index = Signal(data.ArrayLayout(_BITS, LANES))
        scale, epsilon = fields.scale, Cat(C(0, 16), fields.epsilon)
        values = {
            **{f"r{i}": [register[n] for n in range(LANES)] for i, register in enumerate(registers)},
            **{name: read for name in ("a", "b", "c", "turn")},
            **{name: [C(code, 32)] * LANES for name, code in _CONSTANTS.items()},
            "scale": [scale] * LANES,
            "epsilon": [epsilon] * LANES,
        }
        stored = []
        before = [self._choose(m, f"y_{n}", micro.y, {s: values[s][n] for s in values}) for n in range(LANES)]
        index_in = Signal(data.ArrayLayout(_BITS, LANES))
        for n in range(LANES):
            m.submodules[f"lane_{n}"] = unit = Lane()
            y, y_index = Signal(32, name=f"exchanged_{n}"), Signal(_BITS, name=f"exchanged_index_{n}")
            own = Cat(C(n, 4), sequencer.o_inner[: _BITS - 4])
            m.d.comb += [y.eq(before[n]), y_index.eq(own)]
            with m.Switch(micro.exchange):
                for bit in (1, 2, 4, 8):
                    with m.Case(bit):
                        m.d.comb += [y.eq(before[n ^ bit]), y_index.eq(index[n ^ bit])]
            m.d.comb += [
                unit.i_unit.eq(micro.unit),
                unit.x.eq(self._choose(m, f"x_{n}", micro.x, {s: values[s][n] for s in values})),
                unit.y.eq(y ^ Cat(C(0, 31), micro.negate)),
                unit.i_x_index.eq(index[n]),
                unit.i_y_index.eq(y_index),
                index_in[n].eq(Mux(unit.o_y_wins, y_index, index[n])),
            ]
            for name, register in zip(DESTINATIONS[1:], registers, strict=True):
                with m.If(running & (micro.to == DESTINATIONS.index(name))):
                    m.d.sync += register[n].eq(unit.o)
            stored.append(
                self._converted(
                    m, n, registers[0][n], fields.output_format, sequencer.o_valid_lanes[n] | ~sequencer.o_masks
                )
            )
        with m.If(sequencer.o_phase == Phase.CHECK):
            m.d.sync += index.eq(0)
        with m.Elif(is_unit["SELECT"]):
            m.d.sync += index.eq(index_in)

        m.d.comb += [
            self.o_write_address.eq(sequencer.o_d),
            self.o_write_enable.eq(is_unit["STORE"] | is_unit["STORE_INDEX"] | is_unit["TURN_OUT"]),
            self.o_write_data.eq(Mux(is_unit["TURN_OUT"], turned, Mux(is_unit["STORE_INDEX"], index[0], Cat(*stored)))),
        ]
        self._count(m, sequencer, running, is_unit, Cat(*used.values()).any())
        return m

    def _choose(self, m: Module, name: str, select: Value, values: dict[str, Value]) -> Signal:
        chosen = Signal(32, name=name)
        with m.Switch(select):
            for source, value in values.items():
                with m.Case(SOURCES.index(source)):
                    m.d.comb += chosen.eq(value)
        return chosen

    def _decoded(self, m: Module, word: Signal, select: Value, sequencer: VectorSequencer) -> list[Value]:
        """The 16 numbers of `word` in FP32, filled beyond the row's length."""
        lanes = []
        fill = Mux(sequencer.o_fills_infinity, _CONSTANTS["minus_infinity"], 0)
        for n in range(LANES):
            code = word.word_select(n, _BITS)
            wide = Signal(32, name=f"read_{n}")
            for name in self.spec.formats:
                with m.If(select == OPERAND_CODES[name]):
                    m.d.comb += wide.eq(widen(m, f"{name}_{n}", code, number_format(name)))
            filled = Signal(32, name=f"filled_{n}")
            m.d.comb += filled.eq(Mux(sequencer.o_valid_lanes[n], wide, fill))
            lanes.append(filled)
        return lanes

    def _converted(self, m: Module, n: int, code: Value, select: Value, kept: Value) -> Value:
        """One lane rounded to the output format, +0 where it is not kept."""
        m.submodules[f"convert_{n}"] = convert = FpConvert(self.spec.formats, latency=0)
        m.d.comb += convert.x.eq(code)
        for i, name in enumerate(self.spec.formats):
            with m.If(select == OPERAND_CODES[name]):
                m.d.comb += convert.select.eq(i)
        return Mux(kept, convert.o, 0)[:_BITS]

    def _transposer(self, m: Module, is_unit: dict[str, Signal], sequencer: VectorSequencer) -> Signal:
        """16 rows of 16 numbers: written by row, read by column."""
        cells = [Signal(WORD_BITS, name=f"turn_{row}") for row in range(LANES)]
        column = Signal(WORD_BITS, name="turned")
        place = sequencer.o_inner[:4]
        for row, cell in enumerate(cells):
            with m.If(sequencer.o_clears_turn):
                m.d.sync += cell.eq(0)
            with m.Elif(is_unit["TURN_IN"] & (place == row)):
                m.d.sync += cell.eq(self.i_read_data_0)
        m.d.comb += column.eq(Cat(*(cell.word_select(place, _BITS) for cell in cells)))
        return column

    def _count(
        self, m: Module, sequencer: VectorSequencer, running: Value, is_unit: dict[str, Signal], reads: Value
    ) -> None:
        """Label of the cycle, counters of labels and events."""
        m.d.comb += self.o_label.eq(Mux(running, LABELS.index("move"), Mux(self.o_busy, LABELS.index("prepare"), 0)))
        for unit, label in LABEL_OF.items():
            with m.If(is_unit[unit.upper()]):
                m.d.comb += self.o_label.eq(LABELS.index(label))

        def any_of(*units: str) -> Value:
            return Cat(*(is_unit[unit] for unit in units)).any()

        lanes = {
            "vector.multiply": is_unit["MULTIPLY"],
            "vector.add": is_unit["ADD"],
            "vector.compare": any_of("MAXIMUM", "SELECT"),
            "vector.function": any_of("EXP2", "RECIPROCAL", "ROOT"),
            "vector.move": is_unit["MOVE"],
            "vector.convert": is_unit["STORE"],
        }
        events = {name: Mux(value, LANES, 0) for name, value in lanes.items()} | {
            "vector.descriptor": self.o_done,
            "vector.refuse": self.o_refused,
            "vector.transpose": any_of("TURN_IN", "TURN_OUT"),
            "shared_memory.vector_read": running & reads,
            "shared_memory.vector_write": self.o_write_enable,
        }
        counters = {f"o_count_{event.replace('.', '_')}": amount for event, amount in events.items()}
        counters |= {f"o_label_count_{label}": self.o_label == i for i, label in enumerate(LABELS)}
        for name, amount in counters.items():
            counter = getattr(self, name)
            m.d.sync += counter.eq(Mux(self.i_clear, 0, counter + amount))

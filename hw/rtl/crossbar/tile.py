"""One tile: plane driver, shift-add and slice merge around an analogue port."""

from amaranth.hdl import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.crossbar.merge import SliceMerge
from hw.rtl.crossbar.plane_driver import PlaneDriver
from hw.rtl.crossbar.shift_add import ShiftAdd
from hw.rtl.crossbar.signature import ArrayPort
from hw.spec.crossbar import SUM_BITS, CrossbarSpec

PASSED = ("pulse", "verify", "row", "column", "level", "array")
"""Members of the analogue port that the core drives."""


class Tile(wiring.Component):
    """Everything digital of one tile; sequenced from outside, in step with all others.

    Members
    -------
    i_load, i_word, i_data, i_start, i_show, i_next : In
        As in `PlaneDriver`.
    i_col_sel, i_hold, i_sample, i_first : In
        As from `AdcSequencer`.
    array : Out(ArrayPort(spec))
        Its programming members are driven by the core.
    i_pulse, i_verify, i_row, i_column, i_level, i_array : In
        For `array`.
    o_verify_level : Out(cell_bits)
    i_beat : In
    o_results : Out(lanes * 32)
        Merged results of the beat; combinational.
    o_added, o_missed : Out(1)
        Codes were taken; codes did not come when due.
    o_active, o_toggles : Out
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        self.spec = spec
        self.driver, self.shift_add, self.merge = PlaneDriver(spec), ShiftAdd(spec), SliceMerge(spec)
        port = ArrayPort(spec).members
        super().__init__(
            {
                "i_load": In(1),
                "i_word": In(range(max(spec.load_beats, 2))),
                "i_data": In(spec.lanes * 8),
                "i_start": In(1),
                "i_show": In(1),
                "i_next": In(1),
                "i_col_sel": In(range(max(spec.steps, 2))),
                "i_hold": In(1),
                "i_sample": In(1),
                "i_first": In(1),
                "array": Out(ArrayPort(spec)),
                **{f"i_{name}": In(port[name].shape) for name in PASSED},
                "o_verify_level": Out(spec.cell_bits),
                "i_beat": In(range(max(spec.drain_beats, 2))),
                "o_results": Out(spec.lanes * SUM_BITS),
                "o_added": Out(1),
                "o_missed": Out(1),
                "o_active": Out(self.driver.o_active.shape()),
                "o_toggles": Out(self.driver.o_toggles.shape()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spec, array = self.spec, self.array
        m.submodules.driver = driver = self.driver
        m.submodules.shift_add = shift_add = self.shift_add
        m.submodules.merge = merge = self.merge
        m.d.comb += [
            *(
                getattr(driver, name).eq(getattr(self, name))
                for name in ("i_load", "i_word", "i_data", "i_start", "i_show", "i_next")
            ),
            array.wl.eq(driver.wl),
            array.col_sel.eq(self.i_col_sel),
            array.hold.eq(self.i_hold),
            array.sample.eq(self.i_sample),
            *(getattr(array, name).eq(getattr(self, f"i_{name}")) for name in PASSED),
            self.o_verify_level.eq(array.verify_level),
            self.o_active.eq(driver.o_active),
            self.o_toggles.eq(driver.o_toggles),
        ]

        # what the codes that come next belong to, and when they are due
        step, first = Signal.like(self.i_col_sel), Signal()
        due = Signal(spec.adc_cycles)
        m.d.sync += due.eq(Cat(self.i_sample, due)[: spec.adc_cycles])
        with m.If(self.i_sample):
            m.d.sync += [step.eq(self.i_col_sel), first.eq(self.i_first)]
        m.d.comb += [
            shift_add.i_valid.eq(array.code_valid),
            shift_add.i_code.eq(array.code),
            shift_add.i_step.eq(step),
            shift_add.i_first.eq(first),
            self.o_added.eq(array.code_valid),
            self.o_missed.eq(due[-1] != array.code_valid),
            merge.i_beat.eq(self.i_beat),
            merge.i_input_sum.eq(driver.o_sum),
            *(getattr(merge, f"i_sum_{p}").eq(getattr(shift_add, f"o_sum_{p}")) for p in range(spec.physical_columns)),
            self.o_results.eq(Cat(getattr(merge, f"o_result_{lane}") for lane in range(spec.lanes))),
        ]
        return m

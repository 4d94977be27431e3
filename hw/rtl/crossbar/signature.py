"""Layouts and interfaces of a crossbar core; the analogue boundary is one interface per tile."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.rtl.npu.signature import COUNTER_BITS
from hw.spec.core import CoreSpec
from hw.spec.crossbar import SUM_BITS, CrossbarSpec
from hw.spec.crossbar_command import LAYER_FIELDS, REFUSALS, WRITE_FIELDS
from hw.spec.crossbar_event import EVENTS, LABELS
from hw.spec.mac_array import MacArraySpec


def layer_layout() -> data.StructLayout:
    """A layer descriptor, `hw.spec.crossbar_command.LAYER_FIELDS`."""
    return data.StructLayout({name: unsigned(width) for name, width in LAYER_FIELDS.items()})


def cell_layout() -> data.StructLayout:
    """A cell to program, `hw.spec.crossbar_command.WRITE_FIELDS`."""
    return data.StructLayout({name: unsigned(width) for name, width in WRITE_FIELDS.items()})


def result_layout(spec: CrossbarSpec) -> data.StructLayout:
    """A word of results: its `address` in the buffer and `lanes` signed 32-bit values (INT8 results extended)."""
    return data.StructLayout(
        {"address": unsigned(ceil_log2(spec.buffer_words)), "lanes": data.ArrayLayout(signed(SUM_BITS), spec.lanes)}
    )


def code_shape(spec: CrossbarSpec) -> data.ArrayLayout:
    """The codes of all converters of a tile."""
    return data.ArrayLayout(signed(spec.adc_bits) if spec.signed_codes else unsigned(spec.adc_bits), spec.converters)


def stage_core(spec: CrossbarSpec) -> CoreSpec:
    """A core as wide as the bus: what the output stage that is shared with the NPU is built from."""
    lanes = max(spec.lanes, 2)
    return CoreSpec(
        array=MacArraySpec(rows=2, columns=lanes),
        activation_words=2,
        weight_words=2,
        accumulator_rows=1 << (lanes + 4).bit_length(),
        output_words=2,
        parameter_words=spec.parameter_words,
        rounding_mode=spec.rounding_mode,
    )


class ArrayPort(wiring.Signature):
    """The analogue boundary of one tile, seen from the digital side.

    Members
    -------
    wl : Out(rows * plane_bits)
        One unit of input per word line.
    col_sel : Out(range(steps))
        Column of each converter that is connected.
    hold : Out(1)
        All columns are held at the end of this cycle (sample and hold only).
    sample : Out(1)
        A conversion of the selected columns starts; the codes come `adc_cycles` later.
    code : In(code_shape(spec))
    code_valid : In(1)
    pulse : Out(1)
        The addressed cell is given a programming pulse towards `level`; high for `write_cycles`.
    verify : Out(1)
        The addressed cell is read; high for `verify_cycles`, `verify_level` is taken in the last.
    row, column, level : Out
        Address (cell column of pairs: 2 * column + 1 is the subtracted cell) and target.
    verify_level : In(cell_bits)
    array : Out(range(arrays))
        Of the arrays behind this port, the one that all of the above is about.
    """

    def __init__(self, spec: CrossbarSpec) -> None:
        super().__init__(
            {
                "wl": Out(spec.rows * spec.plane_bits),
                "col_sel": Out(range(max(spec.steps, 2))),
                "hold": Out(1),
                "sample": Out(1),
                "code": In(code_shape(spec)),
                "code_valid": In(1),
                "pulse": Out(1),
                "verify": Out(1),
                "row": Out(range(spec.rows)),
                "column": Out(range(max(spec.physical_columns * spec.cells_per_column, 2))),
                "level": Out(spec.cell_bits),
                "verify_level": In(spec.cell_bits),
                "array": Out(range(max(spec.arrays, 2))),
            }
        )


class CrossbarCounterPorts(wiring.Signature):
    """All counters as ports: `busy`, then `label_<label>`, then `event_<component>_<event>`."""

    def __init__(self) -> None:
        super().__init__({name: Out(COUNTER_BITS) for name in counter_names()})


def counter_names() -> dict[str, str]:
    """Port -> what it counts."""
    return {
        "busy": "busy",
        **{f"label_{label}": label for label in LABELS},
        **{"event_" + event.replace(".", "_"): event for event in EVENTS},
    }


class StatusPorts(wiring.Signature):
    """Sticky and live state of a core.

    Members
    -------
    idle : Out(1)
        Nothing is queued, running or being programmed.
    completed : Out(32)
        Commands that ended, refused ones included.
    error : Out
        Code of the first refused command, 0 if none.
    missed : Out(1)
        A code did not come when it was due.
    """

    def __init__(self) -> None:
        super().__init__(
            {"idle": Out(1), "completed": Out(32), "error": Out(range(max(REFUSALS.values()) + 1)), "missed": Out(1)}
        )

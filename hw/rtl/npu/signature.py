"""Layouts and interfaces of the NPU core: what a testbench, a host or a wrapper connects to."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.spec.command import (
    COMMAND_FIELDS,
    COMMON_FIELDS,
    LANE_FIELDS,
    activation_word_bits,
    output_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from hw.spec.dma import DmaSpec
from hw.spec.npu_event import EVENTS, LABELS

COUNTER_BITS = 48
"""Width of every counter: 3.2 days at 1 GHz."""


def command_layout() -> data.StructLayout:
    """A GEMM descriptor, `hw.spec.command.COMMAND_FIELDS`."""
    return data.StructLayout({name: unsigned(width) for name, width in COMMAND_FIELDS.items()})


def parameter_layout(core: CoreSpec) -> data.StructLayout:
    """A parameter word: `lanes` of (bias, multiplier, shift), then zero_point, low, high."""
    lane = data.StructLayout(
        {name: unsigned(width) if name == "shift" else signed(width) for name, width in LANE_FIELDS.items()}
    )
    common = {name: signed(width) for name, width in COMMON_FIELDS.items()}
    return data.StructLayout({"lanes": data.ArrayLayout(lane, core.array.columns), **common})


def row_layout(core: CoreSpec) -> data.StructLayout:
    """A finished row: its `address` in the output memory and its `data`, `columns` INT8."""
    return data.StructLayout(
        {
            "address": unsigned(ceil_log2(core.output_words)),
            "data": unsigned(output_word_bits(core)),
        }
    )


class WritePort(wiring.Signature):
    """A host write into one memory: taken in every cycle in which `enable` is high.

    It takes the port of a single-port memory in that cycle, so the core's read waits one cycle.

    Members
    -------
    address : Out(ceil_log2(depth))
    data : Out(width)
    enable : Out(1)
    """

    def __init__(self, *, depth: int, width: int) -> None:
        super().__init__({"address": Out(ceil_log2(depth)), "data": Out(width), "enable": Out(1)})


def request_layout() -> data.StructLayout:
    """A read request to the external memory: first beat and number of beats."""
    return data.StructLayout({"address": 32, "beats": 32})


def external_beat_layout(dma: DmaSpec) -> data.StructLayout:
    """One beat for the external memory and its address in beats."""
    return data.StructLayout({"address": 32, "data": 8 * dma.bytes_per_cycle})


class ReadChannel(wiring.Signature):
    """Reads of the external memory: for every request its beats, in order.

    Members
    -------
    request : Out(stream of request_layout())
    data : In(stream of 8 * bytes_per_cycle)
    """

    def __init__(self, dma: DmaSpec) -> None:
        super().__init__(
            {
                "request": Out(stream.Signature(request_layout())),
                "data": In(stream.Signature(unsigned(8 * dma.bytes_per_cycle))),
            }
        )


class ExternalPort(wiring.Signature):
    """Everything the copy channels connect to outside the core.

    Members
    -------
    activation, weight, parameter : Out(ReadChannel)
    output : Out(stream of external_beat_layout(dma))
    row_read : Out(1)
        Read word `row_address` of the output memory; `row_data` follows in the next cycle and stays.
    """

    def __init__(self, core: CoreSpec, dma: DmaSpec) -> None:
        super().__init__(
            {
                **{name: Out(ReadChannel(dma)) for name in ("activation", "weight", "parameter")},
                "output": Out(stream.Signature(external_beat_layout(dma))),
                "row_read": Out(1),
                "row_address": Out(ceil_log2(core.output_words)),
                "row_data": In(output_word_bits(core)),
            }
        )


class CounterPorts(wiring.Signature):
    """All counters as ports: `busy`, then `label_<label>`, then `event_<component>_<event>`.

    `busy` counts cycles from the one after a command was accepted to the one in which its last output row
    left, both included, while any command is unfinished; labels and events are in `hw.spec.npu_event`.
    """

    def __init__(self) -> None:
        super().__init__({name: Out(COUNTER_BITS) for name in counter_names()})


def counter_names() -> dict[str, str]:
    """Port of a counter -> the label or event it counts ("busy", "stream", "mac_array.mac", ...)."""
    names = {"busy": "busy"}
    names |= {f"label_{label}": label for label in LABELS}
    names |= {"event_" + event.replace(".", "_"): event for event in EVENTS}
    return names


class CoreStatus(wiring.Signature):
    """What the core says about its work.

    Members
    -------
    busy : Out(1)
        A command is unfinished; `idle` is its complement.
    idle : Out(1)
    completed : Out(32)
        Commands whose last output row has left, since reset.
    refused : Out(32)
        Commands refused since reset.
    error : Out(4)
        Code of the last refused command (`hw.spec.command.REFUSALS`), 0 if none yet.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "busy": Out(1),
                "idle": Out(1),
                "completed": Out(32),
                "refused": Out(32),
                "error": Out(4),
            }
        )


def core_members(core: CoreSpec) -> dict[str, wiring.Member]:
    """Members shared by `Core` and `CoreTop`."""
    return {
        "i_command": In(stream.Signature(command_layout())),
        "i_activation": In(WritePort(depth=core.activation_words, width=activation_word_bits(core))),
        "i_weight": In(WritePort(depth=core.weight_words, width=weight_word_bits(core))),
        "i_parameter": In(WritePort(depth=core.parameter_words, width=parameter_word_bits(core))),
        "i_clear": In(1),
        "status": Out(CoreStatus()),
        "counters": Out(CounterPorts()),
    }


class CoreSignature(wiring.Signature):
    """The NPU core.

    Members
    -------
    i_command : In(stream of command_layout())
        GEMM descriptors; accepted while the queue has room.
    i_activation, i_weight, i_parameter : In(WritePort)
        Host writes. The first two stall that cycle's read; the parameter memory has its own write port.
    i_clear : In(1)
        Sets all counters to zero.
    o_row : Out(stream of row_layout(core))
        Finished rows, in order; may be refused for any time.
    external : Out(ExternalPort)
        Only with `core.dma`.
    status : Out(CoreStatus)
    counters : Out(CounterPorts)
    """

    def __init__(self, core: CoreSpec) -> None:
        external = {} if core.dma is None else {"external": Out(ExternalPort(core, core.dma))}
        super().__init__({**core_members(core), **external, "o_row": Out(stream.Signature(row_layout(core)))})


class CoreTopSignature(wiring.Signature):
    """`Core` with its output memory, and with an external memory if it has copy channels: what is simulated.

    Members
    -------
    i_output_hold : In(1)
        While high no finished row is taken.
    i_external_hold : In(4)
        Only with `core.dma`: see `ExternalMemory.i_hold`.
    (all others as `CoreSignature`, without `o_row`)
    """

    def __init__(self, core: CoreSpec) -> None:
        external = {} if core.dma is None else {"i_external_hold": In(4)}
        super().__init__({**core_members(core), **external, "i_output_hold": In(1)})

"""From one stream of descriptors to the units, each started when what it waits for has ended."""

from collections.abc import Sequence

from amaranth.hdl import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.rtl.common.enumeration import enumeration
from hw.spec.memory_controller import DESCRIPTOR_BITS
from hw.spec.system import COUNT_BITS, END, QUEUE_ENTRIES, UNIT_CODES, system_fields, wait_labels

LABEL_BITS = 48


def descriptor_layout(units: Sequence[str]) -> data.StructLayout:
    """A descriptor of the stream of a system with `units`."""
    return data.StructLayout(system_fields(units))


class Router(wiring.Component):
    """Fetches a descriptor a cycle, in order, into the queue of its unit; stops while that is full, and at the end.

    A descriptor fetched in cycle t can be offered to its unit in t + 1. A unit's end in cycle t is known in t + 1.

    Members
    -------
    i_run : In(1), the program runs; o_address : Out(COUNT_BITS); i_word : In, in the same cycle
    o_<unit> : Out(stream of DESCRIPTOR_BITS)
    i_ended_<unit> : In(COUNT_BITS), descriptors of the unit that have ended before this cycle
    i_busy_<unit> : In(1), it has one that has not
    o_finished : Out(1), all descriptors up to the end mark have ended
    o_count_<unit>_<label> : Out(48), cycles of the run by `wait_labels`
    """

    def __init__(self, units: Sequence[str]) -> None:
        self.units = units
        super().__init__(
            {
                "i_run": In(1),
                "o_address": Out(COUNT_BITS),
                "i_word": In(descriptor_layout(units).size),
                "o_finished": Out(1),
                **{f"o_{unit}": Out(stream.Signature(DESCRIPTOR_BITS)) for unit in units},
                **{f"i_ended_{unit}": In(COUNT_BITS) for unit in units},
                **{f"i_busy_{unit}": In(1) for unit in units},
                **{f"o_count_{unit}_{label}": Out(LABEL_BITS) for unit in units for label in wait_labels(units)},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        units, labels = self.units, wait_labels(self.units)
        layout = descriptor_layout(units)
        waits = enumeration("UnitWait", {name.upper(): i for i, name in enumerate(labels)})
        fetched = Signal(layout)
        ended = Signal()  # the end mark has been met
        room, push = Signal(len(units)), Signal(len(units))
        ends = fetched.unit == END
        m.d.comb += Value.cast(fetched).eq(self.i_word)
        quiet = []
        for i, unit in enumerate(units):
            m.submodules[f"{unit}_queue"] = queue = fifo.SyncFIFO(width=layout.size, depth=QUEUE_ENTRIES)
            head = Signal(layout, name=f"{unit}_head")
            offer = getattr(self, f"o_{unit}")
            lacks = Cat(*(getattr(self, f"i_ended_{other}") < head[f"wait_{other}"] for other in units))
            sent = Signal(COUNT_BITS, name=f"{unit}_sent")
            m.d.comb += [
                room[i].eq(queue.w_rdy),
                push[i].eq(self.i_run & ~ended & (fetched.unit == UNIT_CODES[unit]) & queue.w_rdy),
                queue.w_en.eq(push[i]),
                queue.w_data.eq(fetched),
                Value.cast(head).eq(queue.r_data),
                offer.payload.eq(head.payload),
                offer.valid.eq(queue.r_rdy & ~lacks.any()),
                queue.r_en.eq(offer.valid & offer.ready),
            ]
            m.d.sync += sent.eq(sent + push[i])
            quiet.append(sent == getattr(self, f"i_ended_{unit}"))
            label = Signal(waits, name=f"{unit}_label")
            with m.If(getattr(self, f"i_busy_{unit}")):
                m.d.comb += label.eq(waits.BUSY)
            with m.Elif(~queue.r_rdy):
                m.d.comb += label.eq(waits.EMPTY)
            for k, other in enumerate(units):
                with m.Elif(lacks[k]):
                    m.d.comb += label.eq(waits[f"WAIT_{other.upper()}"])
            with m.Else():
                m.d.comb += label.eq(waits.TAKE)
            for name in labels:
                counter = getattr(self, f"o_count_{unit}_{name}")
                with m.If(self.i_run & ~self.o_finished & (label == waits[name.upper()])):
                    m.d.sync += counter.eq(counter + 1)
        fetch = push.any()
        m.d.comb += self.o_finished.eq(ended & Cat(*quiet).all())
        with m.If(fetch):
            m.d.sync += self.o_address.eq(self.o_address + 1)
        with m.If(self.i_run & ends):
            m.d.sync += ended.eq(1)
        return m

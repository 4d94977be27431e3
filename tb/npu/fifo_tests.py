"""A stream FIFO as deep as the chip's command queue: order, back-pressure, and the stream rules themselves."""

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Module
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw import chips
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from tb.bench.bench import Bench, bench_test
from tb.bench.stream import StreamDriver, StreamMonitor, StreamSink

MACHINE = CoreSpec

WORD = data.StructLayout({"tag": 4, "value": 12})


class StreamFifo(wiring.Component):
    """`depth` words between `i` and `o`; one cycle of latency more than a wire."""

    if TYPE_CHECKING:
        i: Any
        o: Any

    def __init__(self, depth: int) -> None:
        self.depth = depth
        super().__init__({"i": In(stream.Signature(WORD)), "o": Out(stream.Signature(WORD))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=WORD.size, depth=self.depth)
        m.d.comb += [
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        return m


def top(chip: Chip) -> wiring.Component:
    """The design under test for `chip`."""
    return StreamFifo(chips.machine(chip, MACHINE, "the fifo bench").command_entries)


def _words(bench: Bench, count: int) -> list[dict[str, int]]:
    return [{"tag": int(bench.rng.integers(16)), "value": int(bench.rng.integers(1 << 12))} for _ in range(count)]


async def _check_order(bench: Bench, count: int, input_pause: float, output_pause: float) -> StreamMonitor:
    words = _words(bench, count)
    driver = StreamDriver(bench, "i", WORD, pause=input_pause)
    monitor = StreamMonitor(bench, "o", WORD)
    StreamSink(bench, "o", pause=output_pause)
    await driver.send(*words)
    await monitor.wait(count)
    got = [{"tag": int(w.tag), "value": int(w.value)} for w in monitor.values]
    for index, (expected, value) in enumerate(zip(words, got, strict=True)):
        assert value == expected, f"word {index}: expected {expected}, got {value}, {monitor.cycles[index]} ns"
    return monitor


@bench_test(timeout_cycles=1000)
async def words_leave_in_order_one_per_cycle(bench: Bench) -> None:
    monitor = await _check_order(bench, 100, 0.0, 0.0)
    assert monitor.cycles[-1] - monitor.cycles[0] == 99, "an unhindered FIFO passes a word in every cycle"


@bench_test(timeout_cycles=10_000)
async def words_leave_in_order_with_random_pauses(bench: Bench) -> None:
    await _check_order(bench, 300, 0.4, 0.4)


@bench_test(timeout_cycles=10_000)
async def a_full_fifo_refuses_and_loses_nothing(bench: Bench) -> None:
    await _check_order(bench, 200, 0.0, 0.8)


@bench_test(timeout_cycles=1000)
async def a_payload_that_changes_while_waiting_is_reported(bench: Bench) -> None:
    bench.dut.o__ready.value = 0
    bench.dut.i__valid.value = 1
    bench.dut.i__payload.value = 1
    while int(bench.dut.i__ready.value) or bench.cycle < 4:
        await bench.edge
    bench.dut.i__payload.value = 2
    await bench.cycles(3)
    assert int(bench.dut.protocol_errors.value) == 1, "the checker of stream i must see the changed payload"
    bench.dut.i__valid.value = 0
    await bench.reset()
    await bench.cycles(2)

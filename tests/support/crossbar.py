"""Random crossbar cores, programs and stalls, run on the RTL in Amaranth's simulator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hw.base.error import InputError
from hw.rtl.crossbar.core import CrossbarCore
from hw.rtl.crossbar.digital_core import DigitalCrossbarCore
from hw.rtl.crossbar.signature import cell_layout, counter_names, layer_layout, stage_core
from hw.rtl.npu.signature import parameter_layout
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import LayerCommand
from model.lowering.crossbar import cell_words
from model.reference import crossbar as reference
from model.reference.npu import requantise
from model.work.workload import OutputStage
from tb.crossbar.cell_array import CellArray

SCHEMES = ("offset", "offset_unit", "differential", "twos_complement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A core, what its tiles hold, its program and its partners' patterns.

    `weights`: (columns, rows) per array of each tile, arrays of a tile together; `inputs`: per command (vectors,
    row_tiles * rows); `parameters`: per command the output stage; `patterns`: offered, ready, host writes by cycle.
    """

    spec: CrossbarSpec
    weights: list[np.ndarray]
    commands: list[LayerCommand]
    inputs: list[np.ndarray]
    stages: list[OutputStage]
    offered: np.ndarray
    ready: np.ndarray
    writes: np.ndarray


def draw_spec(rng: np.random.Generator, *, digital: bool) -> CrossbarSpec:
    """A small spec; analogue ones of all range policies."""
    while True:
        try:
            bits = int(rng.choice([1, 1, 1, 2, 4]))
            common: dict[str, Any] = {
                "rows": int(rng.integers(2, 8)),
                "columns": int(rng.integers(1, 6)),
                "cell_bits": int(rng.choice([1, 2, 3, 4, 8])),
                "weight_bits": int(rng.choice([4, 8])),
                "input_bits": int(rng.choice([4, 8])),
                "plane_bits": 1 if digital else bits,
                "input_signed": bool(rng.integers(2)) and (digital or bits == 1),
                "input_offset": bool(rng.integers(2)),
                "scheme": str(rng.choice(SCHEMES)),
                "columns_per_adc": int(rng.choice([1, 2, 3, 4, 8])),
                "wordline_cycles": int(rng.integers(0, 3)),
                "settle_cycles": int(rng.integers(0, 3)),
                "adc_cycles": int(rng.integers(1, 4)),
                "sample_and_hold": bool(rng.integers(2)),
                "double_buffer": bool(rng.integers(2)),
                "tiles": int(rng.choice([1, 2, 4])),
                "arrays": int(rng.choice([1, 1, 2, 3])),
                "lanes": int(rng.choice([2, 4])),
                "buffer_words": 128,
                "parameter_words": 64,
                "command_entries": int(rng.choice([2, 4])),
                "array": "digital" if digital else "analogue",
                "rounding": str(rng.choice(["half_up", "half_even"])),
            }
            lossless = CrossbarSpec(**{**common, "adc_bits": 20}).lossless_bits
            policy = "lossless" if digital else str(rng.choice(["lossless", "full", "power_of_two", "calibrated"]))
            adc = lossless if policy == "lossless" else max(2, lossless - int(rng.integers(0, 4)))
            ranges = {}
            if policy == "calibrated":
                slices = CrossbarSpec(**{**common, "adc_bits": 20}).slices
                ranges = {
                    "ranges": tuple(
                        (int(rng.integers(-9000, 9000)), int(rng.integers(3000, 9000))) for _ in range(slices)
                    )
                }
            return CrossbarSpec(**common, adc_bits=adc, range_policy=policy, **ranges)
        except InputError:
            continue


def draw_case(rng: np.random.Generator, spec: CrossbarSpec, *, program: int = 0) -> Case:
    """One to four commands; in half of the cases everything outside stalls.

    `program`: so many commands instead, through the streams once the buffer is full, and everything stalls.
    """
    low, high = spec.weight_limits
    weights = [rng.integers(low, high + 1, (spec.columns, spec.rows)) for _ in range(spec.tiles * spec.arrays)]
    commands, inputs, stages, address, parameter = [], [], [], 0, 0
    for _ in range(program or int(rng.integers(1, 5))):
        row_tiles = int(rng.integers(1, spec.tiles + 1))
        column_tiles = int(rng.integers(1, spec.tiles // row_tiles + 1))
        vectors, from_stream, to_stream = int(rng.integers(1, 4)), bool(rng.integers(2)), bool(rng.integers(2))
        words, results = row_tiles * spec.load_beats, column_tiles * spec.drain_beats
        room = 0 if from_stream else vectors * words
        if address + room + (0 if to_stream else vectors * results) > spec.buffer_words:
            if not program:
                break
            from_stream, to_stream, room = True, True, 0
        first = int(rng.integers(0, spec.tiles - row_tiles * column_tiles + 1))
        commands.append(
            LayerCommand(
                vectors=vectors,
                first_tile=first,
                row_tiles=row_tiles,
                column_tiles=column_tiles,
                input_address=address,
                input_stride=words,
                output_address=address + room,
                output_stride=results,
                parameter_address=parameter,
                from_stream=from_stream,
                to_stream=to_stream,
                sums=to_stream and bool(rng.integers(2)),
                array=int(rng.integers(spec.arrays)),
            )
        )
        parameter += results
        address += room + (0 if to_stream else vectors * results)
        inputs.append(rng.integers(spec.input_limits[0], spec.input_limits[1] + 1, (vectors, row_tiles * spec.rows)))
        n = column_tiles * spec.columns
        stages.append(
            OutputStage(
                bias=rng.integers(-99, 99, n).astype(np.int32),
                multiplier=rng.integers(1 << 29, (1 << 31) - 1, n).astype(np.int32),
                shift=rng.integers(3, 10, n).astype(np.int32),
                zero_point=int(rng.integers(-9, 9)),
            )
        )
    if rng.random() < 0.2:
        commands.insert(0, LayerCommand(vectors=0))
        inputs.insert(0, np.zeros((0, spec.rows), int))
        stages.insert(0, stages[0])
    stall = bool(program) or rng.random() < 0.5
    chances = rng.choice([0.1, 0.4, 0.9], 3) if stall else (1.0, 1.0, 0.0)
    patterns = [rng.random(60000 if program else 20000) < chance for chance in chances]
    return Case(
        spec=spec,
        weights=weights,
        commands=commands,
        inputs=inputs,
        stages=stages,
        offered=patterns[0],
        ready=patterns[1],
        writes=patterns[2] if stall else np.zeros(20000, bool),
    )


def expected(case: Case, number: int) -> np.ndarray:
    """Results (vectors, column tiles, columns) of command `number`: 32-bit sums, or INT8."""
    spec, command, inputs = case.spec, case.commands[number], case.inputs[number]
    results = np.zeros((len(inputs), command.column_tiles, spec.columns), np.int64)
    for k in range(command.row_tiles):
        part = inputs[:, k * spec.rows : (k + 1) * spec.rows]
        for n in range(command.column_tiles):
            tile = command.first_tile + k * command.column_tiles + n
            weights = case.weights[tile * spec.arrays + command.array]
            results[:, n] += reference.product(spec, weights, part)
    if command.sums:
        return results
    whole = requantise(results.reshape(len(inputs), -1), case.stages[number], spec.rounding_mode)
    return whole.reshape(results.shape).astype(np.int64)


def word_of(values: Sequence[int], lanes: int, bits: int) -> int:
    """`values` packed from lane 0 up."""
    return sum((int(value) & (1 << bits) - 1) << bits * lane for lane, value in enumerate(values[:lanes]))


def input_words(spec: CrossbarSpec, vectors: np.ndarray) -> list[int]:
    """Bus words of `vectors` (B, row_tiles * rows)."""
    words = []
    for vector in vectors:
        for first in range(0, len(vector), spec.rows):
            tile = vector[first : first + spec.rows]
            words += [word_of(tile[i : i + spec.lanes], spec.lanes, 8) for i in range(0, spec.rows, spec.lanes)]
    return words


def parameter_words(spec: CrossbarSpec, stage: OutputStage, column_tiles: int) -> list[dict[str, Any]]:
    """Parameter words of a command, in the order of its results."""
    words = []
    lanes = stage_core(spec).array.columns
    for n in range(column_tiles):
        for first in range(0, spec.columns, spec.lanes):
            index = [n * spec.columns + first + i if first + i < spec.columns else -1 for i in range(lanes)]
            words.append(
                {
                    "lanes": [
                        {
                            "bias": int(stage.bias[i]),
                            "multiplier": int(stage.multiplier[i]),
                            "shift": int(stage.shift[i]),
                        }
                        if i >= 0
                        else {}
                        for i in index
                    ],
                    "zero_point": stage.zero_point,
                    "low": stage.low,
                    "high": stage.high,
                }
            )
    return words


async def _answer(ctx: Any, port: Any, arrays: Sequence[CellArray]) -> None:
    """The analogue side of one tile, cycle by cycle."""
    spec = arrays[0].spec
    pipeline: list[list[int] | None] = [None] * (spec.adc_cycles + 1)
    held = np.zeros(spec.physical_columns)
    pulsed = False
    while True:
        await ctx.tick()
        array = arrays[ctx.get(port.array) if spec.arrays > 1 else 0]
        bits = ctx.get(port.wl)
        lines = np.array([bits >> spec.plane_bits * r & (1 << spec.plane_bits) - 1 for r in range(spec.rows)], np.int64)
        new = None
        if ctx.get(port.sample):
            sums = held if spec.sample_and_hold else array.sums(lines)
            new = array.convert(sums, ctx.get(port.col_sel))
        if ctx.get(port.hold):
            held = array.sums(lines)
        pulse = ctx.get(port.pulse)
        if pulse and not pulsed:
            array.pulse(ctx.get(port.row), ctx.get(port.column), ctx.get(port.level))
        pulsed = bool(pulse)
        pipeline = [new, *pipeline[:-1]]
        # what was sampled in the cycle that ended is there adc_cycles later
        done = pipeline[-1]
        ctx.set(port.code_valid, done is not None)
        if done is not None:
            ctx.set(port.code, done)
        if ctx.get(port.verify) or pulse:
            ctx.set(port.verify_level, array.read_level(ctx.get(port.row), ctx.get(port.column)))


def run(case: Case, cells: Sequence[tuple[int, int, int, int, int]] = (), arrays: list[CellArray] | None = None) -> Any:
    """Counters of the RTL by what they count, and its results per command; status bits last.

    `cells` (tile, row, column, level, array) are written first; `arrays`: those of all tiles, those of a tile together.
    """
    spec = case.spec
    digital = spec.array == "digital"
    design: Any = DigitalCrossbarCore(spec) if digital else CrossbarCore(spec)
    core = design.core if digital else design
    levels = [reference.cell_levels(spec, weights) for weights in case.weights]
    found: list[list[int]] = []
    counters: dict[str, int] = {}
    streamed = [
        w for c, x in zip(case.commands, case.inputs, strict=True) if c.from_stream for w in input_words(spec, x)
    ]
    if not digital and arrays is None:
        arrays = [CellArray(spec) for _ in levels]
        for array, tile in zip(arrays, levels, strict=True):
            array.load(tile)

    async def bench(ctx: Any) -> None:
        if digital and not cells:
            for number, tile in enumerate(levels):
                fill(ctx, spec, design.arrays[number // spec.arrays], number % spec.arrays, tile)
        for command, vectors in zip(case.commands, case.inputs, strict=True):
            if not command.from_stream and len(vectors):
                for offset, word in enumerate(input_words(spec, vectors)):
                    ctx.set(core.buffer.data[command.input_address + offset], word)
        for cell in cells:
            fields = dict(zip(("tile", "row", "column", "level", "array"), cell, strict=True))
            ctx.set(design.i_cell.payload, cell_layout().const(fields))
            ctx.set(design.i_cell.valid, 1)
            await ctx.tick().until(design.i_cell.ready)
            ctx.set(design.i_cell.valid, 0)
        while not ctx.get(design.status.idle):
            await ctx.tick()
        layout = parameter_layout(stage_core(spec))
        for command, stage in zip(case.commands, case.stages, strict=True):
            for index, word in enumerate(parameter_words(spec, stage, command.column_tiles) if command.vectors else []):
                memory = core.drain.parameter_memory.data[command.parameter_address + index]
                ctx.set(memory, layout.const(word).as_bits())
        offered, cycle = False, 0
        commands, stream, results = list(case.commands), list(streamed), []
        while True:
            ctx.set(design.i_command.valid, bool(commands))
            if commands:
                ctx.set(design.i_command.payload, layer_layout().const(commands[0].fields))
            offered = (offered or bool(case.offered[cycle])) and bool(stream)
            ctx.set(design.i.valid, offered)
            if stream:
                ctx.set(design.i.payload, stream[0])
            ctx.set(design.o.ready, bool(case.ready[cycle]))
            host = bool(case.writes[cycle])
            ctx.set(design.i_buffer.enable, host)
            ctx.set(design.i_buffer.address, spec.buffer_words - 1)
            accepts = bool(commands) and ctx.get(design.i_command.ready)
            takes = offered and ctx.get(design.i.ready)
            leaves = ctx.get(design.o.valid) and case.ready[cycle]
            word = [ctx.get(design.o.payload.lanes[lane]) for lane in range(spec.lanes)] if leaves else None
            if not commands and ctx.get(design.status.idle):
                ctx.set(design.i_buffer.enable, 0)
                break
            await ctx.tick()
            cycle += 1
            if accepts:
                commands.pop(0)
            if takes:
                stream.pop(0)
                offered = False
            if word is not None:
                results.append(word)
        await ctx.tick()
        sent = 0
        for command in case.commands:
            words = command.vectors * command.column_tiles * spec.drain_beats
            if command.to_stream:
                found.append([value for word in results[sent : sent + words] for value in word])
                sent += words
            else:
                values = []
                for offset in range(words):
                    word = ctx.get(core.buffer.data[command.output_address + offset])
                    values += [(word >> 8 * lane & 255 ^ 128) - 128 for lane in range(spec.lanes)]
                found.append(values)
        for port, meaning in counter_names().items():
            counters[meaning] = ctx.get(getattr(design.counters, port))
        counters["missed"] = ctx.get(design.status.missed)
        counters["error"] = ctx.get(design.status.error)
        counters["completed"] = ctx.get(design.status.completed)

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    if not digital:
        assert arrays is not None
        for t in range(spec.tiles):

            async def answer(ctx: Any, t: int = t) -> None:
                await _answer(ctx, getattr(design, f"array_{t}"), arrays[t * spec.arrays : (t + 1) * spec.arrays])

            simulator.add_testbench(answer, background=True)
    simulator.run()
    return counters, found


def fill(ctx: Any, spec: CrossbarSpec, array: Any, number: int, levels: np.ndarray) -> None:
    """Levels of array `number` into the memory of a tile's digital arrays, by back door."""
    for step, word in enumerate(cell_words(spec, levels)):
        ctx.set(array.cells.data[number * spec.steps + step], word)

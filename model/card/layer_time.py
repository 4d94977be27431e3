"""Time of one layer on one group of a device's cores."""

from dataclasses import dataclass, replace

from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from hw.spec.number import number_format
from model.card.fusion import APART, Fusion
from model.card.gpu_tiles import LEAST_TILE, tiling
from model.card.links import Links
from model.card.mapper import mapping
from model.card.rules import CHOICE_STEP, SCORE_TRAFFIC, VECTOR_STEPS
from model.network.layer import Layer

BOUNDS = ("compute", "feed", "memory", "fill", "vector", "link", "host")
"""compute: arrays; feed: scratchpad to arrays; memory: external; fill: ramps and starts; vector; link; host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Plain numbers of one group of cores under one reading of the facts; seconds, bytes, bytes per second.

    Parameters
    ----------
    core : CoreSpec or None
        None: `rate` alone limits products.
    cores : int
        Of the group.
    clock : float
        Cycles per second.
    rate : float
        Multiply-accumulates per second in the run's format.
    format_scale : float
        Rate of the format over that of the core's own.
    fetch : float
        Bytes of activations into one core per step of its array in the run's format (a cycle over `format_scale`),
        counted as if they were of the core's own format; 0 without a core.
    reuse : int
        Tiles of columns that use a fetched word before the next; of a GPU, multiprocessors that share one read of a
        tile's edge.
    vector : float
        Element operations per second.
    hop : float
        Seconds through all cores of the group.
    sram : float
        Bytes of scratchpad.
    dram, host : float
        Bytes per second.
    mixed : float
        Speed of activations that leave the chip over that of plain reads.
    links : Links
        To the other devices of an instance.
    by_row : bool
        A row of a convolution's kernel lies in one word (see `mapper.packed_depth`).
    start : float
        Seconds per layer.
    cards : int
        Devices that add partial sums.
    units, port, shared, number_bytes : int, float, float, float
        Of a GPU: multiprocessors, bytes per second into one and inside it, bytes of an operand's element.
    dataflows : int
        2: an array may hold results as well as weights.
    depthwise : "faster" or "slower"
        Of arrays and vector engines, the one that takes products of few channels.
    score_traffic, choice_step : float
        Bytes that a score of a detector moves; cycles from one box of a list to the next (`selection`).
    chosen : "here", "beside" or "host"
        Where a detector's boxes are sorted and compared: here; on the host beside the next run; there, scores and all.
    unhidden : float
        Part of the shorter of arrays and memory that does not run beside the longer (`rules.UNHIDDEN`).
    loads_beside : bool
        A layer's memory traffic runs while its arrays do; else its weights come before.
    """

    core: CoreSpec | None
    cores: int
    clock: float
    rate: float
    format_scale: float
    fetch: float
    reuse: int
    vector: float
    hop: float
    sram: float
    dram: float
    host: float
    links: Links
    by_row: bool
    start: float
    cards: int = 1
    units: int = 0
    port: float = 0.0
    shared: float = 0.0
    number_bytes: float = 1.0
    dataflows: int = 1
    mixed: float = 1.0
    depthwise: str = "faster"
    loads_beside: bool = True
    score_traffic: float = SCORE_TRAFFIC.nominal
    choice_step: float = CHOICE_STEP.nominal
    chosen: str = "here"
    unhidden: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """Sizes of the elements of a run.

    Parameters
    ----------
    weight, activation, cache : float
        Bytes of an element of weights, of activations and of the key-value cache; 0.5 for formats of 4 bits.
    """

    weight: float = 1.0
    activation: float = 1.0
    cache: float = 1.0

    @staticmethod
    def of(weight: str, activation: str, cache: str) -> "Formats":
        """From names of `hw.spec.number.FORMATS`."""
        w, a, c = (number_format(name).bits / 8 for name in (weight, activation, cache))
        return Formats(weight=w, activation=a, cache=c)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTime:
    """One layer: `time` in seconds, what it is bound by, and its parts.

    `least`, the bound, is what arrays at full use or external memory alone would need, whichever is longer: weights
    read once, activations moved only as far as they exceed all scratchpads. `bytes` are those moved to and from
    external memory; `cut` the products x rows x columns that the cores share, with "os" where the arrays hold results.

    Parameters
    ----------
    name, operator : str
        As in the network's `Layer`.
    macs : int
        Multiply-accumulates of its products; 0 for vector work and transfers.
    bound : str
        The one of `BOUNDS` that sets its time; never "host".
    compute : float
        Seconds of the arrays if no operand were waited for; where `cut` is "vector", of the vector engines.
    feed : float
        Seconds in which the operands enter the arrays or multiprocessors; 0 where only a peak is known, and where `cut`
        is "vector".
    memory : float
        Seconds of the external memory for `bytes`.
    fill : float
        Seconds of ramps, the way through the cores, the start of the layer and waits for the next tile of weights.
    vector : float
        Seconds of the vector engines for element-wise work; of products, for what runs together with them.
    link : float
        Seconds of a transfer between devices; 0 for all else.
    parts : int
        Passes (parts of a batch, chunks of a query) that `times` last summed the figures over; 1: one pass.
    """

    name: str
    operator: str
    macs: int
    time: float
    bound: str
    least: float
    compute: float = 0.0
    feed: float = 0.0
    memory: float = 0.0
    fill: float = 0.0
    vector: float = 0.0
    link: float = 0.0
    bytes: float = 0.0
    cut: str = ""
    parts: int = 1

    def times(self, parts: int) -> "LayerTime":
        """The same layer `parts` times, for as many parts of a batch."""
        if parts == 1:
            return self
        numbers = ("macs", "time", "least", "compute", "feed", "memory", "fill", "vector", "link", "bytes")
        return replace(self, parts=self.parts * parts, **{name: getattr(self, name) * parts for name in numbers})


def layer_time(
    machine: Machine,
    layer: Layer,
    formats: Formats,
    *,
    room: float,
    share: float = 1.0,
    resident: bool = False,
    fusion: Fusion = APART,
    streams_cache: bool = False,
) -> LayerTime | None:
    """Time of `layer`; None if it costs nothing here.

    Parameters
    ----------
    room : float
        Bytes of scratchpad for activations.
    share : float
        Part of the weights read for this run: 1 / parts if a batch passes in parts while they stay.
    resident : bool
        Weights stay in the scratchpads from run to run.
    fusion : Fusion
        What runs together with it, or it with the layer before.
    streams_cache : bool
        The right operand of a product that is not stationary is the key-value cache in external memory.
    """
    if layer.kind == "gemm":
        return _product(machine, layer, formats, room, 0.0 if resident else share, streams_cache, fusion)
    if layer.operator in ("AllReduce", "AllToAll", "AllGather"):
        return _collective(machine, layer, formats)
    if layer.kind != "vector" or fusion.fused:
        return None
    moved = max(0, layer.input_elements + layer.output_elements - fusion.kept) * formats.activation
    traffic = spilled(moved, room)
    memory = traffic / (machine.dram * machine.mixed)
    work = layer.operations * VECTOR_STEPS.get(layer.operator, 1) / machine.vector
    if machine.units:
        work = max(work, moved / (machine.units * machine.port))
    busy = max(work, memory)
    start = 0.0 if fusion.inner else machine.start
    bound = "fill" if start > busy else "vector" if work >= memory else "memory"
    return LayerTime(
        name=layer.name,
        operator=layer.operator,
        macs=0,
        time=busy + start,
        bound=bound,
        least=max(work, spilled(moved, machine.sram) / machine.dram),
        memory=memory,
        fill=start,
        vector=work,
        bytes=traffic,
    )


def spilled(activations: float, room: float) -> float:
    """Bytes moved because inputs and outputs exceed their room: the excess goes out and comes back."""
    return min(2 * max(0.0, activations - room), activations)


def _product(
    machine: Machine,
    layer: Layer,
    formats: Formats,
    room: float,
    share: float,
    streams_cache: bool,
    fusion: Fusion = APART,
) -> LayerTime:
    cache = 0.0
    inputs = float(layer.input_elements)
    if not layer.stationary:
        right = sum(g.n * g.k * g.count for g in layer.gemms)
        inputs -= right
        cache = right * formats.cache
    weights = layer.weight_elements * (formats.weight if layer.weight_bits is None else layer.weight_bits / 8)
    inputs = max(0.0, inputs - (fusion.kept if fusion.inner else 0))
    results = layer.output_elements - (0 if fusion.inner else fusion.kept) + fusion.beside
    activations = (inputs + results) * formats.activation
    traffic = share * weights
    loads = traffic / machine.dram
    if streams_cache:
        traffic += cache
    else:
        activations += cache
    compulsory = traffic + spilled(activations, machine.sram)
    outside = spilled(activations, room)
    if outside and weights > room:
        # neither operand stays: the cheaper of reading one of them again for every part of the other
        traffic += min((activations // room) * weights, (weights // room) * inputs * formats.activation)
    memory = traffic / machine.dram + outside / (machine.dram * machine.mixed)
    traffic += outside
    compute = feed = ramp = wait = 0.0
    cut = ""
    if machine.units:
        for gemm in layer.gemms:
            grouped = layer.window is not None and layer.window.groups > 1
            side = max(1, min(gemm.count, LEAST_TILE // gemm.n)) if grouped else 1
            t = tiling(
                gemm.m,
                side * gemm.n,
                side * gemm.k,
                ceil_div(gemm.count, side),
                units=machine.units,
                rate=round(machine.rate / machine.units / machine.clock, 6),
                port=round(machine.port / machine.clock, 6),
                shared=round(machine.shared / machine.clock, 6),
                number_bytes=machine.number_bytes,
                reuse=machine.reuse,
                latency=round(machine.hop * machine.clock, 6),
            )
            compute += t.compute / machine.clock
            feed += t.feed / machine.clock
            wait += (t.cycles - max(t.compute, t.feed)) / machine.clock
            cut = f"{t.rows} x {t.columns}, {t.waves} waves" + (f" in {t.parts} parts" if t.parts > 1 else "")
    elif (core := machine.core) is None:
        compute = layer.macs / machine.rate
    else:
        per_cycle = machine.clock * machine.format_scale
        for gemm in layer.gemms:
            m = mapping(
                core,
                machine.cores,
                gemm,
                layer.window,
                fetch=machine.fetch,
                reuse=machine.reuse,
                by_row=machine.by_row,
                dataflows=machine.dataflows,
            )
            compute += m.fed / per_cycle
            feed += m.stream / per_cycle
            wait += m.wait / per_cycle
            ramp += m.ramp / machine.clock
            cut = f"{m.products} x {m.rows} x {m.columns}" + {"ws": "", "os": " os"}[m.dataflow]
    arrays = max(compute, feed) + wait
    if layer.window is not None and layer.window.groups > 1:
        # depthwise and grouped products may leave the arrays empty: the vector engines can take them
        on_vector = layer.macs / machine.vector
        if machine.units:
            on_vector = max(on_vector, activations / (machine.units * machine.port))
        if (on_vector < arrays) == (machine.depthwise == "faster"):
            compute, feed, wait, ramp, arrays, cut = on_vector, 0.0, 0.0, 0.0, on_vector, "vector"
    behind = fusion.work / machine.vector
    busy = max(arrays, memory, behind) + machine.unhidden * min(arrays, memory)
    if not machine.loads_beside:
        busy = max(arrays, memory - loads, behind) + loads
    fill = ramp + (0.0 if fusion.inner else machine.hop + machine.start)
    if fill + wait > max(arrays - wait, memory):
        bound = "fill"
    elif behind > max(arrays, memory):
        bound = "vector"
    elif memory >= arrays:
        bound = "memory"
    else:
        bound = "vector" if cut == "vector" else "feed" if feed > compute else "compute"
    return LayerTime(
        name=layer.name,
        operator=layer.operator,
        macs=layer.macs,
        time=busy + fill,
        bound=bound,
        least=max(layer.macs / machine.rate, compulsory / machine.dram),
        compute=compute,
        feed=feed,
        memory=memory,
        fill=fill + wait,
        vector=behind,
        bytes=traffic,
        cut=cut,
    )


def _collective(machine: Machine, layer: Layer, formats: Formats) -> LayerTime:
    size, links = layer.output_elements * formats.activation, machine.links
    link = (links.sum if layer.operator == "AllReduce" else links.exchange)(size, machine.cards)
    return LayerTime(
        name=layer.name,
        operator=layer.operator,
        macs=0,
        time=link,
        bound="link",
        least=size / links.bandwidth,
        link=link,
    )

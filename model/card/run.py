"""A whole network on a card: single stream or offline, with the range that the facts leave."""

from dataclasses import dataclass, replace

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.number import number_format
from model.card.device import Device
from model.card.fusion import APART, Fusion, fusions
from model.card.layer_time import BOUNDS, Formats, LayerTime, Machine, layer_time
from model.card.machine import NOMINAL, Extra, machine
from model.card.power_clock import clock_share
from model.card.rules import BATCHES
from model.card.selection import selection_time
from model.network.layer import Layer, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of `batch` inputs on one group of cores of every device of a card.

    Parameters
    ----------
    time : float
        Seconds from the first input at the host link to the last output (single stream), or between two runs
        (offline).
    per_second : float
        Inputs per second of the card.
    latency : float
        Seconds of one run, inputs and outputs on the link included.
    batch : int
        Inputs of the run; of a query of several, all of them.
    groups : int
        Groups of cores of a device that each do such a run at a time; 1: all cores share it.
    devices : int
        Devices of the card, which all do the same.
    layers : tuple of LayerTime
        Of one run, those that cost anything, in the order of the network.
    host : float
        Seconds on the host link.
    bound : dict of str to float
        What bound how many of `time`'s seconds.
    least : float
        Seconds if every layer ran at the longer of full arrays and external memory.
    """

    time: float
    per_second: float
    latency: float
    batch: int
    groups: int
    devices: int
    layers: tuple[LayerTime, ...]
    host: float
    bound: dict[str, float]
    least: float


def network_layers(
    network: Network,
    machine: Machine,
    formats: Formats,
    *,
    batch: int = 1,
    streams_cache: bool = False,
    resident: bool | None = None,
    extra: Extra = NOMINAL,
) -> list[LayerTime]:
    """Times of all layers that cost anything, for `batch` inputs together; equal layers are computed once.

    The mapper lets the batch pass the first layers in equal parts, their weights staying, where the whole batch's
    activations would have to leave the scratchpads; it tries every layer as the last of them and every power of two.
    `resident` None: weights stay from run to run if all of them fit their half of the scratchpads.
    """
    if resident is None:
        resident = extra.stays and network.weights * formats.weight <= machine.sram / 2
    known = batch == 1 and len(network.layers) == 1
    plan = [APART] if known else fusions(network.layers, additions=extra.additions, functions=extra.functions)
    whole = _times(network, machine, formats, batch, 1, streams_cache, resident, plan)
    best = whole, sum(t.time for t in whole if t is not None)
    weights, first = 0.0, 0
    for layer in network.layers:
        weights += layer.weight_elements * formats.weight
        if weights > machine.sram / 2:
            break
        first += 1
    outside = sum(t.bytes for t in whole if t is not None)
    spills = outside > (0 if resident else 1.000001 * network.weights * formats.weight)
    parts = 2
    # the kernels of a GPU take the whole batch one after the other
    while spills and parts <= batch and first and not machine.units:
        pieces = _times(network, machine, formats, batch // parts, parts, streams_cache, resident, plan, first)
        ahead, behind = 0.0, sum(t.time for t in whole if t is not None)
        for index in range(first):
            ahead += pieces[index].time if pieces[index] is not None else 0.0  # type: ignore[union-attr]
            behind -= whole[index].time if whole[index] is not None else 0.0  # type: ignore[union-attr]
            border = network.layers[index].output_elements * formats.activation * batch
            if border > machine.sram / 4:
                continue
            if ahead + behind < best[1]:
                best = pieces[: index + 1] + whole[index + 1 :], ahead + behind
        parts *= 2
    return [t for t in best[0] if t is not None]


def _times(
    network: Network,
    machine: Machine,
    formats: Formats,
    batch: int,
    parts: int,
    streams_cache: bool,
    resident: bool,
    plan: list[Fusion],
    first: int | None = None,
) -> list[LayerTime | None]:
    """Times of the first layers, `parts` times for `batch` inputs, their weights read once."""
    all_weights = network.weights * formats.weight
    layers = network.batched(batch).layers[:first]
    sizes = [layer.weight_elements * formats.weight for layer in layers]
    known: dict[tuple[object, ...], LayerTime | None] = {}
    times: list[LayerTime | None] = []
    for index, (layer, fusion) in enumerate(zip(layers, plan, strict=False)):
        if layer.kind == "unsupported":
            unknown = ", ".join(
                f"{operator} ({nodes} nodes, {share:.1%} of all operations)"
                for operator, (nodes, share) in network.unsupported().items()
            )
            raise InputError(
                f"every operator must be known for its time to be predicted; {layer.operator} is not "
                f"(layer {layer.name!r} of {network.name}); unknown in all: {unknown}"
            )
        taken = all_weights if resident else sum(sizes[index : index + 2]) if parts == 1 else machine.sram / 2
        room = max(machine.sram / 2, machine.sram - taken)
        key = (room, *_key(layer, fusion))
        if key not in known:
            if layer.choice is not None:
                time = None if machine.chosen == "host" else selection_time(machine, layer, layer.choice, formats, room)
            else:
                time = layer_time(
                    machine,
                    layer,
                    formats,
                    room=room,
                    share=1 / parts,
                    resident=resident,
                    fusion=fusion.times(batch),
                    streams_cache=streams_cache,
                )
            known[key] = None if time is None else time.times(parts)
        found = known[key]
        times.append(found if found is None or found.name == layer.name else replace(found, name=layer.name))
    return times


def _key(layer: Layer, fusion: Fusion) -> tuple[object, ...]:
    shapes = tuple((g.m, g.n, g.k, g.count) for g in layer.gemms)
    return (
        fusion,
        layer.operator,
        shapes,
        layer.operations,
        layer.input_elements,
        layer.weight_elements,
        layer.output_elements,
        layer.window,
        layer.weight_bits,
        layer.choice,
    )


def single_stream(device: Device, network: Network, number: str = "int8", extra: Extra | None = None) -> Run:
    """One input at a time on one device, on all its cores or the part that takes a query."""
    return _run(device, network, number, batch=1, groups=_parts(device), offline=False, extra=extra)


def offline(
    device: Device,
    network: Network,
    number: str = "int8",
    *,
    batch: int | None = None,
    groups: int | None = None,
    extra: Extra | None = None,
) -> Run:
    """The batch and split into groups given, or as the maker submitted this network, or the fastest; inputs of the next
    run travel while this one computes."""
    known, split = next((v for key, v in device.submitted.items() if key in network.name), (None, None))
    batches = (batch,) if batch else (known,) if known else BATCHES
    splits = (groups,) if groups else (split,) if split else (device.groups,) if known else {1, device.groups}
    found: Run | None = None
    for split_into in sorted(splits):
        best, worse = 0.0, 0
        for size in batches:
            run = _run(device, network, number, batch=size, groups=split_into, offline=True, extra=extra)
            found = run if found is None or run.per_second > found.per_second else found
            worse = 0 if run.per_second > best else worse + 1
            best = max(best, run.per_second)
            if worse == 2:  # twice as large twice without a gain: what leaves the chip only grows
                break
    assert found is not None  # there is a batch and a split
    return found


def multi_stream(
    device: Device, network: Network, number: str = "int8", *, queries: int = 8, extra: Extra | None = None
) -> Run:
    """One query of several inputs at a time: in one batch, or in chunks one after the other; if a query runs on a part
    of the cores, its inputs are divided over the parts."""
    parts = _parts(device)
    chunk = min(ceil_div(queries, parts), round(device.query_chunk.nominal))
    run = _run(device, network, number, batch=chunk, groups=parts, offline=False, extra=extra)
    times = ceil_div(queries, chunk * parts)
    return replace(
        run,
        time=run.time * times,
        latency=run.latency * times,
        batch=queries,
        groups=1,
        host=run.host * times,
        per_second=queries * device.devices / (run.time * times),
        least=run.least * times,
        bound={name: value * times for name, value in run.bound.items()},
        layers=tuple(layer.times(times) for layer in run.layers),
    )


def _parts(device: Device) -> int:
    return max(1, round(1 / device.query_share.nominal))


def _run(
    device: Device, network: Network, number: str, *, batch: int, groups: int, offline: bool, extra: Extra | None
) -> Run:
    check_memory(device, network, number)
    formats = Formats.of(number, number, number)
    rules = extra or NOMINAL
    group = machine(
        device,
        number,
        groups=groups,
        extra=extra,
        loaded=offline,
        clock_share=device.most_share if device.units else None,
    )
    layers = network_layers(network, group, formats, batch=batch, extra=rules)
    if device.base_share < 1:
        share = device.most_share
        for _ in range(2):
            left = _clock(device, rules, group, layers, share)
            if share == left:
                break
            share = left if share == device.most_share else (share + left) / 2
            group = machine(device, number, groups=groups, extra=extra, loaded=offline, clock_share=share)
            layers = network_layers(network, group, formats, batch=batch, extra=rules)
    inputs = _edges(network, device.boxes_on_host)
    host_in, host_out = (elements * formats.activation * batch / group.host for elements in inputs)
    work = sum(layer.time for layer in layers)
    host = host_in + host_out
    launched = 0.0
    if not offline:
        host += rules.query_host
        if device.boxes_on_host:
            host += batch * sum(x.choice.scores for x in network.layers if x.choice is not None) * rules.host_score
        launched = sum(layer.fill > 0 for layer in layers) * rules.kernel_launch if group.units else 0.0
        work += launched
    time = max(work, host) if offline else work + host
    bound: dict[str, float] = dict.fromkeys(BOUNDS, 0.0)
    for layer in layers:
        bound[layer.bound] += layer.time
    if offline and host > work:
        bound = {name: time if name == "host" else 0.0 for name in BOUNDS}
    elif not offline:
        bound["host"] = host + launched
    return Run(
        time=time,
        per_second=batch * groups * device.devices / time,
        latency=work + host,
        batch=batch,
        groups=groups,
        devices=device.devices,
        layers=tuple(layers),
        host=host,
        bound=bound,
        least=sum(layer.least for layer in layers),
    )


def _clock(device: Device, rules: Extra, group: Machine, layers: list[LayerTime], share: float) -> float:
    """Share of the clock of the peaks that the power limit leaves a run that ran at `share`."""
    time = sum(layer.time for layer in layers)
    products = sum(layer.macs for layer in layers) / group.rate
    active = sum(max(layer.compute, layer.feed, 0.0 if layer.macs else layer.vector) for layer in layers)
    return clock_share(
        (rules.multiplying * products + (1 - rules.multiplying) * min(time, active)) / time,
        sum(layer.bytes for layer in layers) / group.dram / time,
        base=device.base_share,
        rest=rules.rest_share,
        memory_share=rules.memory_power,
        exponent=rules.clock_exponent,
        most=device.most_share,
    )


def _edges(network: Network, boxes_on_host: bool) -> tuple[int, int]:
    """Elements that the host sends and receives per input: of the first and the last layer, or a detector's scores."""
    working = [layer for layer in network.layers if layer.kind in ("gemm", "vector")]
    if not working:
        raise InputError(f"{network.name} must hold work for its time to be predicted; it only moves data")
    last = working[-1]
    scores = last.choice is not None and boxes_on_host
    return working[0].input_elements, last.input_elements if scores else last.output_elements


def check_memory(device: Device, network: Network, number: str) -> None:
    """Weights must fit the device's memory; raises `InputError`."""
    need, most = network.weights * number_format(number).bits / 8, device.dram_capacity.maximum
    if need > most:
        raise InputError(
            f"weights must fit the memory of one device: {network.name} needs {need / 1e9:.1f} GB in {number}, "
            f"{device.title} has {most / 1e9:g} GB; use more cards or a smaller format"
        )

"""One device as the chip model sees it: cores in groups, feeds, vector engine, memories, links, host.

Everything is read from the facts of the chip (`hw.spec.chip.Chip`); what nobody published is a hypothesis with a
range, the same rule for every chip, and named in `Device.hypotheses`. The keys of the facts:

    processing_elements   groups of cores that can run different inputs                     1
    fetch_width           bytes per cycle from a scratchpad (or its network) into one core  B/cycle
    packet_reuse          times one fetched word of activations is used before the next     1
    vector_width          elements per cycle of the vector engine of one core               1
    sram                  all scratchpads of the card                                       MB or MiB
    dram_capacity, dram_bandwidth, host_bandwidth                                           GB, GB/s, GB/s
    card_link_bandwidth   between two cards, one direction; the host link if not given      GB/s
    dram_usable           of the capacity, what the driver lists; if not given, every GB of
                          it is 2^30 bytes                                                  GB
    hop_cycles            from one core to the next                                         cycles
    peak_<format>         10^12 operations per second of the card, 2 per multiply-accumulate
    engines, cores, slices  how many cores the maker states                                 1
    array_rows            depth of the array, where it is a hypothesis                      1
    offline_batch_<network>, offline_groups_<network>
                          inputs per run and groups of cores in the maker's own submission  1
    bert_positions        tokens of a BERT query where the maker's submission keeps the padding  1
    boxes_on_host         1: a detector's boxes are chosen by the host, from scores as they are  1
    query_chunk           inputs of a query of eight that run together                      1
    batch_timeout         how long its server waits for a full batch                        ms
    query_share           part of the cores that one query runs on                          1
    dataflows             1: the core's own; 2: its array can also hold the results; where
                          the array is a hypothesis, 1 with 2 as the high end               1

Those of a GPU are in `model.card.multiprocessor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.core import CoreSpec
from hw.spec.fact import Fact
from hw.spec.number import number_format
from model.card.array_side import array_side, assumed, own_sram
from model.card.multiprocessor import LATENCY, multiprocessors

HOST_LINK = Fact(
    nominal=8.0,
    low=4.0,
    high=16.0,
    unit="GB/s",
    confidence="assumed",
    source="host to card where not published: half to double of PCIe 4.0 x4, or a shared memory",
)

HOP = Fact(
    nominal=2.0,
    low=1.0,
    high=4.0,
    unit="cycles",
    confidence="assumed",
    source="from one core to the next where not published: as the one chip that publishes it (Warboy, its "
    "fact hop_cycles)",
)

DATAFLOWS = Fact(
    nominal=1.0,
    high=2.0,
    unit="1",
    confidence="assumed",
    source="of an array that is a hypothesis: held weights as in our core, or what is faster in each layer",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Device:
    """One device of a card. Facts of bandwidth and capacity are per device, in the units given. Two devices are the
    same only if they are one object: what is made of a device is kept beside it.

    Parameters
    ----------
    title : str
        The chip's title up to its first colon, for people.
    core : CoreSpec or None
        None for a chip that is known by its peaks only.
    cores, groups, devices : int
        Cores of the device; groups they can be split into; devices on the card.
    clock : Fact
        GHz. 1 GHz, a unit of time and nothing else, if there is no core.
    peaks : mapping of str to Fact
        Format to 10^12 operations per second of one device.
    fetch_width : Fact
        Bytes per cycle into one core; 0 if there is no core.
    packet_reuse : Fact
        Tiles of columns for which a fetched word stays at the array.
    vector_width : Fact
        Elements per cycle of all vector engines together.
    hop_cycles : Fact
        Cycles from one core to the next; of a GPU, what its memory's latency adds to each product.
    sram, dram_capacity, dram_bandwidth, host_bandwidth, link_bandwidth : Fact
        Bytes, bytes, bytes per second.
    dram_usable : Fact
        Bytes of the DRAM that a program can have.
    own_links : bool
        Cards are joined by links of their own, not through the host's.
    array_rows : Fact or None
        Range of the array's depth where it is a hypothesis.
    cores_published : bool
        The number of cores is a fact, not part of the hypothesis.
    submitted : mapping of str to (int, int or None)
        Part of a network's name -> inputs per run and groups as the maker submitted; the mapper chooses others.
    boxes_on_host : bool
        A detector's scores leave the card as they are, and the host chooses among the boxes.
    query_chunk : Fact
        Inputs of a multi-stream query that run together, one chunk after the other.
    query_share : Fact
        Part of the cores that a single query runs on.
    batch_timeout : float or None
        Seconds for which the maker's server waits for a full batch; None: not published.
    hypotheses : tuple of str
        What was assumed, one sentence each.
    dataflows : Fact
        1 or 2: the array holds weights only, or weights or results as the mapper chooses per layer.
    units : int
        Multiprocessors of a GPU, each of which takes whole tiles of a product; 0 for others.
    unit_port : Fact
        Bytes per cycle from the second-level cache to one of them.
    sustained : Fact
        Clock of mixed full load over that of the peaks.
    base_share, most_share : float
        Clock guaranteed under any load, and the highest, over that of the peaks; 1 where none is known.
    """

    title: str
    core: CoreSpec | None
    cores: int
    groups: int
    devices: int
    clock: Fact
    peaks: Mapping[str, Fact]
    fetch_width: Fact
    packet_reuse: Fact
    vector_width: Fact
    hop_cycles: Fact
    sram: Fact
    dram_capacity: Fact
    dram_bandwidth: Fact
    host_bandwidth: Fact
    link_bandwidth: Fact
    array_rows: Fact | None
    cores_published: bool
    submitted: Mapping[str, tuple[int, int | None]]
    boxes_on_host: bool
    query_chunk: Fact
    query_share: Fact
    batch_timeout: float | None
    hypotheses: tuple[str, ...]
    dataflows: Fact
    units: int
    unit_port: Fact
    sustained: Fact
    base_share: float
    most_share: float
    dram_usable: Fact
    own_links: bool

    @property
    def counted(self) -> bool:
        """Its products are counted by the cycle model of its cores; else they are taken from peaks and tiles."""
        core = self.core
        return core is not None

    @property
    def cycle_clock(self) -> float:
        """GHz of the cycles in its records; 1 where nothing is counted, so that they are nanoseconds."""
        return self.clock.nominal if self.counted else 1.0

    def rate(self, number: str) -> float:
        """Multiply-accumulates per second in the format `number`.

        With a core: cells x cores x clock for its own format, scaled by the ratio of the published peaks for others.

        Raises
        ------
        InputError
            If nothing is published about the format.
        """
        name = family(number)
        if name not in self.peaks:
            known = ", ".join(sorted(self.peaks))
            raise InputError(f"the number format must be one the chip multiplies ({known}), not {number}")
        core = self.core
        if core is None:
            return self.peaks[name].nominal * 1e12 / 2
        own = core.array.cells * self.cores * self.clock.nominal * 1e9
        native = family(core.array.activation_format)
        return own * self.peaks[name].nominal / self.peaks[native].nominal


def family(number: str) -> str:
    """The peak a format is counted under: "fp8_e4m3" is "fp8"; BF16 counts as FP16 and the other way round."""
    return number_format(number).name.split("_")[0]


def device(chip: Chip) -> Device:
    """The device of `chip`.

    Raises
    ------
    InputError
        If the chip has neither a core nor a peak, is a memory, or lacks the facts of its memories.
    """
    facts = chip.facts
    if (chip.machine is not None and chip.kind.memory) or "internal_bandwidth" in facts:
        raise InputError(
            f"a chip must compute layers by itself to be modelled; {chip.title!r} is a memory: it works "
            "beside one, see `kcloud-cosim serve --pim`"
        )
    for needed in ("dram_capacity", "dram_bandwidth"):
        if needed not in facts:
            raise InputError(
                f"a chip must have the fact {needed!r} to be modelled; {chip.title!r} has none, add it with its source"
            )
    hypotheses = [chip.hypothesis] if chip.hypothesis else []
    core, share = chip.core, 1 / chip.devices
    peaks = {
        key.removeprefix("peak_"): fact.times(share)
        for key, fact in facts.items()
        if key.startswith("peak_") and not key.endswith("_from_geometry")
    }
    for one, other in (("fp16", "bf16"), ("bf16", "fp16")):
        if one not in peaks and other in peaks:
            peaks[one] = peaks[other]
    if core is not None and family(core.array.activation_format) not in peaks:
        rate = 2e-3 * core.array.cells * chip.cores * (chip.clock.nominal if chip.clock else 1.0)
        peaks[family(core.array.activation_format)] = assumed(rate, "TOPS", "array x clock")
    if not peaks:
        raise InputError(f"a chip must have a core or the fact of a peak to be modelled; {chip.title!r} has neither")
    gpu = multiprocessors(facts, chip.devices, hypotheses) if core is None and "multiprocessors" in facts else None
    fetch, reuse, vector = array_side(chip, peaks, hypotheses, gpu)
    host = facts.get("host_bandwidth")
    if host is None:
        host = HOST_LINK
        hypotheses.append("host link of 8 GB/s (4 to 16)")
    return Device(
        title=chip.title.split(":")[0],
        core=core,
        cores=chip.cores,
        devices=chip.devices,
        peaks=peaks,
        groups=int(facts["processing_elements"].nominal) if "processing_elements" in facts else 1,
        clock=chip.clock or (gpu.clock if gpu else assumed(1.0, "GHz", "unit of time only")),
        fetch_width=fetch,
        packet_reuse=reuse,
        vector_width=vector,
        hop_cycles=LATENCY if gpu else facts.get("hop_cycles") or HOP,
        sram=facts["sram"].to("B").times(share) if "sram" in facts else own_sram(chip),
        dram_capacity=facts["dram_capacity"].to("B").times(share),
        dram_bandwidth=facts["dram_bandwidth"].to("B/s").times(share),
        host_bandwidth=host.to("B/s").times(share),
        link_bandwidth=(facts.get("card_link_bandwidth") or host).to("B/s"),
        array_rows=facts.get("array_rows"),
        cores_published=bool(facts.keys() & {"engines", "cores", "slices"}),
        submitted=_submitted(facts),
        boxes_on_host="boxes_on_host" in facts and facts["boxes_on_host"].nominal > 0,
        query_chunk=facts.get("query_chunk") or assumed(8.0, "1", "the whole query as one batch"),
        query_share=facts.get("query_share") or assumed(1.0, "1", "all cores work on one query"),
        batch_timeout=facts["batch_timeout"].to("s").nominal if "batch_timeout" in facts else None,
        hypotheses=tuple(hypotheses),
        dataflows=facts.get("dataflows")
        or (DATAFLOWS if "array_rows" in facts else assumed(1.0, "1", "as the published array")),
        units=gpu.units if gpu else 0,
        unit_port=gpu.port if gpu else assumed(0.0, "B/cycle", "no multiprocessor"),
        sustained=gpu.sustained if gpu else assumed(1.0, "1", "the clock is a fact or a hypothesis of its own"),
        base_share=gpu.base_share if gpu else 1.0,
        most_share=gpu.most_share if gpu else 1.0,
        dram_usable=facts["dram_usable"].to("B").times(share)
        if "dram_usable" in facts
        else _usable(facts["dram_capacity"].to("B").times(share)),
        own_links="card_link_bandwidth" in facts,
    )


def _usable(capacity: Fact) -> Fact:
    """What a program can allocate where nobody says: a capacity printed in GB is often one in GiB."""
    return replace(capacity.times(2.0**30 / 1e9), low=capacity.nominal)


def _submitted(facts: Mapping[str, Fact]) -> dict[str, tuple[int, int | None]]:
    batch, groups = "offline_batch_", "offline_groups_"
    found = {}
    for key, fact in facts.items():
        if key.startswith(batch):
            network = key.removeprefix(batch)
            split = facts.get(groups + network)
            found[network] = int(fact.nominal), int(split.nominal) if split else None
    return found


def with_rows(core: CoreSpec, rows: int, *, same_shape: bool = False) -> CoreSpec:
    """A core whose array has another depth: the same cells, or the same ratio of rows to columns."""
    array = core.array
    columns = array.columns * rows // array.rows if same_shape else array.cells // rows
    columns = min(256, max(2, columns))
    least = (rows * array.mac_latency + columns + 2 - 1).bit_length()
    return replace(
        core, array=replace(array, rows=rows, columns=columns), accumulator_rows=max(core.accumulator_rows, 1 << least)
    )

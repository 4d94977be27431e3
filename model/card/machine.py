"""Plain numbers of a device under one reading of its facts and of the rules that are facts themselves."""

from dataclasses import dataclass

from hw.spec.core import CoreSpec
from hw.spec.number import number_format
from model.card.device import Device
from model.card.gpu_tiles import SHARED_BYTES
from model.card.layer_time import Machine
from model.card.links import Links
from model.card.power_clock import CLOCK_EXPONENT, MEMORY_SHARE, MULTIPLYING_SHARE, REST_SHARE
from model.card.rules import (
    CACHE_READ_EFFICIENCY,
    CHOICE_STEP,
    COLLECTIVE_START,
    DRAM_EFFICIENCY,
    HOST_SCORE,
    KERNEL_LAUNCH,
    LAYER_START,
    LINK_EFFICIENCY,
    LINK_STEP,
    MIXED_TRAFFIC,
    PCIE_EFFICIENCY,
    PCIE_FAR_SHARE,
    QUERY_HOST,
    SCORE_TRAFFIC,
    UNHIDDEN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """Values of the rules that are facts themselves (`model.card.rules`), and of the serving engine.

    Parameters
    ----------
    dram_efficiency : float
        Part of the published DRAM bandwidth that plain streams reach.
    mixed_traffic : float
        Speed of reads and writes mixed over that of plain reads.
    layer_start : float
        Seconds before each layer of products or of vector work.
    link_step : float
        Seconds of one step of a collective transfer beside those of its bytes.
    link_efficiency, pcie_efficiency : float
        Part of the published bandwidth that transfers reach: on cards' own links, and through the host's PCIe.
    pcie_far_share : float
        Part of the PCIe bandwidth that is left where more than 4 devices work together.
    collective_start : float
        Seconds before the first step of every transfer.
    cache_read : float
        Speed of reads of the key-value cache over that of a plain stream.
    query_host : float
        Seconds to hand a query to the card and see its end; not part of offline runs.
    kernel_launch : float
        Least seconds between the starts of kernels of a GPU that are launched one by one, in single queries.
    score_traffic, choice_step : float
        Bytes that a score of a detector moves; cycles from one of its boxes to the next (`selection`).
    unhidden : float
        Part of the shorter of arrays and memory that a GPU's kernel does not hide behind the longer.
    host_score : float
        Seconds of the host for each score, where it chooses the boxes of a single query.
    boxes_beside : bool
        Offline, boxes are sorted and compared on the host while the next run computes.
    by_row : bool
        A row of a convolution's kernel lies in one word (see `mapper.packed_depth`).
    additions : bool
        A product's output stage adds a residual (`fusion.fusions`).
    functions : "beside", "free" or "apart"
        How functions with exponentials behind a product run (`fusion.fusions`).
    depthwise : "faster" or "slower"
        Of arrays and vector engines, the one that takes products of few channels.
    loads_beside : bool
        Weights of a layer are loaded while the one before computes.
    stays : bool
        Weights that fit stay on the chip from run to run.
    rest_share, memory_power, clock_exponent, multiplying : float
        Of a chip whose clock the power limit sets (`power_clock`).
    engine_step, engine_per_sequence, engine_host, engine_stream, engine_wait : float or None
        Seconds in place of `step`, `per_sequence`, `host`, `stream` and `wait` of the `Engine`; None: its nominal
        values.
    """

    dram_efficiency: float = DRAM_EFFICIENCY.nominal
    mixed_traffic: float = MIXED_TRAFFIC.nominal
    layer_start: float = LAYER_START.nominal
    link_step: float = LINK_STEP.nominal
    link_efficiency: float = LINK_EFFICIENCY.nominal
    pcie_efficiency: float = PCIE_EFFICIENCY.nominal
    pcie_far_share: float = PCIE_FAR_SHARE.nominal
    collective_start: float = COLLECTIVE_START.nominal
    cache_read: float = CACHE_READ_EFFICIENCY.nominal
    query_host: float = QUERY_HOST.nominal
    kernel_launch: float = KERNEL_LAUNCH.nominal
    score_traffic: float = SCORE_TRAFFIC.nominal
    choice_step: float = CHOICE_STEP.nominal
    host_score: float = HOST_SCORE.nominal
    boxes_beside: bool = False
    unhidden: float = UNHIDDEN.nominal
    by_row: bool = False
    additions: bool = True
    functions: str = "beside"
    depthwise: str = "faster"
    loads_beside: bool = True
    stays: bool = True
    rest_share: float = REST_SHARE.nominal
    memory_power: float = MEMORY_SHARE.nominal
    clock_exponent: float = CLOCK_EXPONENT.nominal
    multiplying: float = MULTIPLYING_SHARE.nominal
    engine_step: float | None = None
    engine_per_sequence: float | None = None
    engine_host: float | None = None
    engine_stream: float | None = None
    engine_wait: float | None = None
    memory_share: float | None = None
    """Of the serving engine; None: its nominal values."""


NOMINAL = Extra()


def machine(
    device: Device,
    number: str,
    *,
    groups: int = 1,
    cards: int = 1,
    extra: Extra | None = None,
    loaded: bool = True,
    clock_share: float | None = None,
) -> Machine:
    """Nominal numbers of one of `groups` groups of `device`; `loaded`: all groups work, at the clock this leaves unless
    `clock_share` of that of the peaks is given."""
    extra = extra or NOMINAL
    core, cores = device.core, device.cores // groups
    share = clock_share or (device.sustained.nominal if loaded else 1.0)
    rate = device.rate(number) / groups * share
    if core is None:
        clock, scale = device.clock.nominal * 1e9 * share, 1.0
    else:
        clock = device.clock.nominal * 1e9
        scale = rate / (core.array.cells * cores * clock)
    # a word of wider numbers is as many times longer, as are the cycles it is used for
    width = device.fetch_width.nominal / (scale * _bytes(number) / _own_bytes(core) if core else 1.0)
    return Machine(
        core=core,
        cores=cores,
        clock=clock,
        rate=rate,
        format_scale=scale,
        fetch=min(width, 1e9) if core else 0.0,
        reuse=max(1, round(device.packet_reuse.nominal)),
        vector=device.vector_width.nominal * device.clock.nominal * 1e9 * share / groups,
        hop=device.hop_cycles.nominal * (cores if core else 1) / clock if core or device.units else 0.0,
        sram=device.sram.nominal / groups,
        dram=device.dram_bandwidth.nominal / (groups if loaded else 1) * extra.dram_efficiency,
        host=device.host_bandwidth.nominal / (groups if loaded else 1),
        links=Links(
            bandwidth=device.link_bandwidth.nominal
            * (extra.link_efficiency if device.own_links else extra.pcie_efficiency),
            switched=device.own_links,
            start=extra.collective_start,
            step=extra.link_step,
            far_share=extra.pcie_far_share,
        ),
        mixed=extra.mixed_traffic,
        by_row=extra.by_row,
        depthwise=extra.depthwise,
        loads_beside=extra.loads_beside,
        start=extra.layer_start,
        cards=cards,
        units=device.units // groups,
        port=device.unit_port.nominal * clock,
        shared=SHARED_BYTES * clock,
        number_bytes=_bytes(number),
        dataflows=round(device.dataflows.nominal),
        score_traffic=extra.score_traffic,
        choice_step=extra.choice_step,
        unhidden=extra.unhidden if device.units else 0.0,
        chosen="host" if device.boxes_on_host else "beside" if extra.boxes_beside and loaded else "here",
    )


def _bytes(number: str) -> float:
    return number_format(number).bits / 8


def _own_bytes(core: CoreSpec) -> float:
    return number_format(core.number).bits / 8

"""What a whole language model needs in crossbars: tiles, area, dies, idle power, links, writing, days to wear-out.

Per token every resident weight is used once; attention keeps its cache in ordinary memory beside the crossbars, since
its operands change with every token. Low and high take every input at its better and worse end.
"""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact
from model.network.language import LanguageModel

AREA_MM2_PER_MIB = Fact(
    nominal=4.88, low=4.09, high=14.9, unit="mm2/MiB", confidence="secondary",
    source="DNN+NeuroSim V1.4 (commit ac828e6), 22 nm, 2-bit cells: 4.1 to 4.9 at 256 x 256, 12.2 to 14.9 at 128 x 128",
)  # fmt: skip
DIE_MM2 = Fact(
    nominal=600, low=400, high=800, unit="mm2", confidence="assumed", source="usual dies; a reticle holds 858 mm2"
)
CONVERTER_LEAKAGE_UW = Fact(
    nominal=14.25, low=1.45, high=34.3, unit="uW", confidence="secondary",
    source="hwcomponents-adc 1.0.21, 8 bits: 22 nm at 10 MS/s and 100 MS/s, 32 nm at 100 MS/s",
)  # fmt: skip
AWAKE = Fact(
    nominal=0.2, low=0.02, high=1.0, unit="1", confidence="assumed",
    source="share of converters that are not switched off; layers run one after the other, so few need to be awake",
)  # fmt: skip
DIE_IDLE_W = Fact(
    nominal=1.0, low=0.2, high=5.0, unit="W", confidence="assumed",
    source="clock, links that stay trained and leakage of the logic of a die that is awake all the time",
)  # fmt: skip
LINK_PJ_PER_BIT = Fact(
    nominal=2.0, low=0.5, high=10.0, unit="pJ/bit", confidence="assumed",
    source="links within a package 0.5 to 2 pJ a bit, between boards 5 to 10",
)  # fmt: skip
CACHE_PJ_PER_BIT = Fact(
    nominal=5.0, low=3.5, high=7.0, unit="pJ/bit", confidence="assumed", source="DRAM reads, HBM to LPDDR"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellKind:
    """What writing a cell of a technology costs.

    Parameters
    ----------
    pulse_pj, pulse_ns, pulses, endurance : Fact
        Energy and time of a pulse, pulses with verification, pulses a cell lives.
    """

    pulse_pj: Fact
    pulse_ns: Fact
    pulses: Fact
    endurance: Fact


def _fact(low: float, nominal: float, high: float, unit: str, what: str) -> Fact:
    return Fact(low=low, nominal=nominal, high=high, unit=unit, confidence="assumed", source=what)


CELLS: dict[str, CellKind] = {
    "reram": CellKind(
        pulse_pj=_fact(0.5, 2, 10, "pJ", "reviews of filamentary cells, 1 to 3 V, 10 to 100 uA"),
        pulse_ns=_fact(20, 100, 500, "ns", "the same"),
        pulses=_fact(3, 8, 20, "1", "write and verify to 2 to 3 bits"),
        endurance=_fact(1e5, 1e6, 1e9, "1", "filamentary oxide cells, reviews"),
    ),
    "pcm": CellKind(
        pulse_pj=_fact(5, 20, 100, "pJ", "reviews of phase-change cells, RESET"),
        pulse_ns=_fact(50, 200, 500, "ns", "the same"),
        pulses=_fact(5, 15, 30, "1", "iterative programming to analogue levels"),
        endurance=_fact(1e6, 1e8, 1e9, "1", "phase-change cells, reviews"),
    ),
    "mram": CellKind(
        pulse_pj=_fact(0.1, 0.5, 2, "pJ", "spin-torque cells, foundry papers"),
        pulse_ns=_fact(5, 10, 50, "ns", "the same"),
        pulses=_fact(1, 1.2, 2, "1", "binary cells"),
        endurance=_fact(1e6, 1e10, 1e15, "1", "from automotive grade to cache grade"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """low <= nominal <= high.

    Parameters
    ----------
    low, high : float
        With every input at the end that makes the figure smallest, and largest.
    nominal : float
        With every input at its nominal value.
    """

    low: float
    nominal: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What a model needs.

    Parameters
    ----------
    tiles : int
        Tiles for all weights, INT8.
    mebibytes : float
        All weights at one byte each, in units of 2**20 bytes.
    area_mm2, dies : Range
        Silicon of the crossbars that hold them in square millimetres, and that over the area of a die, not rounded.
    idle_w : Range
        Leakage of converters, and what each die takes besides, whatever is computed.
    link_mj_per_token : Range
        Activations into and out of every layer, between dies.
    cache_mj_per_token : Range
        Keys and values of `context` tokens read from memory beside the crossbars.
    write_j, write_s : Range
        Writing the whole model once, `parallel` cells of each die at a time.
    wear_days : Range
        Until a cell has had its pulses, at `updates_per_day`.
    """

    tiles: int
    mebibytes: float
    area_mm2: Range
    dies: Range
    idle_w: Range
    link_mj_per_token: Range
    cache_mj_per_token: Range
    write_j: Range
    write_s: Range
    wear_days: Range


def _range(*facts: Fact, scale: float = 1.0) -> Range:
    low = nominal = high = scale
    for fact in facts:
        low, nominal, high = low * fact.minimum, nominal * fact.nominal, high * fact.maximum
    return Range(low=low, nominal=nominal, high=high)


def _moved(model: LanguageModel) -> float:
    """Numbers into and out of the matrices of a layer a token, of 16 bits each; of experts those a token takes."""
    share = model.experts_per_token / model.experts if model.experts > 1 else 1.0
    return sum(
        (m.rows + m.columns) * m.count * (share if m.count >= model.experts > 1 else 1.0)
        for m in model.typical.matrices(model.hidden)
    )


def _sum(a: Range, b: Range) -> Range:
    return Range(low=a.low + b.low, nominal=a.nominal + b.nominal, high=a.high + b.high)


def fleet(
    model: LanguageModel, spec: CrossbarSpec, cell: str, *, context: int = 1024, updates_per_day: float = 1.0,
    parallel: int = 1024,
) -> Fleet:  # fmt: skip
    """Everything `model` needs in tiles of `spec` with cells of kind `cell`; `InputError` for an unknown kind or an
    endurance that is spent before a day is over at the update rate."""
    if cell not in CELLS:
        raise InputError(f"cells must be one of {', '.join(CELLS)}, not {cell!r}; choose one")
    if updates_per_day <= 0 or context < 1 or parallel < 1:
        raise InputError(
            f"updates a day, context and parallel writes must be above 0, not {updates_per_day:g}, {context} and "
            f"{parallel}; change them"
        )
    kind, weights = CELLS[cell], model.parameters
    mebibytes = weights / 2**20
    area = _range(AREA_MM2_PER_MIB, scale=mebibytes)
    dies = Range(
        low=area.low / DIE_MM2.maximum, nominal=area.nominal / DIE_MM2.nominal, high=area.high / DIE_MM2.minimum
    )
    tiles = ceil_div(weights, spec.rows * spec.columns * spec.arrays)
    converters = tiles * spec.converters * (spec.array == "analogue")
    cells = tiles * spec.tile_cells
    moved_bits = model.layers * _moved(model) * 16
    cache_bits = 2 * model.layers * model.kv_heads * model.head_size * context * 8
    written = _range(kind.pulse_pj, kind.pulses, scale=cells * 1e-12)
    times = _range(kind.pulse_ns, kind.pulses, scale=cells * 1e-9 / parallel)
    wear = Range(
        low=kind.endurance.minimum / kind.pulses.maximum / updates_per_day,
        nominal=kind.endurance.nominal / kind.pulses.nominal / updates_per_day,
        high=kind.endurance.maximum / kind.pulses.minimum / updates_per_day,
    )
    if wear.nominal < 1:
        raise InputError(
            f"cells must last a day, {cell} at {updates_per_day:g} updates a day lasts {wear.nominal:.2g}; the "
            "endurance would be spent, update less often"
        )
    return Fleet(
        tiles=tiles,
        mebibytes=mebibytes,
        area_mm2=area,
        dies=dies,
        idle_w=_sum(
            _range(CONVERTER_LEAKAGE_UW, AWAKE, scale=converters * 1e-6),
            Range(
                low=dies.low * DIE_IDLE_W.minimum,
                nominal=dies.nominal * DIE_IDLE_W.nominal,
                high=dies.high * DIE_IDLE_W.maximum,
            ),
        ),
        link_mj_per_token=_range(LINK_PJ_PER_BIT, scale=moved_bits * 1e-9),
        cache_mj_per_token=_range(CACHE_PJ_PER_BIT, scale=cache_bits * 1e-9),
        write_j=written,
        write_s=Range(
            low=times.low / max(dies.high, 1), nominal=times.nominal / max(dies.nominal, 1),
            high=times.high / max(dies.low, 1),
        ),
        wear_days=wear,
    )  # fmt: skip


def describe(found: Fleet) -> list[str]:
    """One line per figure."""
    lines = [f"weights          {found.mebibytes:,.1f} MiB in INT8, {found.tiles:,} tiles"]
    for name, unit, value in (
        ("area", "mm2", found.area_mm2),
        ("dies", "", found.dies),
        ("idle power", "W, converters and dies", found.idle_w),
        ("links", "mJ a token", found.link_mj_per_token),
        ("cache", "mJ a token, memory beside the crossbars", found.cache_mj_per_token),
        ("writing once", "J", found.write_j),
        ("writing once", "s", found.write_s),
        ("wear-out", "days at the update rate", found.wear_days),
    ):
        lines.append(f"{name:<16} {value.nominal:,.4g} ({value.low:,.4g} to {value.high:,.4g}) {unit}".rstrip())
    return lines

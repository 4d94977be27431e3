"""The same cell in two libraries and three netlists: do netlists and operands rank alike?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hw.gates import library, streams, synthesis
from hw.gates.block import Block
from hw.rtl.npu.cell import Cell
from hw.spec.mac_array import MacArraySpec
from tb.gates.core import with_reset

CLASSES = ("random", "hot_channel", "sparse", "zeros")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One netlist of the INT8 cell in one library. `settled_pj` and `glitched_pj`: pJ per cycle by operand class.

    Parameters
    ----------
    library : str
        One of `hw.gates.library.NAMES`.
    recipe : str
        Way of synthesis, a key of `hw.gates.synthesis.RECIPES`.
    cells : int
        Library cells of the netlist, flip-flops among them.
    area_um2 : float
        Sum of their areas, um2.
    clock_ghz : float
        Highest clock its critical path allows, GHz.
    """

    library: str
    recipe: str
    cells: int
    area_um2: float
    clock_ghz: float
    settled_pj: dict[str, float]
    glitched_pj: dict[str, float]


def compare(names: tuple[str, ...], build: Path, seed: int) -> Iterator[Mapped]:
    """Every recipe in every library, on a tile of four rows and four columns of the array."""
    array = MacArraySpec(rows=4, columns=4)
    for name in names:
        process = library.load(name, build)
        for recipe, text in synthesis.RECIPES.items():
            block = Block(Cell(array), "cell_int8", process, build, text)
            settled, glitched = {}, {}
            for operands in CLASSES:
                given = with_reset(
                    block, streams.cell_streams(array, [streams.operand_class(operands, 128, 16, 4, seed)])
                )
                energy, glitches = block.measure(given, build)
                moving = energy.switching_fj + energy.internal_fj
                settled[operands] = energy.dynamic_fj / 1000
                glitched[operands] = (moving * glitches.mean + energy.clock_fj) / 1000
            yield Mapped(
                library=name,
                recipe=recipe,
                cells=len(block.netlist.instances),
                area_um2=block.netlist.area_um2,
                clock_ghz=block.timing.clock_ghz,
                settled_pj=settled,
                glitched_pj=glitched,
            )


def ranks(found: list[Mapped]) -> dict[str, list[list[str]]]:
    """By library: the recipes from least to most energy on random operands with glitches, then the operand classes of
    the first recipe likewise."""
    by_library: dict[str, list[list[str]]] = {}
    for name in dict.fromkeys(m.library for m in found):
        own = [m for m in found if m.library == name]
        by_library[name] = [
            [m.recipe for m in sorted(own, key=lambda m: m.glitched_pj["random"])],
            sorted(own[0].glitched_pj, key=own[0].glitched_pj.__getitem__),
        ]
    return by_library

"""A large unit to gates module by module: its direct submodules are mapped alone, equal ones once, then put together.

The netlist is that of the whole unit, registers included; nothing is optimised across the borders of those submodules.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.gates import clock_gating
from hw.gates.liberty import Library
from hw.rtl.emit.merge import merge

TOP = "top"
_BLOCKS = "blocks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A submodule of a unit: how often it is there, and cells, flip-flops and area of one. The unit's own logic is the
    part `TOP`.

    Parameters
    ----------
    name : str
        Of the module, without the unit's name before it and the number after it that tells equal ones apart.
    copies : int
        How often the unit's top has it; 1 for `TOP`.
    cells : int
        Library cells of one copy, flip-flops among them.
    flip_flops : int
        Sequential cells of one copy.
    area_um2 : float
        Sum of the cell areas of one copy, clock gates included, um2.
    """

    name: str
    copies: int
    cells: int
    flip_flops: int
    area_um2: float


def apart(rtlil: str, recipe: str) -> tuple[str, str]:
    """RTLIL with equal modules merged, and `recipe` that maps every direct submodule of `TOP` by itself."""
    modules = merge(rtlil, TOP)
    text = "\n".join(m.text for m in reversed(modules.values()))
    children = " ".join(sorted(set(modules[TOP].instances.values())))
    mapped, rest = recipe.split("rename -enumerate", 1)
    kept = mapped.replace(
        "hierarchy -top top\n", f"hierarchy -top top\nsetattr -mod -set keep_hierarchy 1 {children}\n"
    )
    return text, (
        f"{kept}write_json {_BLOCKS}\nsetattr -mod -unset keep_hierarchy {children}\nflatten\n"
        f"opt_clean -purge\ndelete t:$scopeinfo\nrename -enumerate{rest}"
    )


def parts(folder: Path, library: Library) -> tuple[Part, ...]:
    """What a unit mapped by `apart` consists of, the largest share of area first."""
    modules = json.loads((folder / _BLOCKS).read_text())["modules"]
    placed = Counter(c["type"] for c in modules[TOP]["cells"].values())
    found = [
        _part(name, placed.get(name, 1), body, modules, library)
        for name, body in modules.items()
        if name == TOP or (name in placed and name != clock_gating.CELL)
    ]
    return tuple(sorted(found, key=lambda p: -p.copies * p.area_um2))


def _part(name: str, copies: int, body: Mapping[str, Any], modules: Mapping[str, Any], library: Library) -> Part:
    own = {n: c for n, c in body["cells"].items() if c["type"] not in modules or c["type"] == clock_gating.CELL}
    cells = [library.cell(c["type"]) for c in own.values() if c["type"] != clock_gating.CELL]
    gates = clock_gating.read(own, library)
    # equal modules are called after one of them
    name = re.sub(r"_\d+$", "", name.removeprefix(f"{TOP}_"))
    return Part(
        name=name,
        copies=copies,
        cells=len(cells),
        flip_flops=sum(c.sequential for c in cells),
        area_um2=sum(c.area_um2 for c in cells) + sum(g.area_um2 for g in gates),
    )

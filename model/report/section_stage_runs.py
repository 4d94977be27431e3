"""One language model on the machines of the three stages, as a table."""

from model.crossbar.stages import StageRun
from model.energy.price import Interval
from model.report.section_type import Section, say

PARTS = ("DRAM", "core", "vector unit", "shared memory", "crossbars")
"""Parts of the energy, one column each."""


def stage_run_sections(rows: list[StageRun]) -> list[Section]:
    """One table, a row for each machine and one more for each further setting of cells; none without rows."""
    if not rows:
        return []
    table: list[tuple[str, ...]] = [
        (
            "stage",
            "machine",
            "tokens",
            "cycles a token",
            "uJ a token",
            *(f"{part}, uJ" for part in PARTS),
            "bits a character",
        )
    ]
    shown: set[str] = set()
    for row in rows:
        first, *others = [pair for pair in row.bits_per_character if pair[0] not in shown] or [("", ())]
        shown |= {title for title, _ in row.bits_per_character if row.stage == 3}
        table.append(
            (
                f"stage {row.stage}",
                row.title,
                "those of stage 1" if row.same_text else "others",
                f"counted {row.run.cycles_per_token:,.0f}",
                _range(row.total_j),
                *(_range(row.energy_j[part]) if part in row.energy_j else "-" for part in PARTS),
                _bits(*first) if first[1] else "as above",
            )
        )
        table += [("", title, *["-"] * (3 + len(PARTS)), _bits(title, values)) for title, values in others]
    return [
        Section(
            title="One language model on stages 1 to 3: the same prompt and text",
            rows=tuple(table),
            notes=(
                say(
                    "Cycles are measured on the RTL of every machine at one clock, every tensor equal to its "
                    "reference. Energy is priced: counted events times energies, lowest to highest source; DRAM by "
                    "published sources; core, vector unit and shared memory by this design's gates and published "
                    "memories at the node of those gates (highest) and what a newer node makes of them."
                ),
                say(
                    "Stage 3 is a hypothesis in its converters, cells and wires, and only there: its digital part, its "
                    "cycles and its text are of RTL. Left out in every stage: control and clock of waiting units, "
                    "host. Keys, values and the embedding stay in DRAM in all three."
                ),
            ),
        )
    ]


def _range(joules: Interval) -> str:
    return f"priced {joules.nominal * 1e6:.3g} ({joules.low * 1e6:.3g} to {joules.high * 1e6:.3g})"


def _bits(title: str, values: tuple[float, ...]) -> str:
    mean = sum(values) / len(values)
    spread = f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""
    return f"{mean:.4f}{spread}, {title}" if title else f"{mean:.4f}{spread}"

"""A count of cycles beside those of other simulators, as JSON types and as lines for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.comparison.comparison import OtherCount, Work
from model.cycle.budget import Budget
from model.other_simulators import Dataflow
from model.work.workload import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What was counted, on which array, by us and by the others.

    Parameters
    ----------
    work : sequence of (Gemm or Convolution, int)
        Each layer and how often it occurs.
    rows, columns : int
        Cells of the array each way.
    dataflow : Dataflow
        Operand that stays in the cells: weights "ws", outputs "os", inputs "is".
    ours : Budget or None
        Our cycles by the common labels; None where no such core is built.
    labels : mapping of str to int
        The same cycles by the core's own labels; empty without `ours`.
    products_per_cell : int
        Products a cell makes in a cycle: 2 with INT4 pairs, else 1.
    others : sequence of OtherCount
        Count of every other simulator.
    notes : sequence of str
        Sentences on how it was counted and what was left out.
    """

    work: Sequence[tuple[Work, int]]
    rows: int
    columns: int
    dataflow: Dataflow
    ours: Budget | None
    labels: Mapping[str, int]
    products_per_cell: int
    others: Sequence[OtherCount]
    notes: Sequence[str]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers, no padding."""
        return sum((item if isinstance(item, Gemm) else item.gemm()).macs * times for item, times in self.work)

    @property
    def layers(self) -> int:
        """Layers, repeated ones each time."""
        return sum(times for _, times in self.work)

    @property
    def utilisation(self) -> float | None:
        """MACs per cycle over what the cells can do."""
        if self.ours is None:
            return None
        return self.macs / (self.rows * self.columns * self.products_per_cell * self.ours.cycles)


def as_json(count: Count) -> dict[str, Any]:
    """The count as JSON types: our cycles and budget, then name -> figure of every other simulator."""
    return {
        "rows": count.rows,
        "columns": count.columns,
        "dataflow": count.dataflow,
        "layers": count.layers,
        "macs": count.macs,
        "cycles": None if count.ours is None else count.ours.cycles,
        "utilisation": count.utilisation,
        "budget": {} if count.ours is None else count.ours.as_dict(),
        "labels": dict(count.labels),
        "others": {c.name: None if c.estimate is None else c.estimate.cycles for c in count.others},
        "reported": {c.name: None if c.estimate is None else c.estimate.reported for c in count.others},
        "terms": {
            c.name: None
            if c.estimate is None
            else [{"name": t.name, "label": t.label, "cycles": t.cycles} for t in c.estimate.terms]
            for c in count.others
        },
        "difference": {
            c.name: None
            if c.difference is None
            else {
                "cycles": c.difference.cycles,
                "label": c.difference.label,
                "label_cycles": c.difference.label_cycles,
                "reason": c.difference.reason,
            }
            for c in count.others
        },
        "remarks": {c.name: c.note for c in count.others},
        "notes": list(count.notes),
    }


def render(count: Count) -> str:
    """The count for people."""
    lines = [
        f"{count.macs:,} MACs in {count.layers} layer(s) on {count.rows} x {count.columns}, {count.dataflow}",
        *count.notes,
    ]
    if count.ours is not None and count.utilisation is not None:
        lines.append(f"cycles       {count.ours.cycles:>16,}   utilisation {100 * count.utilisation:.2f} %")
        lines += [f"  {label:<10} {cycles:>16,}" for label, cycles in count.ours.as_dict().items() if cycles]
    lines.append("others, ideal memory")
    lines += [_line(item) for item in count.others]
    lines.append("remarks")
    lines += [f"  {item.name:<10} {item.note}" for item in count.others if item.estimate is not None and item.note]
    return "\n".join(lines)


def _line(item: OtherCount) -> str:
    if item.estimate is None:
        return f"  {item.name:<10} {'-':>16}   cannot express it"
    text = f"  {item.name:<10} {item.estimate.cycles:>16,}"
    if item.estimate.report_offset:
        text += f"   (prints {item.estimate.reported:,})"
    if item.difference is not None:
        gap = item.difference
        text += f"   {gap.cycles:+,}"
        if gap.label is not None:
            text += f", of it {gap.label_cycles:+,} {gap.label}: {gap.reason}"
    return text

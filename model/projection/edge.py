"""The programme's edge chips and their service: images recognised at the camera, per watt, against the site.

The edge carries no network, no server and no building: its module alone stands here, which is named in the note. What a
camera sends to a site instead is not priced.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.chip import Chip
from model.projection.figure import Figure, from_fact, from_range
from model.record import Measurement

PARTICIPANTS = ("deepx_dx_m1", "telechips_dolphin5", "telechips_n_dolphin")
"""Chips of the edge makers that the announcement of the programme names, DEEPX and Telechips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge chip in its service.

    Parameters
    ----------
    name : str
        Its file in `hw/chips`.
    rate : Figure
        Images per second, ResNet-50 in INT8.
    per_joule : Figure
        Images per joule of the module.
    over_site : Figure
        That over the images per joule of the first site at the wall.
    """

    name: str
    rate: Figure
    per_joule: Figure
    over_site: Figure

    @property
    def all(self) -> tuple[Figure, ...]:
        """Every named figure."""
        return (self.rate, self.per_joule, self.over_site)


def edge_chips(
    chips: Mapping[str, Chip], records: Mapping[str, Measurement], images: Figure, wall_kw: Figure
) -> tuple[Edge, ...]:
    """The participants that have a record of the chip model; `images` per second and `wall_kw` are the first site's."""
    found = []
    for name in PARTICIPANTS:
        if name not in chips or name not in records or "tdp" not in chips[name].facts:
            continue
        record = records[name]
        start, run = f"edge.{name}", f"record.{name}.{record.result.workload}"
        rate = (from_range(f"{run}.per_second", "images/s", record, "figures.per_second") * 1).named(
            f"{start}.images_per_s", "images/s", "ResNet-50 offline, INT8, chip model"
        )
        per_joule = (rate / from_fact(f"card.{name}.tdp", chips[name].facts["tdp"])).named(
            f"{start}.images_per_j", "images/J", "module at its design power, without the camera's own processor"
        )
        over = (per_joule / (images / wall_kw / 1e3)).named(
            f"{start}.over_site", "1", "over the site's images per joule at the wall"
        )
        found.append(Edge(name=name, rate=rate, per_joule=per_joule, over_site=over))
    return tuple(found)

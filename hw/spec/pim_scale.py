"""A PIM device made smaller: fewer banks and units for fast RTL, everything else as it is."""

import dataclasses

from hw.spec.pim import PimSpec


def scaled(spec: PimSpec, *, bank_groups: int, banks_per_group: int) -> PimSpec:
    """`spec` with so many banks and the units that belong to them; mode changes need only the banks that are left."""
    organisation = dataclasses.replace(
        spec.dram.organisation, bank_groups=bank_groups, banks_per_group=banks_per_group)
    changes = tuple(
        dataclasses.replace(change, banks=tuple(b for b in change.banks if b < organisation.banks))
        for change in spec.mode_changes
    )
    return dataclasses.replace(
        spec, title=f"{spec.title}, {organisation.banks} banks",
        dram=dataclasses.replace(spec.dram, organisation=organisation),
        units=organisation.banks // spec.banks_per_unit, mode_changes=changes,
    )

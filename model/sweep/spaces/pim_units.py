"""Units beside the banks of an HBM-PIM channel on the digits: how many banks share one, and how wide a unit is."""

from model.sweep.space import Space

SPACE = Space(
    title="units of an HBM-PIM channel, one for every one to four banks, on the digits network",
    subject="machine",
    base={"chip": "hbm_pim", "workload": "digits_float_4"},
    axes={"units": [4, 8, 16], "banks_per_unit": [1, 2, 4]},
    constraints=("units * banks_per_unit == 16",),
    objectives={"seconds": "min", "energy_j": "min", "units": "min"},
)

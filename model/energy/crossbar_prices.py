"""Prices of what a crossbar core counted: one table for each source of converter energy, the rest with its range."""

from hw.base.error import InputError
from hw.spec.crossbar import CrossbarSpec
from hw.spec.fact import Fact
from hw.spec.machine import Machine
from model.crossbar.adc import MODELS, adc_model
from model.crossbar.energy import PRICES
from model.energy.price import Energy, price
from model.energy.table import EnergyTable
from model.record import Measurement, Result

PREFIX = "crossbar_"
MEAN_CONDUCTANCE = (0.1, 0.25, 0.5)
"""Mean conductance of a column's cells over the largest: low, nominal and high; trained weights lie low."""

LEADING = "survey_fit"
"""The source that leads: through the low edge of measured converters, at one node."""


def names() -> list[str]:
    """Names of all tables, the leading one first."""
    return [PREFIX + name for name in sorted(MODELS, key=lambda name: (name != LEADING, list(MODELS).index(name)))]


def table(name: str, machine: Machine) -> EnergyTable:
    """The table called `name` ("crossbar_" and a converter model) as energies of the events of `machine`."""
    if not isinstance(machine, CrossbarSpec):
        raise InputError(f"energy table {name!r} prices crossbar cores, not a machine of kind {machine.kind!r}")
    model = adc_model(name.removeprefix(PREFIX))
    analogue = machine.array == "analogue"
    low, nominal, high = (PRICES[corner] for corner in ("low", "nominal", "high"))
    corners = tuple(zip((low, nominal, high), MEAN_CONDUCTANCE, strict=True))
    source = "model.crossbar.energy: Horowitz, ISSCC 2014, at 22 to 45 nm; cells of 100, 20 and 1.3 kOhm"

    def fact(values: list[float], note: str = source) -> Fact:
        return Fact(nominal=values[1], low=values[0], high=values[2], unit="pJ", confidence="inferred", source=note)

    cell_columns = machine.physical_columns * machine.cells_per_column
    per_cell = [c.read_v**2 / c.cell_ohm * c.read_ns * 1e3 * mean for c, mean in corners]
    energies = {
        "array.wordline_toggle": fact([cell_columns * c.wordline_fj_per_cell / 1e3 for c, _ in corners]),
        "array.plane": fact([machine.rows * c.driver_fj_per_row / 1e3 for c, _ in corners]),
        "digital.shift_add": fact([c.shift_add_fj / 1e3 for c, _ in corners]),
        "digital.merge": fact([c.merge_fj / 1e3 for c, _ in corners]),
        "digital.tile_add": fact([c.tile_add_fj / 1e3 for c, _ in corners]),
        "output_stage.requantise": fact([c.requantise_fj / 1e3 for c, _ in corners]),
        "buffer.read": fact([machine.lanes * c.buffer_fj_per_byte / 1e3 for c, _ in corners]),
        "buffer.write": fact([machine.lanes * c.buffer_fj_per_byte / 1e3 for c, _ in corners]),
        "parameter_memory.read": fact([machine.lanes * 9 * c.buffer_fj_per_byte / 1e3 for c, _ in corners]),
    }
    if analogue:
        energies["array.conversion"] = fact([model.energy_pj(machine.adc_bits)] * 3, model.source)
        energies["array.wordline_active"] = fact([machine.physical_columns * each for each in per_cell])
    else:
        # a tree of rows - 1 adders
        energies["array.conversion"] = fact([machine.rows * c.tree_add_fj / 1e3 for c, _ in corners])
    return EnergyTable(
        title=f"converters: {model.name}" if analogue else "adder trees, no converters",
        kind="published",
        node_nm=model.node_nm or 22,
        energies=energies,
        error=Fact(nominal=0.3, unit="1", confidence="assumed", source="as the published tables of the NPU core"),
        leaves_out="wires between tiles, clock, leakage of the periphery, writing of weights, host",
    )


def prices(
    chip_name: str, machine: Machine, result: Result, random: Measurement | None
) -> tuple[list[tuple[str, Energy]], list[str]]:
    """(table, energy) by every source of converter energy, one alone if there are no converters."""
    assert isinstance(machine, CrossbarSpec)
    chosen = names() if machine.array == "analogue" else names()[:1]
    return [(name, price(result.counts, table(name, machine))) for name in chosen], []


TABLES = tuple(names())
"""All tables of crossbars, the leading one first."""

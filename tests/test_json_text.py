"""JSON that users give: a field twice, numbers and nests without end, in chips, models, records and requests."""

import json
from pathlib import Path

import pytest

from hw import chips
from hw.base import json_text
from hw.base.error import InputError
from model import record
from model.language.config import read_config as read_decoder
from model.network.llm import read_config
from model.serving.load import Trace
from tests.test_record import a_measurement

DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000
LONG = '{"a": ' + "9" * 6_000 + "}"


def test_a_field_given_twice_is_named() -> None:
    with pytest.raises(InputError, match="must be there once, not 'b' twice"):
        json_text.loads('{"a": {"b": 1, "c": 2, "b": 3}}')
    assert json_text.loads('{"a": [{"b": 1}, {"b": 2}]}') == {"a": [{"b": 1}, {"b": 2}]}


@pytest.mark.parametrize("text", [DEEP, LONG, "[" * 100_000, '{"a": 1, "a": 2}', "{", "", "\x00", "nul"])
def test_every_reader_says_it_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    for read in (lambda p: chips.load(str(p)), read_config, read_decoder, record.read):
        with pytest.raises(InputError) as caught:
            read(path)
        assert "mine" in str(caught.value)
        assert "\n" not in str(caught.value)
    lines = tmp_path / "requests.jsonl"
    lines.write_text(text + "\n")
    with pytest.raises(InputError):
        list(Trace(lines))


def test_a_record_with_a_field_twice_is_not_read(tmp_path: Path) -> None:
    path = record.write(a_measurement(), tmp_path / "a.json")
    text = path.read_text()
    cycles = json.loads(text)["result"]["cycles"]
    path.write_text(text.replace(f'"cycles": {cycles},', f'"cycles": 900, "cycles": {cycles},', 1))
    with pytest.raises(InputError, match="'cycles' twice"):
        record.read(path)

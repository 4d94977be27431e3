"""What a catalogue's entry says of itself in words is what it holds: sizes, images, tokens, sequences, cards."""

import re

import pytest

from model import workloads
from model.network.workload import NetworkWorkload
from model.sweep import space_file, spaces
from model.work.decoder_workload import DecoderWorkload
from model.work.random_gemm import RandomGemms

NAMES = workloads.names()


def _count(text: str, before: str) -> int | None:
    """The number before a word: "1,024 tokens" -> 1024, "one of 8 cards" -> 8."""
    found = re.search(rf"([\d,]+) {before}\b", text)
    if found is not None:
        return int(found[1].replace(",", ""))
    return 1 if re.search(rf"\bone (?:\S+ x \S+ )?{before[:-1]}\b", text) else None


@pytest.mark.parametrize("name", [n for n in NAMES if re.fullmatch(r"gemm_\d+(_[a-z]+\d+)?", n)])
def test_a_square_product_has_the_size_of_its_name(name: str) -> None:
    size = int(name.split("_")[1])
    workload = workloads.load(name)
    assert isinstance(workload, RandomGemms)
    assert [(gemm.m, gemm.n, gemm.k) for gemm in workload.gemms()] == [(size, size, size)]
    assert workload.title.startswith(f"{size} x {size} x {size} ")
    assert workload.activation_format.startswith((*name.split("_")[2:], "int8")[0])


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(workloads.load(n), NetworkWorkload)])
def test_a_network_gives_what_its_title_says(name: str) -> None:
    workload = workloads.load(name)
    assert isinstance(workload, NetworkWorkload)
    step = workload.language
    if step is None:
        assert workload.work.get("images", workload.work.get("sequences")) == 1
        return
    assert step.cards == (_count(workload.title, "cards") or 1)
    assert step.tokens == _count(workload.title, "tokens")
    assert step.phase in name
    if step.phase == "decode":
        assert step.batch == _count(workload.title, "sequences")
    assert workload.work["tokens"] == (step.tokens if step.phase == "prefill" else step.batch)


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(workloads.load(n), "images")])
def test_a_set_of_digits_has_as_many_images_as_its_title_says(name: str) -> None:
    workload = workloads.load(name)
    assert getattr(workload, "images", 0) == _count(workload.title, "handwritten digits")


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(workloads.load(n), DecoderWorkload)])
def test_a_decoder_reads_and_generates_as_many_tokens_as_its_title_says(name: str) -> None:
    workload = workloads.load(name)
    assert isinstance(workload, DecoderWorkload)
    assert workload.tokens == _count(workload.title, "tokens")
    behind = re.search(r"prompt of (\d+)", workload.title)
    if behind is not None:
        assert len(workload.decoding().prompt) == int(behind[1])


@pytest.mark.parametrize("name", spaces.names())
def test_what_is_wired_in_powers_of_two_is_explored_in_powers_of_two(name: str) -> None:
    # memories are addressed whole, and the heads of a language model are split evenly over the cards
    space = space_file.load(name)
    for axis in ("cards", "memory_words", "banks"):
        for value in space.axes.get(axis, ()):
            assert isinstance(value, int), axis
            assert value.bit_count() == 1, f"{axis} of {name} has {value}"

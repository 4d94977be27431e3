"""What a channel did against what the model says: the first difference, in one sentence."""

from collections.abc import Sequence

import numpy as np

from hw.spec.pim import PimSpec
from tb.dram_pim.driver import Answer, PimDriver
from tb.dram_pim.random import Cells, Expected, to_integer


def same_answer(where: str, expected: Expected, answer: Answer) -> None:
    """Refusals, words read, sticky error and counters."""
    for command, wanted, got in zip(expected.commands, expected.reasons, answer.reasons, strict=True):
        assert wanted == got, f"{where}: {command} must be answered {wanted}, not {got}"
    same_words(where, expected.words, answer.words)
    assert answer.error == expected.first_error, f"{where}: sticky error {answer.error}, not {expected.first_error}"
    counts = {name: expected.counts[name] for name in answer.counts}
    assert answer.counts == counts, f"{where}: counts {answer.counts}, not {counts}"


def same_words(where: str, expected: Sequence[int], words: Sequence[int]) -> None:
    """Words read, in order."""
    assert len(expected) == len(words), f"{where}: {len(words)} words were read, not {len(expected)}"
    for i, (wanted, got) in enumerate(zip(expected, words, strict=True)):
        assert wanted == got, f"{where}: word {i} read is {got:#x}, not {wanted:#x}"


def same_registers(where: str, name: str, file: object, words: np.ndarray) -> None:
    """A `RegisterFile` against integers."""
    held = int(file.held.value)  # type: ignore[attr-defined]
    for i, want in enumerate(words.tolist()):
        got = file.words[i].value.to_unsigned() if held >> i & 1 else 0  # type: ignore[attr-defined]
        assert got == want, f"{where}: {name}[{i}] is {got:#x}, not {want:#x}"


def same_cells(driver: PimDriver, cells: Cells, spec: PimSpec) -> None:
    """Every row that was touched."""
    columns = spec.dram.organisation.columns
    for (bank, row), words in cells.items():
        array = driver.cells(bank)
        for column, word in enumerate(np.asarray(words)):
            got, want = array[row * columns + column].value.to_unsigned(), to_integer(word)
            assert got == want, f"bank {bank} row {row} column {column} holds {got:#x}, not {want:#x}"


def fill_cells(driver: PimDriver, cells: Cells, spec: PimSpec) -> None:
    """Put rows into the banks by back door."""
    from cocotb.types import LogicArray

    columns = spec.dram.organisation.columns
    for (bank, row), words in cells.items():
        array = driver.cells(bank)
        for column, word in enumerate(np.asarray(words)):
            array[row * columns + column].value = LogicArray.from_unsigned(to_integer(word), driver.width)

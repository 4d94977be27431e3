"""What the benches of both PIM devices do alike: which chips they take, the player they drive, random streams."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.kind import load
from hw.spec.pim import ERRORS, PimSpec
from tb.bench.bench import Bench
from tb.dram_pim.checker import broken_rules
from tb.dram_pim.compare import fill_cells, same_answer, same_cells
from tb.dram_pim.driver import PimDriver
from tb.dram_pim.held import Held
from tb.dram_pim.player import PimPlayer
from tb.dram_pim.random import Cells

NAMES = {code: name for name, code in ERRORS.items()}

STREAM_LENGTH = 120
"""Legal commands of one random stream."""


def spec_of(chip: Chip, kind: str) -> PimSpec:
    """The PIM device of `chip`; `InputError` naming the chips whose device is of `kind` unless it is."""
    spec = chip.pim
    if spec is None or spec.kind != kind:
        known = [name for name in chips.with_machine(PimSpec) if chips.load(name).kind.name == kind]
        raise InputError(
            f"the {kind} bench needs a chip with an {load(kind).title}, {chip.title!r} has none; choose one of "
            f"{', '.join(known)}"
        )
    return spec


@cache
def _player(chip_name: str, player: Callable[[Chip], PimPlayer]) -> PimPlayer:
    return player(chips.load(chip_name))


def opened(bench: Bench, player: Callable[[Chip], PimPlayer]) -> tuple[PimSpec, PimDriver]:
    """The device of the bench's chip, and a driver on its channel; `player` builds the top of the design."""
    chip_name = bench.parameters["chip"]
    top = _player(chip_name, player)
    return top.channel.spec, PimDriver(bench, top)


async def random_streams(
    bench: Bench,
    driver: PimDriver,
    spec: PimSpec,
    given: Cells,
    walk_of: Callable[[Cells], Any],
    compare: Callable[[str, Any], None],
) -> None:
    """As many random streams as the bench's parameters say: answers, mode, registers (`compare`) and, at the end,
    cells as the model has them; accepted commands by the rule table alone.

    Before every fourth stream the one before is played once more, and a reset ends it on the way. Rows are what the
    cells hold, those `given` excepted, which are put there. `walk_of` begins a stream on the rows it is handed.
    """
    timing = spec.dram.resolve()
    resets, stopped = np.random.default_rng(bench.seed), 0

    def held() -> Held:
        rows = Held(spec, [driver.cells(bank) for bank in range(spec.dram.organisation.banks)], bench.rng)
        rows.update({key: words.copy() for key, words in given.items()})
        fill_cells(driver, given, spec)
        return rows

    cells = held()
    commands = accepted = 0
    refused: Counter[str] = Counter()
    events: Counter[str] = Counter()
    streams = int(bench.parameters.get("streams", 20))
    finish = 1
    for number in range(streams):
        if number % 4 == 3:
            same_cells(driver, cells, spec)
            await driver.stopped(int(resets.integers(1, finish)))
            stopped += 1
            cells = held()
        walk = walk_of(cells)
        expected = walk.stream(STREAM_LENGTH)
        answer = await driver.play(expected.commands)
        finish, where = answer.finish, f"stream {number}"
        same_answer(where, expected, answer)
        assert spec.modes[answer.mode] == walk.device.mode, f"{where}: mode {answer.mode}, not {walk.device.mode}"
        compare(where, walk)
        broken = broken_rules(timing, spec.dram.organisation, expected.accepted)
        assert not broken, f"{where}: {broken[0]}"
        commands += len(expected.commands)
        accepted += len(expected.accepted)
        refused.update(NAMES[r] for r in expected.reasons if r)
        events += expected.counts
    same_cells(driver, cells, spec)
    bench.report(
        streams=streams,
        commands=commands,
        accepted=accepted,
        refused=dict(refused),
        events=dict(events),
        stopped=stopped,
    )

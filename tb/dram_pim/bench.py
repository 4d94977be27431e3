"""What the benches of both PIM devices do alike: which chips they take, the player they drive, random streams."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from hw import chips
from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.kind import load
from hw.spec.pim import ERRORS, PimSpec
from tb.bench.bench import Bench
from tb.dram_pim.checker import broken_rules
from tb.dram_pim.compare import clear_cells, same_answer, same_cells
from tb.dram_pim.driver import PimDriver
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
    spec, driver = top.channel.spec, PimDriver(bench, top)
    if bench.parameters.get("clear_cells"):  # a stream may read what nobody has written; the models take that as zero
        clear_cells(driver, spec)
    return spec, driver


async def random_streams(
    bench: Bench,
    driver: PimDriver,
    spec: PimSpec,
    cells: Cells,
    walk_of: Callable[[], Any],
    compare: Callable[[str, Any], None],
) -> None:
    """As many random streams as the bench's parameters say: answers, mode, registers (`compare`) and, at the end,
    `cells` as the model has them; accepted commands by the rule table alone. `walk_of` begins a stream."""
    timing = spec.dram.resolve()
    commands = accepted = 0
    refused: Counter[str] = Counter()
    events: Counter[str] = Counter()
    streams = int(bench.parameters.get("streams", 20))
    for number in range(streams):
        walk = walk_of()
        expected = walk.stream(STREAM_LENGTH)
        answer = await driver.play(expected.commands)
        where = f"stream {number}"
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
    bench.report(streams=streams, commands=commands, accepted=accepted, refused=dict(refused), events=dict(events))

"""A crossbar unit among other units: cycles, labels and events of a descriptor in closed form."""

from dataclasses import dataclass, field

from hw.spec.command import unpack
from hw.spec.crossbar_event import LABELS
from hw.spec.crossbar_unit import PRODUCT_FIELDS, UNIT_EVENTS, UNIT_LABELS, CrossbarUnitSpec
from model.count import Counts
from model.cycle.crossbar.closed_form import layer_form


@dataclass(slots=True)
class CrossbarPort:
    """One unit; it has one descriptor at a time, so that its times add up.

    Parameters
    ----------
    spec : CrossbarUnitSpec
        What the unit was built for.
    labels : dict
        Label of `UNIT_LABELS` -> cycles so far, without those in which it was idle.
    events : dict
        Event of `UNIT_EVENTS` -> how often so far.
    core_labels : dict
        Label of the tiles' core -> cycles so far.
    core_events : Counts
        Events of the core that shapes decide, so far.
    """

    spec: CrossbarUnitSpec
    labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNIT_LABELS, 0))
    events: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNIT_EVENTS, 0))
    core_labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))
    core_events: Counts = field(default_factory=Counts)

    def run(self, word: int, taken: int) -> tuple[int, int]:
        """Of a descriptor taken in cycle `taken`: the cycle in which it ends or is refused, and its code or 0.

        Checked in the next cycle; then `words` cycles of looking; then for each command one cycle that sends it, the
        core's busy cycles, which begin a cycle later, and one that stores the last word.
        """
        self.labels["prepare"] += 1
        code = self.spec.refusal(word)
        if code:
            self.events["refuse"] += 1
            return taken + 1, code
        f, commands = unpack(PRODUCT_FIELDS, word), self.spec.commands(word)
        running = 0
        for command in commands:
            timing = layer_form(self.spec.core, command)
            running += timing.cycles
            self.core_events = self.core_events + timing.counts
            for label, cycles in timing.budget.items():
                self.core_labels[label] += cycles
        self.labels["prepare"] += len(commands)
        self.labels["scan"] += f["words"]
        self.labels["run"] += running
        self.labels["store"] += len(commands)
        done = {
            "scan": f["words"],
            "align": f["words"] * len(commands),
            "store": f["outputs"],
            "command": len(commands),
            "descriptor": 1,
        }
        for event, number in done.items():
            self.events[event] += number
        return taken + 1 + f["words"] + 2 * len(commands) + running, 0

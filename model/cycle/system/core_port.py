"""The stepped model of the core among other units: descriptors arrive when a router offers them."""

from hw.spec.core import CoreSpec
from model.cycle.npu.program.equal_cycles import take_equal_cycles
from model.cycle.npu.program.state import Item
from model.cycle.npu.program.weight_stationary_program import WeightStationaryRun


class CorePort(WeightStationaryRun):
    """One core. `now`: the next cycle to step."""

    def __init__(self, core: CoreSpec) -> None:
        super().__init__(core, (), {})
        self.now = 0

    @property
    def done(self) -> int:
        """Descriptors that have ended or were refused before `now`."""
        return self.accepted - self.unfinished

    @property
    def active(self) -> bool:
        """Something may change in the next cycle by itself."""
        return bool(self.unfinished or self.given or self.queue or self.head is not None)

    def offer(self, item: Item) -> None:
        """`item` is offered from this cycle on, until it is accepted."""
        self.given.append(item)

    def idle_until(self, cycle: int) -> None:
        """Let cycles pass in which it has nothing to do."""
        self.hold = max(0, self.hold - (cycle - self.now))
        self.now = cycle

    def advance(self, horizon: int) -> None:
        """One cycle, or several equal ones, at most up to `horizon`, from which on something may be offered."""
        self.cycle, self.horizon = self.now, horizon
        if not self.look():
            raise AssertionError("a core with descriptors always has a next cycle")
        if self.move() and horizon > self.cycle and not self.given:
            take_equal_cycles(self)
        self.now = self.cycle

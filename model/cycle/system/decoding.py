"""When a lowered decoder does what: the stepped model of its program, step by step."""

from dataclasses import dataclass

from model.cycle.system.run import SystemRun, SystemTiming
from model.functional.vector_unit import SystemVectorUnit
from model.lowering.decoder.lower import Lowered
from model.work.decoding import timing_of, vector_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingTiming:
    """What the model says of a program.

    Parameters
    ----------
    timing : SystemTiming
        What the whole run took.
    ends : list of int
        Cycle of the run in which each step's last descriptor ended.
    """

    timing: SystemTiming
    ends: list[int]


def predict_decoding(lowered: Lowered, answer: list[int] | None = None) -> DecodingTiming:
    """Step the program. Which tokens are generated decides which bank an embedding is read from; `answer` says it, else
    token 0 is taken."""
    pointers = iter([*lowered.prompt, *(answer or [])])
    run = SystemRun(
        lowered.spec,
        timing_of(lowered.spec),
        lowered.program,
        vector=SystemVectorUnit(vector_spec(lowered.spec)),
        pointed=lambda _: next(pointers, 0),
    ).run()
    return DecodingTiming(timing=run, ends=[run.ended["vector"][step.ended.count - 1] for step in lowered.steps])

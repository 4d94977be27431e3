"""When a lowered decoder does what: the stepped model of its program, step by step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from model.cycle.system.controller import Issued
from model.cycle.system.run import SystemRun, SystemTiming
from model.functional.vector_unit import SystemVectorUnit
from model.lowering.decoder.lowered import Lowered
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


def predict_decoding(
    lowered: Lowered,
    answer: list[int] | None = None,
    *,
    vector: SystemVectorUnit | None = None,
    watch: Callable[[Issued], None] | Mapping[str, Callable[[Issued], None]] = lambda _: None,
) -> DecodingTiming:
    """Step the program. Which tokens are generated decides which bank an embedding is read from; `answer` says it, else
    token 0 is taken. `vector` is given to read its events afterwards, `watch` gets every command of the channels (by
    unit: of each). Embeddings, all that is pointed at, lie in the first channel."""
    pointers = iter([*lowered.prompt, *(answer or [])])
    run = SystemRun(
        lowered.spec,
        timing_of(lowered.spec),
        lowered.program,
        vector=vector or SystemVectorUnit(vector_spec(lowered.spec)),
        watch=watch,
        pointed=lambda _: next(pointers, 0),
    ).run()
    return DecodingTiming(timing=run, ends=[run.ended["vector"][step.ended.count - 1] for step in lowered.steps])

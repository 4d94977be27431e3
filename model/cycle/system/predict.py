"""Cycles of a language model on a system: the stepped model of all units."""

from collections import Counter
from collections.abc import Mapping

from hw.base.error import InputError
from hw.spec.chip import Chip
from hw.spec.system import SystemSpec
from hw.spec.system_event import EVENTS, VALUE_EVENTS
from model.count import Counts
from model.cycle.system.channel_events import events_of
from model.cycle.system.decoding import predict_decoding
from model.cycle.system.pim_share import lowered_of
from model.functional.decoding import answer_of
from model.functional.vector_unit import SystemVectorUnit
from model.language.channel_counts import dram_counts
from model.prediction import Prediction
from model.work.decoder_workload import DecoderWorkload
from model.work.decoding import vector_spec
from model.work.workload import Workload


def predict(chip: Chip, workload: Workload) -> Prediction:
    """From the first cycle of the run to the end of the last token. Which tokens are generated decides which bank an
    embedding is read from; the reference says it. Phases are those of the first channel's controller, whose labels sum
    to the cycles as those of every other do; events are those of all channels together.

    Raises
    ------
    InputError
        If the chip is no system, the workload no language model, or its memories do not hold it.
    """
    spec = chip.machine_as(SystemSpec, "this prediction")
    decoder = decoder_of(workload)
    lowered, weights = lowered_of(spec, decoder)
    work, vector = decoder.decoding(), SystemVectorUnit(vector_spec(spec))
    channels = {unit: events_of(spec.controller) for unit in spec.memory_units}
    watch = {unit: channel.take for unit, channel in channels.items()}
    timing = predict_decoding(lowered, answer_of(lowered, work, weights), vector=vector, watch=watch).timing
    crossbar = timing.crossbar
    return Prediction(
        cycles=timing.cycles,
        macs=sum(gemm.macs for gemm in decoder.gemms()),
        peak=spec.macs_per_cycle,
        phases=timing.controller,
        counts=counts_of(
            spec,
            core=timing.core.counts,
            vector=vector.events,
            channel=sum((channel.counts for channel in channels.values()), Counter()),
            crossbar={} if crossbar is None else crossbar.core_events,
            crossbar_unit={} if crossbar is None else crossbar.events,
            cycles=timing.cycles,
        ),
        layers=(),
        what=f"{len(work.prompt)} + {work.count} tokens, the channel multiplies {lowered.pim}",
        where=spec.label,
        how="the stepped model of all units, which wait for one another by tokens",
        missing="the load of weights and prompt, host",
        clock=chip.clock,
        stepped=True,
    )


def counts_of(
    spec: SystemSpec,
    *,
    core: Mapping[str, int],
    vector: Mapping[str, int],
    channel: Mapping[str, int],
    crossbar: Mapping[str, int],
    crossbar_unit: Mapping[str, int],
    cycles: int,
) -> Counts:
    """Events of `hw.spec.system_event` from what the units counted in so many cycles; of what it has not, none.
    `channel` has the events of all channels together, and each of them is powered."""
    counted = {**core, **vector, **dram_counts(spec.pim, channel, spec.channels * cycles)}
    counted |= {f"crossbar_{event}": number for event, number in crossbar.items()}
    counted |= {f"crossbar_unit.{event}": number for event, number in crossbar_unit.items()}
    there = [event for event in EVENTS if spec.crossbar is not None or not event.startswith("crossbar_")]
    return Counts({event: counted.get(event, 0) for event in there if event not in VALUE_EVENTS or event in counted})


def decoder_of(workload: Workload) -> DecoderWorkload:
    """`workload`, which must be a language model."""
    if not isinstance(workload, DecoderWorkload):
        raise InputError(
            f"a system of core, vector unit and channel runs language models, not {workload.title!r}; choose small_llm "
            "or tiny_npu, or the core alone as a chip"
        )
    return workload

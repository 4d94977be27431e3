"""A crossbar core cycle by cycle: the same rules as the RTL, with whatever its streams do to it."""

from collections.abc import Callable, Sequence

from hw.base.error import InputError
from hw.spec.crossbar import OUTPUT_WORDS, CrossbarSpec
from hw.spec.crossbar_command import LayerCommand
from hw.spec.crossbar_event import LABELS
from model.count import Counts
from model.cycle.crossbar.closed_form import EXIT, CrossbarTiming
from model.cycle.crossbar.counts import layer_counts, refusal

Pattern = Callable[[int], bool]


def always(cycle: int) -> bool:
    """A partner that never stalls."""
    return True


def never(cycle: int) -> bool:
    """A host that never writes."""
    return False


def sequence(spec: CrossbarSpec) -> list[str]:
    """Labels of the cycles of computing one vector, stepped."""
    if not spec.sample_and_hold:
        plane = ["word_line"] * spec.wordline_cycles
        plane += (["settle"] * spec.settle_cycles + ["convert"] * spec.adc_cycles) * spec.steps
        return plane * spec.planes
    front, back = spec.wordline_cycles + spec.settle_cycles, spec.steps * spec.adc_cycles
    labels, shown, stood, left = [], 0, 0, 0
    while shown < spec.planes or left:
        labels.append("convert" if left else "word_line" if stood < spec.wordline_cycles else "settle")
        hold = shown < spec.planes and stood == front - 1 and left <= 1
        left = max(left - 1, 0)
        if hold:
            shown, stood, left = shown + 1, 0, back
        elif shown < spec.planes and stood < front - 1:
            stood += 1
    return labels


def step_program(
    spec: CrossbarSpec,
    commands: Sequence[LayerCommand],
    *,
    input_offered: Pattern = always,
    output_ready: Pattern = always,
    host_writes: Pattern = never,
    limit: int = 10_000_000,
) -> CrossbarTiming:
    """Busy cycles, labels and events of `commands`, all offered at once from cycle 0 on.

    `input_offered(c)`: the stream of inputs raises valid in cycle c if it is low (it then stays until taken).
    `output_ready(c)`: the stream of results is ready in cycle c. `host_writes(c)`: the host writes the buffer in cycle
    c, which goes before a result. `InputError` if that takes more than `limit` cycles.
    """
    waiting = list(commands)
    queue: list[LayerCommand] = []
    budget, counts = dict.fromkeys(LABELS, 0), Counts()
    extra_writes = 0
    command: LayerCommand | None = None
    schedule: list[str] = []  # labels of the cycles left of the present vector, the next one last
    left = words = asked_words = 0
    asked = full = offered = landing_last = landing = False
    beats = row = 0
    issuing = False
    places, remaining = OUTPUT_WORDS, 0
    exits: list[int] = []  # cycles from which words lie at the head of the queue
    cycle = 0
    while waiting or queue or command is not None:
        if cycle > limit:
            raise InputError(f"a program must end within {limit} cycles, it did not; let its streams move")
        computing = bool(schedule)
        decode = command is None and bool(queue)
        busy = command is not None or bool(queue)
        # outputs
        host = host_writes(cycle)
        extra_writes += host
        valid = bool(exits) and exits[0] <= cycle
        leave = False
        if command is not None:
            leave = valid and (output_ready(cycle) if command.to_stream else not host)
        # inputs
        want = command is not None and left > 0 and not full and not asked and (spec.double_buffer or not computing)
        offered = offered or input_offered(cycle)
        streams = command is not None and command.from_stream
        take_word = want and (offered or not streams)
        take = command is not None and full and not computing and not landing and not issuing
        # beats
        last_row = command is not None and row == command.row_tiles - 1
        issue = issuing and (not last_row or places > 0)
        if busy:
            if computing:
                label = schedule[-1]
            elif valid and not leave:
                label = "output_blocked"
            elif landing or issuing or places != OUTPUT_WORDS:
                label = "drain"
            elif decode:
                label = "prepare"
            elif want and streams and not offered:
                label = "wait_input"
            else:
                label = "load"
            budget[label] += 1

        # ---- the edge
        if waiting and len(queue) < spec.command_entries:
            accepted: LayerCommand | None = waiting.pop(0)
        else:
            accepted = None
        ended_computing = computing and len(schedule) == 1
        if computing:
            schedule.pop()
        started = landing
        landing = ended_computing
        last_of_vector = False
        places_next = places + leave
        if issue:
            assert command is not None
            row += 1
            if last_row:
                row = 0
                beats -= 1
                places_next -= 1
                exits.append(cycle + EXIT)
                last_of_vector = beats == 0
        if last_of_vector:
            issuing = False
        if started:
            assert command is not None
            issuing, row, beats = True, 0, command.column_tiles * spec.drain_beats
        if leave:
            exits.pop(0)
            remaining -= 1
        places = places_next
        becomes_full = landing_last
        landing_last = False
        if take_word:
            assert command is not None
            asked_words += 1
            if streams:
                offered = False
            if asked_words == words:
                asked_words = 0
                if streams:
                    becomes_full = True
                else:
                    asked = landing_last = True
        if becomes_full:
            full, asked, left = True, False, left - 1
        if take:
            full = False
            schedule = sequence(spec)[::-1]
        if command is not None and leave and remaining == 0:
            command = None
        if decode:
            head = queue.pop(0)
            if refusal(spec, head):
                counts = counts + {"command.accept": 1, "command.refuse": 1}
            else:
                command = head
                counts = counts + layer_counts(spec, head)
                left, words, asked_words = head.vectors, head.row_tiles * spec.load_beats, 0
                asked = full = landing_last = False
                remaining = head.vectors * head.column_tiles * spec.drain_beats
        if accepted is not None:
            queue.append(accepted)
        cycle += 1
    counts = counts + {"buffer.write": extra_writes}
    return CrossbarTiming(cycles=sum(budget.values()), budget=budget, counts=counts)

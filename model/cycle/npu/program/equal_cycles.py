"""Stretches of equal cycles, taken in one step: every engine goes on as in the cycle before, or stands still."""

from model.cycle.npu.program.copy_channel import NEVER
from model.cycle.npu.program.state import RunState


def take_equal_cycles(run: RunState) -> None:
    """Take all cycles in which nothing changes but addresses and counts.

    Called after a cycle in which no pass, tile, copy or command began or ended and no bank was hit.
    """
    most = _others(run)
    if most > 0:
        most = _loading(run, most)
    if most <= 0:
        return
    words = _words_followed(run, most)
    if words:
        _flow(run, words * run.activation.beats)
        _follow(run, words)
        return
    cycles = _length(run, most)
    if 0 < cycles < NEVER:
        _flow(run, cycles)
        return
    words = _words_in_step(run, most)
    if words:
        _flow_in_step(run, words)


def _words_in_step(run: RunState, most: int) -> int:
    """Rows that each wait one cycle for the write of their bank and are issued in the next, within `most` cycles.

    With a word in two cycles reading and writing go on in step, a multiple of the banks apart. Rows before the last K
    block: what they finish would move more than the stream engine.
    """
    activation = run.activation
    if not (run.read and run.queued and activation.beats == 2 and activation.asked):
        return 0
    now, head = run.queued[0], activation.entries[0]
    if now.last or not now.regular or head.due > run.cycle or head.arrived != 1:
        return 0
    address = now.activation[run.row]
    if (head.next - address) % activation.banks:
        return 0
    words = min(most // 2, now.rows - 1 - run.row)
    if now.first:
        words = min(words, run.free_rows)
    for place, entry in enumerate(activation.entries):
        if run.streamed >= entry.index and address < entry.end:
            if place == 0 and address < entry.next:
                continue  # as far behind it as now for as long as both go on
            words = min(words, max(entry.next - address, 0))
    return run.output.free(address, run.streamed, words) if words > 0 else 0


def _flow_in_step(run: RunState, words: int) -> None:
    now = run.queued[0]
    run.read = False
    _flow(run, 2 * words)
    run.read = True
    run.labels["stream"] -= words
    run.labels["activation_blocked"] += words
    run.activation_conflicts += words
    run.row += words
    run.macs += words
    run.reads += words
    if now.first:
        run.free_rows -= words
        run.in_flight += words
    else:
        run.accumulator_reads += words


def _words_followed(run: RunState, most: int) -> int:
    """Rows that are each issued in the cycle after their word is written, a word every `beats` cycles, within `most`.

    Only rows between the first and the last K block: nothing but the stream engine moves with them.
    """
    if not (run.missing and run.queued and run.activation.beats > 1 and run.label == "activation_missing"):
        return 0
    now = run.queued[0]
    if now.first or now.last or not now.regular or not run.row:
        return 0
    address = now.activation[run.row]
    if run.output.missing(address, run.streamed) or not run.activation.leads(run.cycle, address, run.streamed):
        return 0
    most = run.output.free(address, run.streamed, most)
    return min(most // run.activation.beats, now.rows - 1 - run.row)


def _follow(run: RunState, words: int) -> None:
    """What `_flow` has counted as waiting, one cycle per word is the issue of its row."""
    run.labels["activation_missing"] -= words
    run.labels["stream"] += words
    run.row += words
    run.macs += words
    run.reads += words
    run.accumulator_reads += words


def _others(run: RunState) -> int:
    """Cycles in which everything but the engines goes on as in the last."""
    cycle = run.cycle
    most = min(run.output.steady(run.ended, run.left), run.horizon - cycle)
    for channel in run.inputs:
        most = min(most, channel.steady(cycle))
    if most <= 0 or run.pool.words:
        return 0
    most = min(most, _rows_out(run, most))
    return most


def _loading(run: RunState, most: int) -> int:
    """As `_others`, for the load engine."""
    cycle = run.cycle
    if run.load:
        address = run.tiles[0].weight + run.core.array.rows - 1 - run.step
        most = run.weight.clear(cycle, address, -1, run.loaded_commands, min(most, run.core.array.rows - 1 - run.step))
    elif run.weight_missing:
        most = min(most, run.weight.arrival(cycle, run.tiles[0].weight + run.core.array.rows - 1 - run.step))
    elif run.tiles and not run.loaded:
        most = min(most, run.hold)
    return most


def _length(run: RunState, most: int) -> int:
    """How many of `most` cycles, from the present one on, are like the last; at most that many."""
    if not run.queued:
        return most
    cycle, now = run.cycle, run.queued[0]
    if run.read:
        most = min(most, now.rows - 1 - run.row)
        if now.first and not run.drain:
            most = min(most, run.free_rows)
        if most <= 0 or not now.regular or (now.first and not run.free_rows):
            return 0
        address = now.activation[run.row]
        most = run.activation.clear(cycle, address, 1, run.streamed, most)
        return run.output.free(address, run.streamed, most)
    if run.missing:
        address = now.activation[run.row]
        if run.output.missing(address, run.streamed):
            return most  # the write channel stands still
        return min(most, run.activation.arrival(cycle, address))
    return 0 if run.drain and run.label == "wait_accumulator" else most


def _rows_out(run: RunState, most: int) -> int:
    """As `_length`, for the rows between accumulators and output memory."""
    cycle = run.cycle
    finishing, leaving = run.finishing, run.leaving
    first = finishing.runs[0] if finishing.runs else None
    if run.drain:
        if first is None or first.due > cycle or first.starts or run.places <= 0:
            return 0
        most = min(most, finishing.steady(pushed=run.read and run.queued[0].last if run.queued else False, popped=True))
        if not run.left:
            most = min(most, run.places)
    elif first is not None:
        if first.due > cycle:
            most = min(most, first.due - cycle)
        elif run.places:
            if not (first.starts and run.parameter.missing(first.parameter, run.drained)):
                return 0
            most = min(most, run.parameter.arrival(cycle, first.parameter))
        elif run.left:
            return 0
    first = leaving.runs[0] if leaving.runs else None
    if run.left:
        if first is None or first.due > cycle or not run.output.follows(first.output):
            return 0
        most = min(most, leaving.steady(pushed=run.drain, popped=True))
        return run.output.clear(first.output, run.ended, most)
    if first is None:
        return most
    if first.due > cycle:
        return min(most, first.due - cycle)
    return min(most, run.output.stays(first.output, run.ended)) if run.offered else 0


def _flow(run: RunState, cycles: int) -> None:
    if run.load:
        run.tile_reads += cycles
        run.cells += cycles * run.step + cycles * (cycles + 1) // 2
        run.step += cycles
    run.hold = max(run.hold - cycles, 0)
    pushed = False
    if run.read:
        now = run.queued[0]
        run.row += cycles
        run.macs += cycles
        run.reads += cycles
        if now.first:
            run.free_rows -= cycles
            run.in_flight += cycles
        else:
            run.accumulator_reads += cycles
        pushed = now.last
    _flow_others(run, cycles, pushed=pushed)


def _flow_others(run: RunState, cycles: int, *, pushed: bool) -> None:
    """Everything but the engines; `pushed`: each cycle finishes a row."""
    cycle = run.cycle
    for channel in run.inputs:
        channel.flow(cycle, cycles)
    run.output.flow(cycles, run.left)
    if run.unfinished:
        run.count(cycles)
    run.finishing.flow(cycles, pushed=pushed, popped=run.drain)
    run.leaving.flow(cycles, pushed=run.drain, popped=run.left)
    if run.drain:
        run.free_rows += cycles
        run.places -= cycles
    if run.left:
        run.places += cycles
        run.in_flight -= cycles
        run.out_rows += cycles
    run.cycle += cycles


def take_equal_words(run: RunState) -> None:
    """As `take_equal_cycles`, on an output-stationary core: words but the last of a fold, or a wait."""
    most = _others(run)
    if most > 0:
        most = _fold_length(run, most)
    if not 0 < most < NEVER:
        return
    if run.read:
        run.row += most
        run.macs += most
        run.reads += most
        run.tile_reads += most
    _flow_others(run, most, pushed=False)


def _fold_length(run: RunState, most: int) -> int:
    """How many of `most` cycles, from the present one on, are like the last for the fold at hand."""
    if not run.queued:
        return most
    cycle, index, now, row = run.cycle, run.streamed, run.queued[0], run.row
    weight, address = now.weight + row, now.activation[row]
    if run.read:
        most = min(most, len(now.activation) - 1 - row)
        if most > 0:
            most = run.weight.clear(cycle, weight, 1, index, most)
        if most > 0:
            most = run.activation.clear(cycle, address, 1, index, most)
        return run.output.free(address, index, most) if most > 0 else 0
    if run.label == "weight_missing":
        return min(most, run.weight.arrival(cycle, weight))
    if run.label == "activation_missing":
        most = run.weight.clear(cycle, weight, 0, index, most)  # a write to its bank is another label
        if run.output.missing(address, index):
            return most  # the write channel stands still
        return min(most, run.activation.arrival(cycle, address))
    if run.label == "wait_accumulator":
        return min(most, _room(run, cycle))
    return most if run.label in ("drain", "copy", "output_blocked", "prepare") else 0


def _room(run: RunState, cycle: int) -> int:
    """Cycles from `cycle` on in which the word at hand is sure to wait for the array or for accumulators."""
    array, since = run.core.array, cycle - run.last_word
    wait = array.fold_delay - since if run.row == 0 else 0
    if run.row == len(run.queued[0].activation) - 1:
        wait = max(wait, array.rows - since)
        if wait <= 0 and run.free_rows < array.rows:
            return 0 if run.drain else NEVER
    return max(wait, 0)

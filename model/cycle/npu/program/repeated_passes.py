"""Passes that run as the ones before them: taken at once, as many as are left.

At the first row of a pass the state is compared with that at the first row of the pass before, and of the same
pass in the block of columns before. If all that decides is equal, relative to the cycle and the pass, then what follows
repeats what was, until the last such pass is at hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from model.cycle.npu.output_rows import Run
from model.cycle.npu.passes import Pass
from model.cycle.npu.program.state import RunState


@dataclass(slots=True)
class _Mark:
    """State at the first row of a pass: what decides, and what has been counted."""

    index: int
    state: tuple[object, ...]
    counted: list[int]
    sent: tuple[int, int, int]  # words read, beats written, words left of the copy of outputs


class RepeatedPasses:
    """Looks for repetitions in one run."""

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._pass: _Mark | None = None  # of the pass before
        self._block: _Mark | None = None  # of the first pass of the block of columns before

    def skip(self) -> None:
        """Called in the cycle of a first row, before it is issued."""
        run = self._run
        now, coming = run.queued[0], run.coming
        mark = None
        if coming is not None and self._simple(now):
            mark = self._mark(now)
            k_blocks = coming.k_blocks
            k, n = now.index % k_blocks, now.index // k_blocks % coming.n_blocks
            before = self._pass
            if before is not None and before.state == mark.state and 2 <= k < k_blocks - 2:
                self._repeat(before, mark, 1, k_blocks - 2 - k)
            elif k == 0:
                before = self._block
                if before is not None and before.state == mark.state and n >= 2:
                    self._repeat(before, mark, k_blocks, coming.n_blocks - 1 - n)
                self._block = self._mark(run.queued[0])
            mark = self._mark(run.queued[0])
        else:
            self._block = None
        self._pass = mark

    def _simple(self, now: Pass) -> bool:
        """Nothing is under way but passes of this command and the copy of its outputs."""
        run = self._run
        entries = run.output.entries
        return (
            now.regular
            and not run.pool.words
            and run.following is not None
            and run.following.source is now.source
            and (not entries or (len(entries) == 1 and entries[0].external))
            and not any(
                channel.asked or (channel.entries and channel.entries[0].index <= command)
                for channel, command in zip(run.inputs, (run.streamed, run.loaded_commands, run.drained), strict=True)
            )
        )

    def _mark(self, now: Pass) -> _Mark:
        run, output = self._run, self._run.output
        cycle, base, parameter = run.cycle, now.output, now.parameter
        copy = output.entries[0] if output.entries else None
        following = run.following
        assert following is not None
        state = (
            now.rows,
            len(run.tiles),
            len(run.queued),
            following.index - now.index,
            len(run.queue),
            len(run.given),
            run.head is None,
            *run.deciding(),
            tuple(
                (rows.due - cycle, rows.output - base, rows.parameter - parameter, rows.count, rows.starts, rows.ends)
                for rows in run.finishing.runs
            ),
            tuple((rows.due - cycle, rows.output - base, rows.count, rows.ends) for rows in run.leaving.runs),
            None
            if copy is None
            else (
                copy.index,
                copy.next - base,
                output.read_from,
                output.holds_word,
                output.beat,
                output.running,
                output.ascending,
                output.pointer - base,
                copy.end - copy.next if output.read_from else None,
            ),
        )
        return _Mark(
            index=now.index,
            state=state,
            counted=run.counted(),
            sent=(output.read, output.written, copy.left if copy else 0),
        )

    def _repeat(self, before: _Mark, mark: _Mark, period: int, most: int) -> None:
        """Go on by up to `most` periods of `period` passes, each as the one between the two marks."""
        run, coming, output = self._run, self._run.coming, self._run.output
        assert coming is not None
        assert run.following is not None
        # the sequencer must not come to the end of the command
        times = min(most, (coming.count - 2 - run.following.index) // period)
        copy = output.entries[0] if output.entries else None
        read, written = mark.sent[0] - before.sent[0], mark.sent[1] - before.sent[1]
        words = before.sent[2] - mark.sent[2]
        if copy is not None and (read or words):
            times = min(times, (min(copy.end - copy.next, copy.left) - 1) // max(read, words) - 1)
        if times <= 0:
            return
        old = run.queued[0]
        cycles = run.repeat(before.counted, mark.counted, times)
        for passes in (run.tiles, run.queued):
            moved = [coming[item.index + times * period] for item in passes]
            passes.clear()
            passes.extend(moved)
        run.following = coming[run.following.index + times * period]
        new = run.queued[0]
        further, parameter = new.output - old.output, new.parameter - old.parameter
        self._shift(run.finishing.runs, cycles, further, parameter)
        self._shift(run.leaving.runs, cycles, further, 0)
        output.pointer += further
        output.read += times * read
        output.written += times * written
        if copy is not None:
            copy.next += times * read
            copy.other += times * written
            copy.left -= times * words

    @staticmethod
    def _shift(runs: Iterable[Run], cycles: int, output: int, parameter: int) -> None:
        for rows in runs:
            rows.due += cycles
            rows.output += output
            rows.parameter += parameter

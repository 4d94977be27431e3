"""Random programs for a whole system: free of races, all units as far beside each other as that allows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hw.spec.command import Command, Copy, Fence, output_word_bits, parameter_word_bits
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import Gemv, Transfer
from hw.spec.system import CROSSBAR, Packs, Program, SystemSpec, Token
from hw.spec.vector import VectorSpec, refusal, unpack
from model.cycle.vector_unit.stepper import steps
from model.work.random_vector import random_command
from tb.system.random_crossbars import RandomCrossbars
from tb.system.random_descriptors import descriptors_of

PARAMETER_START = 0
"""Parameters of the output stage lie here in the shared memory, and nothing else."""

POINTER_WORDS = 8
"""Then words with small integers, which pointers name."""


@dataclass(slots=True)
class _Access:
    """Words `first` to `last` of the shared memory, read or written by what `token` stands for."""

    first: int
    last: int
    writes: bool
    token: Token


@dataclass(slots=True)
class RandomPrograms:
    """Draws programs for a system.

    Parameters
    ----------
    spec : SystemSpec
        The system the programs must fit; its core has copy channels.
    rng : numpy Generator
        Source of every choice; equal states give equal programs.
    vector : VectorSpec
        The system's vector unit.
    crossbars : RandomCrossbars or None
        What its crossbars hold, if it has any.
    """

    spec: SystemSpec
    rng: np.random.Generator
    vector: VectorSpec
    crossbars: RandomCrossbars | None = None
    _program: Program = field(default_factory=Program)
    _accesses: list[_Access] = field(default_factory=list)
    _tokens: dict[str, Token] = field(default_factory=dict)

    @property
    def low(self) -> int:
        """First word that programs may write."""
        assert self.spec.core.dma is not None
        return PARAMETER_START + self.spec.core.dma.beats(parameter_word_bits(self.spec.core)) + POINTER_WORDS

    def draw(self, descriptors: int) -> Program:
        """A program of at least so many descriptors."""
        self._program, self._accesses, self._tokens = Program(units=self.spec.units), [], {}
        pointers = self.low - POINTER_WORDS
        memory = descriptors_of(self.spec.controller, self.rng, low=self.low, pointers=(pointers, POINTER_WORDS))
        while len(self._program.commands) < descriptors:
            kind = self.rng.choice(["core", "vector", "memory"], p=[0.25, 0.3, 0.45])
            if self.crossbars is not None and self.rng.random() < 0.25:
                product = self.crossbars.draw(self.low)
                self._add(CROSSBAR, [product], self.crossbars.accesses(product))
            elif kind == "core":
                self._core()
            elif kind == "vector":
                self._vector()
            else:
                command = memory.draw()
                unit = str(self.rng.choice(self.spec.memory_units)) if self.spec.channels > 1 else "memory"
                self._add(unit, [command], _accesses(command))
        return self._program

    def _below(self, limit: int) -> int:
        return int(self.rng.integers(0, limit))

    def _add(self, unit: str, commands: list[Packs], accesses: list[tuple[int, int, bool]]) -> None:
        """Append `commands`, the last of which stands for all, after whatever they must not overtake."""
        after = [
            past.token
            for past in self._accesses
            for first, last, writes in accesses
            if past.token.unit != unit and (writes or past.writes) and first <= past.last and past.first <= last
        ]
        if self._tokens and self.rng.random() < 0.1:  # a wait that nothing asks for
            after.append(self._tokens[str(self.rng.choice(sorted(self._tokens)))])
        token = self._program.add(unit, commands[0], after)
        for command in commands[1:]:
            token = self._program.add(unit, command)
        if accesses or unit != "core":
            self._tokens[unit] = token
            self._accesses += [
                _Access(first=first, last=last, writes=writes, token=token) for first, last, writes in accesses
            ]

    def _vector(self) -> None:
        """Any operation that leaves parameters and pointers alone."""
        while True:
            command = random_command(self.rng, self.vector)
            fields = unpack(command.pack())
            accesses = [] if refusal(self.vector, fields) else _vector_accesses(self.vector, fields)
            if all(first >= self.low or not writes for first, _, writes in accesses):
                self._add("vector", [command], accesses)
                return

    def _core(self) -> None:
        """Operands in, a product or two, results out, a fence."""
        core = self.spec.core
        array, dma = core.array, core.dma
        assert dma is not None
        out_beats, high = dma.beats(output_word_bits(core)), self.spec.shared_words
        m, k, n = 1 + self._below(12), 1 + self._below(3), 1 + self._below(2)
        sizes = {"activation": m * k, "weight": n * k * array.rows}
        where = {name: self.low + self._below(high - self.low - size) for name, size in sizes.items()}
        out = self.low + self._below(high - self.low - m * n * out_beats)
        parameters = dma.beats(parameter_word_bits(core))
        commands: list[Packs] = [
            Copy(target="external_to_parameter", words=1, address=0, other_address=PARAMETER_START),
            *(
                []
                if n == 1
                else [Copy(target="external_to_parameter", words=1, address=1, other_address=PARAMETER_START)]
            ),
            *(
                Copy(target=f"external_to_{name}", words=size, other_address=where[name])
                for name, size in sizes.items()
            ),
            Command(m=m, n_blocks=n, k_blocks=k),
            *([Command(m=0, n_blocks=1, k_blocks=1)] if self.rng.random() < 0.2 else []),  # refused
            Copy(target="output_to_external", words=m * n, other_address=out),
            Fence(),
        ]
        reads = [(where[name], where[name] + size - 1, False) for name, size in sizes.items()]
        reads.append((PARAMETER_START, PARAMETER_START + parameters - 1, False))
        self._add("core", commands, [*reads, (out, out + m * n * out_beats - 1, True)])


def _accesses(command: object) -> list[tuple[int, int, bool]]:
    """Words of the shared memory that a descriptor of the controller touches, or would if it were not refused."""
    if isinstance(command, Transfer):
        found = [(command.shared, command.shared + command.words - 1, not command.write)]
        return found if command.pointer is None else [*found, (command.pointer, command.pointer, False)]
    if isinstance(command, Gemv):
        return [
            (command.source, command.source + command.columns - 1, False),
            (command.destination, command.destination + command.outputs - 1, True),
        ]
    if isinstance(command, HbmGemv):
        return [(command.source, command.source + command.words - 1, False)]
    return []


def _vector_accesses(spec: VectorSpec, fields: Mapping[str, int]) -> list[tuple[int, int, bool]]:
    """Words that an operation of the vector unit reads and writes, as one range each."""
    touched: dict[bool, list[int]] = {False: [], True: []}
    for step in steps(spec, fields):
        operation = step.operation
        if operation is not None and operation.reads:
            touched[False].append(step.addresses[operation.reads])
        if operation is not None and operation.writes:
            touched[True].append(step.addresses["d"])
    return [(min(words), max(words), writes) for writes, words in touched.items() if words]

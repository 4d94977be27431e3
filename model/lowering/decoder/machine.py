"""What the lowering of a decoder knows of a system, and its ways to multiply a matrix by a vector."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from hw.base.integer import ceil_div
from hw.spec.command import Command, Copy, Fence
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import MemoryCommand
from hw.spec.system import CROSSBAR, Program, SystemSpec, Token
from hw.spec.vector import VectorCommand
from hw.spec.vector_micro import LANES
from model.lowering.decoder.channel import Chunk
from model.lowering.decoder.channels import Channels, Part, SplitMatrix
from model.lowering.decoder.crossbar import CrossbarPlace
from model.lowering.decoder.shared import SharedMemory


def stages(channels: int) -> int:
    """Buffers through which weights go to the core: it empties one while a channel, or two of several, fill others."""
    return min(channels, 2) + 1


@dataclass
class Machine:
    """Appends descriptors to a program and keeps the buffers that every product shares.

    Parameters
    ----------
    spec : SystemSpec
        The system it makes descriptors for.
    channels : Channels
        Where the matrices lie; they say how to fetch and to multiply them.
    shared : SharedMemory
        Hands out the buffers.
    name : str
        The storage format.
    stage_words : int
        Words of each of the `stages` buffers through which weights go to the core.
    program : Program
        All descriptors so far; empty at first.
    """

    spec: SystemSpec
    channels: Channels
    shared: SharedMemory
    name: str
    stage_words: int
    program: Program = field(default_factory=Program)
    _turn: int = 0
    _half: int = 0

    def __post_init__(self) -> None:
        self.lane_sums = not self.spec.pim.align_bits
        self.stage = [
            self.shared.take("weights on their way", self.stage_words) for _ in range(stages(len(self.channels)))
        ]
        self._free: list[Token | None] = [None] * len(self.stage)

    def reserve(self, features: int, outputs: int) -> None:
        """Take the buffers in which a product's operand and result change between rows and columns."""
        self.spread = self.shared.take("operands by feature", features)
        self.results = self.shared.take("results by feature", outputs)

    # ---- descriptors

    def vector(self, operation: str, *, after: Iterable[Token] = (), **settings: int) -> Token:
        """An operation of the vector unit in the system's format."""
        command = VectorCommand(operation=operation, input_format=self.name, output_format=self.name, **settings)  # pyright: ignore[reportArgumentType]
        return self.program.add("vector", command, after)

    def memory(self, command: MemoryCommand | HbmGemv, after: Iterable[Token] = (), unit: str = "memory") -> Token:
        """A descriptor of the memory controller `unit`."""
        return self.program.add(unit, command, after)

    def core(self, command: Command | Copy | Fence, after: Iterable[Token] = ()) -> Token:
        """A descriptor of the core."""
        return self.program.add("core", command, after)

    # ---- products in crossbars

    def crossbar(self, place: CrossbarPlace, source: int, destination: int, after: Iterable[Token]) -> Token:
        """Results of a resident matrix times the words at `source`."""
        return self.program.add(CROSSBAR, place.product(source, destination), after)

    # ---- products in the channels

    def gemv(
        self,
        place: SplitMatrix,
        source: int,
        destination: int,
        after: Iterable[Token],
        outputs: int | None = None,
        inputs: int | None = None,
    ) -> tuple[Token, ...]:
        """Results of the matrix (or of its first `outputs` and `inputs`) times the words at `source`, packed; a token
        of each unit that ends with some of them.

        Channels take turns in the stream, so that none waits until another's queue has room.
        """
        after = list(after)
        turns = [
            self._part(part, source, destination, after, outputs or place.outputs, inputs or place.inputs)
            for part in place.parts
        ]
        ended: dict[str, Token] = {}
        for turn in zip_longest(*turns):
            ended |= {token.unit: token for token in turn if token is not None}
        # those of the controllers whose lane sums the vector unit has added are among what it waited for
        return (ended["vector"],) if self.lane_sums else tuple(ended.values())

    def _part(
        self, part: Part, source: int, destination: int, after: Iterable[Token], outputs: int, inputs: int
    ) -> Iterator[Token]:
        """Appends what one channel does, a command (or the sums it brings) with each step; the last token of each."""
        destination += part.first // LANES
        sums = self.results + part.sums
        product = self.channels.by_unit[part.unit].multiply(
            part.place,
            source,
            sums if self.lane_sums else destination,
            min(outputs - part.first, part.place.outputs),
            inputs,
        )
        for command in product.commands:
            yield self.memory(command, after, part.unit)
            after = ()
        done = 0
        for transfer, count in product.lane_sums:
            read = self.memory(transfer, (), part.unit)
            yield self.vector(
                "SUM_LANES",
                after=[read],
                length=count,
                a=sums + done,
                a_stride=LANES,
                d=destination + done // LANES,
                d_stride=1,
            )
            done += count

    # ---- products on the core

    def core_product(
        self,
        place: SplitMatrix,
        blocks_of_columns: int,
        *,
        outputs: int,
        inputs: int,
        operand: int,
        result: int,
        ready: Sequence[Token],
    ) -> Token:
        """Y^T = W X^T on the core: rows of W stream, X^T stands in the array.

        Parameters
        ----------
        blocks_of_columns : int
            Blocks of the array's columns that X^T has.
        outputs, inputs : int
            Part of the matrix, whole words.
        operand : int
            First word of X^T in the shared memory: per block of columns a word for each input.
        result : int
            Where Y^T goes: per block of columns a word for each output.
        ready : tokens
            Operand written, result free.

        Returns
        -------
        Token
            Of the FENCE behind the last results.
        """
        words = ceil_div(inputs, LANES)
        last: Token | None = None
        self.core(
            Copy(
                target="external_to_weight", words=blocks_of_columns * words * LANES, address=0, other_address=operand
            ),
            ready,
        )
        chunks = list(self._chunks(place, outputs, inputs))
        total = max(part.first + chunk.first + chunk.outputs for part, chunk in chunks)
        for part, chunk in chunks:
            turn, half = self._turn, self._half
            self._turn, self._half = (turn + 1) % len(self.stage), half ^ 1
            free = self._free[turn]
            read: Token | None = None
            for transfer in chunk.moved(self.stage[turn]).transfers:
                read = self.memory(transfer, [free] if free else [], part.unit)
            assert read is not None
            m, activation = chunk.outputs, half * self.stage_words
            self.core(
                Copy(
                    target="external_to_activation", words=m * words, address=activation, other_address=self.stage[turn]
                ),
                [read],
            )
            self.core(
                Command(
                    m=m,
                    n_blocks=blocks_of_columns,
                    k_blocks=words,
                    activation_address=activation,
                    weight_address=0,
                    output_address=0,
                )
            )
            for block in range(blocks_of_columns):
                self.core(
                    Copy(
                        target="output_to_external",
                        words=m,
                        address=block * m,
                        other_address=result + block * total + part.first + chunk.first,
                    )
                )
            last = self._free[turn] = self.core(Fence())
        assert last is not None
        return last

    def _chunks(self, place: SplitMatrix, outputs: int, inputs: int) -> Iterator[tuple[Part, Chunk]]:
        """What brings a matrix to the core, by turns from each channel that has a part of it."""
        of_parts = [
            [
                (part, chunk)
                for chunk in self.channels.by_unit[part.unit].chunks(
                    part.place, min(outputs - part.first, part.place.outputs), inputs, self.stage_words
                )
            ]
            for part in place.parts
        ]
        for turn in zip_longest(*of_parts):
            yield from (found for found in turn if found is not None)

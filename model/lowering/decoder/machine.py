"""What the lowering of a decoder knows of a system, and its ways to multiply a matrix by a vector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hw.base.integer import ceil_div
from hw.spec.command import Command, Copy, Fence
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import MemoryCommand
from hw.spec.system import CROSSBAR, Program, SystemSpec, Token
from hw.spec.vector import VectorCommand
from hw.spec.vector_micro import LANES
from model.lowering.decoder.channel import Channel, MatrixPlace
from model.lowering.decoder.crossbar import CrossbarPlace
from model.lowering.decoder.shared import SharedMemory


@dataclass
class Machine:
    """Appends descriptors to a program and keeps the buffers that every product shares.

    Parameters
    ----------
    spec : SystemSpec
        The system it makes descriptors for.
    channel : Channel
        Where the matrices lie; it says how to fetch and to multiply them.
    shared : SharedMemory
        Hands out the buffers.
    name : str
        The storage format.
    stage_words : int
        Words of each of the two buffers through which weights go to the core.
    program : Program
        All descriptors so far; empty at first.
    """

    spec: SystemSpec
    channel: Channel
    shared: SharedMemory
    name: str
    stage_words: int
    program: Program = field(default_factory=Program)
    _free: list[Token | None] = field(default_factory=lambda: [None, None])
    _turn: int = 0

    def __post_init__(self) -> None:
        self.lane_sums = not self.spec.pim.align_bits
        self.stage = [self.shared.take("weights on their way", self.stage_words) for _ in range(2)]

    def reserve(self, features: int, outputs: int) -> None:
        """Take the buffers in which a product's operand and result change between rows and columns."""
        self.spread = self.shared.take("operands by feature", features)
        self.results = self.shared.take("results by feature", outputs)

    # ---- descriptors

    def vector(self, operation: str, *, after: Iterable[Token] = (), **settings: int) -> Token:
        """An operation of the vector unit in the system's format."""
        command = VectorCommand(operation=operation, input_format=self.name, output_format=self.name, **settings)  # pyright: ignore[reportArgumentType]
        return self.program.add("vector", command, after)

    def memory(self, command: MemoryCommand | HbmGemv, after: Iterable[Token] = ()) -> Token:
        """A descriptor of the memory controller."""
        return self.program.add("memory", command, after)

    def core(self, command: Command | Copy | Fence, after: Iterable[Token] = ()) -> Token:
        """A descriptor of the core."""
        return self.program.add("core", command, after)

    # ---- products in crossbars

    def crossbar(self, place: CrossbarPlace, source: int, destination: int, after: Iterable[Token]) -> Token:
        """Results of a resident matrix times the words at `source`."""
        return self.program.add(CROSSBAR, place.product(source, destination), after)

    # ---- products in the channel

    def gemv(
        self,
        place: MatrixPlace,
        source: int,
        destination: int,
        after: Iterable[Token],
        outputs: int | None = None,
        inputs: int | None = None,
    ) -> Token:
        """Results of the matrix (or of its first `outputs` and `inputs`) times the words at `source`, packed."""
        outputs = outputs or place.outputs
        product = self.channel.multiply(
            place, source, self.results if self.lane_sums else destination, outputs, inputs or place.inputs
        )
        token, waits = None, list(after)
        for command in product.commands:
            token = self.memory(command, waits)
            waits = []
        done = 0
        for transfer, count in product.lane_sums:
            token = self.vector(
                "SUM_LANES",
                after=[self.memory(transfer)],
                length=count,
                a=self.results + done,
                a_stride=LANES,
                d=destination + done // LANES,
                d_stride=1,
            )
            done += count
        assert token is not None
        return token

    # ---- products on the core

    def core_product(
        self,
        place: MatrixPlace,
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
        stages = [self.stage[self._turn], self.stage[self._turn ^ 1]]
        chunks = self.channel.chunks(place, outputs, inputs, self.stage_words, stages)
        total = chunks[-1].first + chunks[-1].outputs
        for chunk in chunks:
            turn = self._turn
            self._turn ^= 1
            free = self._free[turn]
            read: Token | None = None
            for transfer in chunk.transfers:
                read = self.memory(transfer, [free] if free else [])
            assert read is not None
            m, activation = chunk.outputs, turn * self.stage_words
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
                        other_address=result + block * total + chunk.first,
                    )
                )
            last = self._free[turn] = self.core(Fence())
        assert last is not None
        return last

"""What the lowering of a decoder knows of a system, and its three ways to multiply a matrix by a vector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hw.spec.command import Command, Copy, Fence
from hw.spec.memory_controller import Gemv, Transfer
from hw.spec.system import Program, SystemSpec, Token
from hw.spec.vector import LANES, VectorCommand
from model.lowering.decoder.image import Image, MatrixPlace, blocks
from model.lowering.decoder.shared import SharedMemory

ACCUMULATORS = 32
"""Outputs of a bank that one product of the channel makes."""


@dataclass
class Machine:
    """Appends descriptors to a program and keeps the buffers that every product shares.

    Parameters
    ----------
    spec : SystemSpec
    image : Image
    shared : SharedMemory
    name : str
        The storage format.
    stage_words : int
        Words of each of the two buffers through which weights go to the core.
    """

    spec: SystemSpec
    image: Image
    shared: SharedMemory
    name: str
    stage_words: int
    program: Program = field(default_factory=Program)
    _free: list[Token | None] = field(default_factory=lambda: [None, None])
    _turn: int = 0

    def __post_init__(self) -> None:
        self.columns = self.spec.core.array.columns
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

    def memory(self, command: Transfer | Gemv, after: Iterable[Token] = ()) -> Token:
        """A descriptor of the memory controller."""
        return self.program.add("memory", command, after)

    def core(self, command: Command | Copy | Fence, after: Iterable[Token] = ()) -> Token:
        """A descriptor of the core."""
        return self.program.add("core", command, after)

    def fetch(self, first_address: int, shared: int, words: int, after: Iterable[Token] = ()) -> Token:
        """Words that lie one behind the other to the shared memory."""
        token = None
        while words:
            run = min(words, self.image.banks)
            groups = min(words // run, 1 << 15)
            token = self.memory(
                Transfer(
                    write=False,
                    address=first_address,
                    shared=shared,
                    run=run,
                    groups=groups,
                    stride=self.image.banks,
                    wide=True,
                ),
                after,
            )
            moved = run * groups
            first_address, shared, words = first_address + moved, shared + moved, words - moved
        assert token is not None
        return token

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
        """Results of the matrix times the words at `source`, packed, to `destination`; `outputs` and `inputs` of it."""
        banks, row_columns = self.image.banks, self.image.columns
        groups = place.groups(banks) if outputs is None else blocks(outputs, banks)
        columns = place.columns if inputs is None else blocks(inputs, LANES)
        token: Token | None = None
        after = list(after)
        for first in range(0, groups, ACCUMULATORS):
            count = min(ACCUMULATORS, groups - first)
            row, column = divmod(place.first + first * place.pitch, row_columns)
            for part in range(0, columns, row_columns):
                size = min(row_columns, columns - part)
                copies = min(row_columns // place.pitch, count) if place.pitch < row_columns else 1
                token = self.memory(
                    Gemv(
                        columns=size,
                        pitch=min(place.pitch, row_columns),
                        copies=copies,
                        column=column,
                        row=row + part // row_columns,
                        row_step=max(1, place.pitch // row_columns),
                        outputs=count,
                        source=source + part,
                        destination=destination + first,
                        load=first == 0 or columns > row_columns,
                        clear=part == 0,
                        read=part + size == columns,
                    ),
                    after if first == part == 0 else (),
                )
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
        banks = self.image.banks
        columns, groups = blocks(inputs, LANES), blocks(outputs, banks)
        at_once = max(1, self.stage_words // (columns * banks))
        waiting: list[Token] = list(ready)
        last: Token | None = None
        self.core(
            Copy(
                target="external_to_weight", words=blocks_of_columns * columns * LANES, address=0, other_address=operand
            ),
            waiting,
        )
        for first in range(0, groups, at_once):
            count = min(at_once, groups - first)
            turn = self._turn
            self._turn ^= 1
            free = self._free[turn]
            read = self.memory(
                Transfer(
                    write=False,
                    address=self.image.address(place.first + first * place.pitch),
                    shared=self.stage[turn],
                    run=banks,
                    groups=count,
                    stride=place.pitch * banks,
                    outer=columns,
                    outer_stride=banks,
                    wide=True,
                ),
                [free] if free else [],
            )
            m = count * banks
            activation = turn * self.stage_words
            self.core(
                Copy(
                    target="external_to_activation",
                    words=m * columns,
                    address=activation,
                    other_address=self.stage[turn],
                ),
                [read],
            )
            self.core(
                Command(
                    m=m,
                    n_blocks=blocks_of_columns,
                    k_blocks=columns,
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
                        other_address=result + block * groups * banks + first * banks,
                    )
                )
            last = self._free[turn] = self.core(Fence())
        assert last is not None
        return last

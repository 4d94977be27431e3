"""The vector unit on values: its micro-operations carried out on a shared memory, cycle by cycle."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from hw.spec.number import OPERAND_CODES
from hw.spec.vector import VectorSpec, refusal, unpack
from hw.spec.vector_micro import LABEL_OF, LANES, Source
from hw.spec.vector_program import program_of
from model.cycle.vector_unit.closed_form import VectorCount, count, events_of
from model.cycle.vector_unit.stepper import Step, steps
from model.number import function
from model.number.codec import decode, encode

_FORMATS = {code: name for name, code in OPERAND_CODES.items()}
_CONSTANTS = {"one": 0x3F800000, "minus_infinity": 0xFF800000, "zero": 0}
_LANE = np.arange(LANES)


class VectorMachine:
    """Registers, transposer and a shared memory of words of 16 codes.

    Parameters
    ----------
    spec : VectorSpec
    memory : uint16 array (words, 16)
        Changed in place.
    """

    def __init__(self, spec: VectorSpec, memory: np.ndarray) -> None:
        self.spec, self.memory = spec, memory
        self.registers = {name: np.zeros(LANES, np.uint32) for name in ("r0", "r1", "r2")}
        self.index = np.zeros(LANES, np.int64)
        self.turn = np.zeros((LANES, LANES), np.uint16)

    def run(self, descriptor: int) -> VectorCount:
        """Carry out a packed descriptor; what it cost."""
        fields = unpack(descriptor)
        labels, events = Counter({"idle": 1, "prepare": 1}), Counter()
        for step in steps(self.spec, fields):
            if step.operation is not None:
                self._carry_out(step, fields)
                labels[LABEL_OF[step.operation.unit]] += 1
                events += events_of(step.operation)
            else:
                self.index[:] = 0
            if step.clears:
                self.turn[:] = 0
        refused = refusal(self.spec, fields)
        events["vector.refuse" if refused else "vector.descriptor"] = 1
        return VectorCount(cycles=sum(labels.values()), labels=labels, events=events, refused=refused)

    def _carry_out(self, step: Step, fields: Mapping[str, int]) -> None:
        operation = step.operation
        program = program_of(fields["opcode"])
        assert operation is not None
        assert program is not None
        place = step.addresses["d"]
        if operation.unit == "turn_in":
            self.turn[step.inner] = self.memory[step.addresses["a"]]
        elif operation.unit == "turn_out":
            self.memory[place] = self.turn[:, step.inner]
        elif operation.unit == "store_index":
            self.memory[place] = np.where(_LANE == 0, self.index[0], 0)
        elif operation.unit == "store":
            stored = encode(function.floats(self.registers["r0"]), _FORMATS[fields["output_format"]])
            kept = (step.lanes > _LANE) | (not program.masks)
            self.memory[place] = np.where(kept, stored, 0)
        else:
            self.registers[operation.to] = self._result(step, fields)

    def _result(self, step: Step, fields: Mapping[str, int]) -> np.ndarray:
        operation = step.operation
        assert operation is not None
        exchanged = _LANE ^ operation.exchange
        x = self._source(operation.x, step, fields)
        y = self._source(operation.y, step, fields)[exchanged]
        y = y ^ np.uint32(int(operation.negate) << 31)
        match operation.unit:
            case "multiply":
                return function.multiply(x, y)
            case "add":
                return function.add(x, y)
            case "maximum":
                return np.where(function.order_key(y) > function.order_key(x), y, x)
            case "select":
                place = self.index[exchanged] if operation.exchange else step.inner * LANES + _LANE
                x_key, y_key = function.order_key(x), function.order_key(y)
                wins = (y_key > x_key) | ((y_key == x_key) & (place < self.index))
                self.index = np.where(wins, place, self.index)
                return np.where(wins, y, x)
            case "exp2" | "reciprocal" | "root":
                return getattr(function, operation.unit)(x)
        return x.copy()

    def _source(self, source: Source, step: Step, fields: Mapping[str, int]) -> np.ndarray:
        if source in self.registers:
            return self.registers[source]
        if source in _CONSTANTS:
            return np.full(LANES, _CONSTANTS[source], np.uint32)
        if source in ("scale", "epsilon"):
            code = fields["scale"] if source == "scale" else fields["epsilon"] << 16
            return np.full(LANES, code, np.uint32)
        codes = self.turn[:, step.inner] if source == "turn" else self.memory[step.addresses[source]]
        wide = function.canonical(decode(codes, _FORMATS[fields["input_format"]]).astype(np.float32))
        program = program_of(fields["opcode"])
        assert program is not None
        return np.where(step.lanes > _LANE, wide, np.uint32(_CONSTANTS[program.fill]))


class SystemVectorUnit:
    """The vector unit among the other units of a system: its times by the closed form, its values by the machine.
    `events` counts what its descriptors have cost."""

    def __init__(self, spec: VectorSpec) -> None:
        self.spec = spec
        self.events: Counter[str] = Counter()
        self._machine: VectorMachine | None = None

    def run(self, word: int, taken: int) -> tuple[int, int]:
        """Of a descriptor taken in cycle `taken`: the cycle in which it ends or is refused, and its code or 0."""
        cost = count(self.spec, unpack(word))
        self.events += cost.events
        return taken + cost.cycles - 1, cost.refused

    def execute(self, word: int, shared: np.ndarray) -> None:
        """Carry it out on `shared`, uint16 (words, 16)."""
        if self._machine is None or self._machine.memory is not shared:
            self._machine = VectorMachine(self.spec, shared)
        self._machine.run(word)

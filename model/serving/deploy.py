"""A model on the cards of an instance behind an engine: what the simulator needs of it."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from hw.base.integer import ceil_div
from hw.spec.chip import Chip
from model.card.device import Device
from model.card.engine import ENGINES, Engine
from model.card.iteration import Iteration
from model.card.pim import PimMemory, beside, check_formats
from model.network.language import LanguageModel
from model.network.split import Split
from model.serving.costs import Costs
from model.serving.instance import Instance
from model.serving.layout import Layout
from model.serving.pim import PimMachine
from model.serving.policies import policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an engine is told; None: as it does if nothing is said.

    Parameters
    ----------
    order, batching, eviction : str or None
        Names of policies.
    tokens, sequences, block : int or None
        Most tokens of an iteration, most running requests, tokens of a block of the cache.
    keeps : bool or None
        Beginnings of prompts are kept.
    """

    order: str = "fcfs"
    batching: str | None = None
    eviction: str | None = None
    tokens: int | None = None
    sequences: int | None = None
    block: int | None = None
    keeps: bool | None = None

    def filled(self, engine: Engine) -> "Rules":
        """With the engine's own where nothing was said."""
        return Rules(
            order=self.order,
            batching=self.batching or ("chunked" if engine.chunked else "whole"),
            eviction=self.eviction or ("recompute" if engine.evicts else "reserve"),
            tokens=self.tokens or engine.tokens,
            sequences=self.sequences or engine.sequences,
            block=self.block or engine.block,
            keeps=engine.prefix_cache if self.keeps is None else self.keeps,
        )


PLANNED = 256
"""Running requests that a planner allows an engine at least: what vLLM's server takes on most cards."""


def planned(engine: Engine) -> Rules:
    """What a planner tells an engine."""
    return Rules(sequences=max(PLANNED, engine.sequences))


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """`model` on the devices of one instance.

    Parameters
    ----------
    device : Device
        One device of the instance's cards, as the card model sees it.
    model : LanguageModel
    split : Split
        How the model lies on the devices of the instance; one device if not given.
    weights, cache : str
        Number formats of the weights and of the key-value cache.
    engine : Engine
        Whose overheads and limits hold; vLLM if not given.
    rules : Rules
        What the engine is told beyond its defaults.
    chip : Chip or None
        What the device was made of, for its power and price.
    pim : str or None
        The memory is this one, with processing in it (`model.serving.pim`).
    streaming : bool
        Every token is sent to its client at once.
    """

    device: Device
    model: LanguageModel
    split: Split = field(default_factory=Split)
    weights: str = "fp16"
    cache: str = "fp16"
    engine: Engine = ENGINES["vllm"]
    rules: Rules = field(default_factory=Rules)
    chip: Chip | None = None
    pim: str | None = None
    streaming: bool = True

    @property
    def cards(self) -> float:
        """Cards of one instance."""
        return self.split.devices / self.device.devices

    @cached_property
    def memory(self) -> PimMemory | None:
        """The PIM memory of a device, whose pins come nearest to its own memory's."""
        if self.pim is None:
            return None
        check_formats(self.pim, self.weights, self.cache)
        return beside(self.pim, self.device.dram_bandwidth.nominal)

    def iteration(self) -> Iteration:
        """The card model's times; `InputError` if the model cannot lie so. With a PIM memory, of the card with that
        memory's bandwidth and capacity."""
        spec = self.device
        if self.memory is not None:
            there = {"dram_bandwidth": self.memory.bandwidth, "dram_capacity": self.memory.capacity,
                     "dram_usable": self.memory.capacity}  # fmt: skip
            spec = replace(
                spec,
                **{n: replace(getattr(spec, n), nominal=v, low=None, high=None) for n, v in there.items()},
            )
        return Iteration(
            spec,
            self.model,
            split=self.split,
            weights=self.weights,
            cache=self.cache,
            engine=self.engine,
            tokens=self.rules.filled(self.engine).tokens,
            sequences=self.rules.filled(self.engine).sequences,
            streaming=self.streaming,
        )

    def machine(self, iteration: Iteration) -> Any:
        """What gives the times of iterations: the card model, or what is wrapped around it."""
        machine: Any = iteration if self.memory is None else PimMachine(iteration, self.memory)
        return Lane(machine, iteration) if self.split.pipeline > 1 else machine

    @property
    def lanes(self) -> int:
        """Engines that share the cards of an instance: one for each micro-batch that is in the pipeline at a time, one
        for each data-parallel group."""
        return self.split.pipeline * self.split.data

    def costs(self, iteration: Iteration | None = None) -> Costs:
        """Nominal times."""
        return Costs(self.machine(iteration or self.iteration()))

    def instance(self, iteration: Iteration, costs: Costs, *, speed: float = 1.0, name: str = "instance") -> Instance:
        """An engine on the cards of `iteration`, with the times of `costs`: one of its `lanes`."""
        rules = self.rules.filled(self.engine)
        layout = layout_of(iteration, rules.block or 1)
        return Instance(
            costs,
            layout,
            # micro-batches share the cache of all stages, data-parallel groups have their own
            blocks=layout.blocks(iteration.cache_room) // self.split.pipeline,
            tokens=rules.tokens or 1,
            sequences=max(1, (rules.sequences or 1) // self.lanes),
            order=policy("order", rules.order)(),
            batching=policy("batching", rules.batching or ""),
            eviction=policy("eviction", rules.eviction or ""),
            keeps=bool(rules.keeps),
            swap=iteration.cache_bytes_per_token / self.device.host_bandwidth.nominal,
            speed=speed,
            ahead=self.engine.ahead,
            name=name,
        )

    def told(self, **changes: Any) -> "Deployed":
        """The same under other rules."""
        return replace(self, rules=replace(self.rules, **changes))


class Lane:
    """One of the micro-batches that a pipeline holds at a time: it starts anew when its tokens are out and all others
    had their turn."""

    def __init__(self, machine: Any, iteration: Iteration) -> None:
        self.machine = machine
        self.iteration = iteration
        self.stages = iteration.split.pipeline

    def seconds(self, mixture: Any) -> float:
        """Between two starts of the same micro-batch."""
        return max(self.machine.seconds(mixture), self.stages * self.iteration.interval(mixture))


def layout_of(iteration: Iteration, block: int) -> Layout:
    """What a request takes of the fullest device, by kinds of layers."""
    serving = iteration.serving
    shares = [
        (shape.window, ceil_div(count, serving.pipeline) * shape.cache_elements)
        for count, shape in serving.attentions
        if shape.stored
    ]
    total = sum(elements for _, elements in shares)
    byte = iteration.cache_bytes_per_token / total if total else 0.0
    return Layout(
        block=block,
        full=byte * sum(elements for window, elements in shares if not window),
        windowed=byte * sum(elements for window, elements in shares if window),
        window=iteration.model.window,
        state=serving.state_bytes,
    )

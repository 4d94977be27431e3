"""A language model on cards: one prefill, one decode step, tokens per second, and what fits."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from hw.base.error import InputError
from hw.spec.number import number_format
from model.card.device import Device, family
from model.card.layer_time import BOUNDS, Formats, LayerTime, Machine
from model.card.machine import NOMINAL, Extra, machine
from model.card.pim import SOURCES, PimMemory
from model.card.run import network_layers
from model.energy.price import Interval
from model.network.layer import Network
from model.network.llm import LanguageModel
from model.network.serving import Serving

Choice = Literal["time", "energy", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One prefill or decode step: `time` in seconds, what bound how many of them, and how many were spent on PIM
    (on products with weights alone). `energy`: joules of the memory and the multiply-accumulates of all products, with
    a PIM memory whose events somebody prices.

    Parameters
    ----------
    batch : int
        Sequences together.
    bound : dict of str to float
        Seconds by what bound them (`layer_time.BOUNDS`); those on PIM count as "memory".
    on_pim, weights_on_pim : float
        Seconds that the PIM memory takes for products, and for those with weights; 0 without one.
    """

    time: float
    batch: int
    bound: dict[str, float]
    on_pim: float = 0.0
    weights_on_pim: float = 0.0
    energy: Interval | None = None
    layers: tuple[LayerTime, ...] = ()
    """Layers of one transformer block and of the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """`model` on `cards` cards of `device`, tensor parallel over all their devices.

    Parameters
    ----------
    device : Device
    model : LanguageModel
    cards : int
    weight_format, cache_format : str
        Number formats of the weights and of the key-value cache (`hw.spec.number.FORMATS`).
    pim : PimMemory or None
        The memory is one with processing in it; it takes a product where that is faster, or cheaper.
    choose : "time", "energy" or "never"
        By which of the two the memory takes a product.
    extra : Extra
        Values of the rules, nominal if not given.
    """

    device: Device
    model: LanguageModel
    cards: int = 1
    weight_format: str = "fp16"
    cache_format: str = "fp16"
    pim: PimMemory | None = None
    choose: Choice = "time"
    extra: Extra = NOMINAL

    @property
    def parts(self) -> int:
        """Devices that share the model."""
        return self.cards * self.device.devices

    @property
    def serving(self) -> Serving:
        """What each device holds and computes; raises `InputError` if heads do not divide."""
        return Serving(
            model=self.model, cards=self.parts, weight_format=self.weight_format, cache_format=self.cache_format
        )

    def largest_batch(self, context: int) -> int:
        """Sequences of `context` tokens that fit beside the weights; `InputError` if not one does."""
        return self.serving.largest_batch(context, self.device.dram_capacity.nominal)

    def prefill(self, tokens: int, batch: int = 1) -> Step:
        """`batch` prompts of `tokens` tokens."""
        return self._step("prefill", tokens, batch)

    def decode(self, context: int, batch: int) -> Step:
        """One token for each of `batch` sequences that then hold `context` tokens; `InputError` if they do not fit."""
        most = self.largest_batch(context)
        if batch > most:
            raise InputError(f"the key-value cache must fit: {most} sequences of {context} tokens do, not {batch}")
        return self._step("decode", context, batch)

    def tokens_per_second(self, prompt: int, answer: int, batch: int, beams: int = 1) -> float:
        """Answer tokens per second of `batch` requests together: their prefill, then `answer` steps, each at the mean
        context. Each of `beams` beams is a sequence of its own in the steps; one of them is the answer."""
        return batch * answer / self.request_time(prompt, answer, batch, beams)

    def request_time(self, prompt: int, answer: int, batch: int, beams: int = 1) -> float:
        """Seconds from the prompts of `batch` requests to the end of their answers."""
        self.decode(prompt + answer, batch * beams)
        step = self.decode(prompt + (answer + 1) // 2, batch * beams).time
        return self.prefill(prompt, batch).time + answer * step

    def batches(self, context: int, beams: int = 1) -> list[int]:
        """Requests together: powers of two up to what fits, and what fits; `InputError` if not one does."""
        most = self.largest_batch(context) // beams
        if most < 1:
            raise InputError(
                f"the key-value cache must hold {beams} sequences of {context} tokens for one request of "
                f"{beams} beams, not {self.largest_batch(context)}; use more cards"
            )
        return sorted({1 << i for i in range(most.bit_length())} | {most})

    def best_throughput(
        self, prompt: int, answer: int, beams: int = 1, longest: float | None = None
    ) -> tuple[int, float]:
        """(batch, tokens per second) at the batch of a power of two, or the largest, that gives most; with `longest`,
        of those whose requests take at most so many seconds."""
        found = [
            (b, self.tokens_per_second(prompt, answer, b, beams))
            for b in self.batches(prompt + answer, beams)
            if longest is None or self.request_time(prompt, answer, b, beams) <= longest
        ]
        if not found:
            raise InputError(
                f"a request must end within {longest:g} s; one of {prompt} + {answer} tokens alone takes "
                f"{self.request_time(prompt, answer, 1, beams):.3g} s on {self.device.title}"
            )
        return max(found, key=lambda pair: pair[1])

    def _step(self, phase: str, tokens: int, batch: int) -> Step:
        group = _machine(self.device, compute_format(self.device, self.weight_format), self.parts, self.extra)
        if self.pim is not None:
            group = replace(group, dram=self.pim.bandwidth * self.extra.dram_efficiency)
        return _step(self.serving, group, phase, tokens, batch, self.device_formats, self.pim, self.choose)

    @property
    def device_formats(self) -> Formats:
        """Bytes of weights, activations, cache."""
        compute = compute_format(self.device, self.weight_format)
        # sums and residuals travel as 16 bits even where products are of 8
        activation = "fp16" if number_format(compute).bits <= 16 else compute
        return Formats.of(self.weight_format, activation, self.cache_format)


def compute_format(device: Device, weight_format: str) -> str:
    """The format products are computed in: that of the weights if the chip multiplies it, else the next wider.

    Raises
    ------
    InputError
        If the chip has none.
    """
    wider = {
        "int4": ("int4", "int8", "fp8_e4m3", "fp16"),
        "int8": ("int8", "fp16"),
        "fp8_e4m3": ("fp8_e4m3", "fp16"),
        "fp8_e5m2": ("fp8_e5m2", "fp16"),
        "fp16": ("fp16",),
        "bf16": ("bf16",),
    }
    for number in wider.get(weight_format, ()):
        if family(number) in device.peaks:
            return number
    known = ", ".join(sorted(device.peaks))
    raise InputError(f"weights must be in a format the chip can multiply ({known}), not {weight_format}")


def chosen_format(device: Device, model: LanguageModel) -> str:
    """The format that is served in where nobody chooses: what the file's weights are multiplied in if it states their
    layout, else the narrowest that the chip has."""
    return model.quantization.compute if model.quantization is not None else serving_format(device)


def serving_format(device: Device) -> str:
    """The narrowest of FP8, INT8 and FP16 that the chip multiplies."""
    for number in ("fp8_e4m3", "int8", "fp16"):
        if family(number) in device.peaks:
            return number
    raise InputError(f"a chip must multiply FP8, INT8 or FP16 to serve a language model, {device.title} does not")


@lru_cache(maxsize=1024)
def _machine(device: Device, number: str, parts: int, extra: Extra) -> Machine:
    return machine(device, number, cards=parts, extra=extra)


@lru_cache(maxsize=1024)
def _block(serving: Serving, phase: str, tokens: int, batch: int) -> Network:
    """The network with a single transformer block: all blocks are equal."""
    single = replace(serving, model=serving.model.single())
    return single.prefill(tokens, batch) if phase == "prefill" else single.decode(tokens, batch)


@lru_cache(maxsize=4096)
def _step(
    serving: Serving,
    group: Machine,
    phase: str,
    tokens: int,
    batch: int,
    formats: Formats,
    pim: PimMemory | None,
    choose: Choice,
) -> Step:
    layers = network_layers(
        _block(serving, phase, tokens, batch),
        group,
        formats,
        streams_cache=phase == "decode",
        resident=serving.weight_bytes <= group.sram / 2,
    )
    shapes = {layer.name: layer for layer in _block(serving, phase, tokens, batch).layers}
    bound: dict[str, float] = dict.fromkeys(BOUNDS, 0.0)
    total = on_pim = weights_on_pim = 0.0
    energy = Interval(low=0.0, nominal=0.0, high=0.0) if pim is not None and pim.name in SOURCES else None
    for layer in layers:
        times = serving.model.layers if layer.name.startswith("layer0_") else 1
        time = layer.time
        if pim is not None and layer.macs and phase == "decode":
            shape, there = shapes[layer.name], pim.layer_time(shapes[layer.name])
            takes = choose == "time" and there < time
            if energy is not None:
                here, at_pim = pim.plain_energy(shape, layer.bytes, time), pim.layer_energy(shape)
                takes = takes or (choose == "energy" and at_pim.nominal < here.nominal)
                energy = energy + (at_pim if takes else here) * times
            if takes:
                time = there
                on_pim += there * times
                weights_on_pim += there * times * shape.stationary
        bound[layer.bound if time == layer.time else "memory"] += time * times
        total += time * times
    return Step(
        time=total,
        batch=batch,
        bound=bound,
        on_pim=on_pim,
        weights_on_pim=weights_on_pim,
        energy=energy,
        layers=tuple(layers),
    )

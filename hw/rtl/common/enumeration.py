"""Enumerations made of data, for signals that waveforms show as text."""

import enum
from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

IDLE = "IDLE"


def enumeration(name: str, values: Mapping[str, int]) -> Any:
    """An enumeration called `name` with the given members."""
    return enum.Enum(name, dict(values))


def show_when(m: Module, name: str, condition: Value, value: Value, texts: Mapping[str, int]) -> None:
    """A signal called `name` for waveforms only: the text of `value` while `condition` holds, else IDLE."""
    idle = max(texts.values()) + 1
    shown = Signal(enumeration(name.capitalize(), {**texts, IDLE: idle}), name=name, attrs={"keep": 1})
    m.d.comb += Value.cast(shown).eq(Mux(condition, value, idle))

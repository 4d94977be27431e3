"""Fields of a `config.json`, by name and kind; every refusal names the field, what it holds and what it must be."""

from collections.abc import Mapping
from typing import Any

from hw.base.error import InputError

MISSING: Any = object()

LARGEST = 2**31 - 1
"""The largest whole number of a configuration."""
MOST_LAYERS = 10_000
"""Layers are made one by one: so many at most."""


class Config:
    """The fields of the configuration called `name`.

    Parameters
    ----------
    name : str
        Of the model, for messages.
    fields : mapping of str to anything
        As in the file; `null` counts as absent.
    defaults : mapping of str to anything
        What the library fills in for a part of a larger file, which is written without the fields that have these
        values.
    """

    def __init__(self, name: str, fields: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.fields = fields
        self.defaults = defaults or {}

    def get(self, *names: str, default: Any = MISSING) -> Any:
        """The first of the fields `names` that is there, or the default.

        Raises
        ------
        InputError
            If there is neither.
        """
        for place in (self.fields, self.defaults):
            for field in names:
                if place.get(field) is not None:
                    return place[field]
        if default is MISSING:
            raise InputError(f"the configuration of {self.name} must have the field {names[0]!r}; add it")
        return default

    def has(self, *names: str) -> bool:
        """Whether one of the fields is there."""
        return self.get(*names, default=None) is not None

    def whole(self, *names: str, default: Any = MISSING, least: int = 1) -> int:
        """An integer of at least `least` and at most `LARGEST`, of layers `MOST_LAYERS`."""
        value = self.get(*names, default=default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(
                f"{self._found(names)} of {self.name} must be an integer of at least {least}, not {value!r}"
            )
        most = MOST_LAYERS if any("layer" in name for name in names) else LARGEST
        if value > most:
            raise InputError(f"{self._found(names)} of {self.name} must be at most {most}, not {value}")
        return value

    def number(self, *names: str, default: Any = MISSING) -> float:
        """A number above 0."""
        value = self.get(*names, default=default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e30:
            raise InputError(f"{self._found(names)} of {self.name} must be a number above 0, not {value!r}")
        return float(value)

    def flag(self, *names: str, default: bool = False) -> bool:
        """True or false."""
        value = self.get(*names, default=default)
        if not isinstance(value, bool):
            raise InputError(f"{self._found(names)} of {self.name} must be true or false, not {value!r}")
        return value

    def text(self, *names: str, default: Any = MISSING) -> str:
        """A text."""
        value = self.get(*names, default=default)
        if not isinstance(value, str):
            raise InputError(f"{self._found(names)} of {self.name} must be a text, not {value!r}")
        return value

    def items(self, *names: str, default: Any = MISSING) -> list[Any]:
        """A list; one value counts as a list of it where a number may stand for many."""
        value = self.get(*names, default=default)
        if not isinstance(value, list):
            raise InputError(f"{self._found(names)} of {self.name} must be a list, not {value!r}")
        return value

    def each(self, count: int, *names: str, known: tuple[Any, ...]) -> list[Any]:
        """A list with one of `known` for each of `count` layers; empty if the file has none."""
        value = self.items(*names, default=[])
        if value and len(value) != count:
            raise InputError(
                f"{self._found(names)} of {self.name} must list its {count} layers, not {len(value)} of them"
            )
        for item in value:
            if item not in known or isinstance(item, bool) != isinstance(known[0], bool):
                raise InputError(
                    f"{self._found(names)} of {self.name} must hold {', '.join(map(str, known))}, not {item!r}"
                )
        return value

    def part(self, *names: str) -> "Config | None":
        """The fields inside one of the fields `names`, or None."""
        value = self.get(*names, default=None)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise InputError(f"{self._found(names)} of {self.name} must hold an object, not {value!r}")
        return Config(self.name, value)

    def head_size(self, hidden: int, heads: int, *names: str) -> int:
        """The width of a head: a field of its own, or the hidden size divided by the heads.

        Raises
        ------
        InputError
            If it is not given and the heads do not divide the hidden size.
        """
        if self.has(*(names or ("head_dim",))):
            return self.whole(*(names or ("head_dim",)))
        if hidden % heads:
            raise InputError(
                f"the heads of {self.name} must divide its hidden size of {hidden}, not {heads}; add the field "
                "'head_dim' if its heads are of another width"
            )
        return hidden // heads

    def positions(self) -> int:
        """The longest context: as trained, stretched by `rope_scaling` where the file counts it apart."""
        given = self.whole(
            "max_position_embeddings",
            "max_sequence_length",
            "n_positions",
            "model_max_length",
            "seq_length",
            "max_seq_len",
            "n_ctx",
            default=1 << 20,
        )
        scaling = self.get("rope_scaling", "rope_parameters", default=None)
        if not isinstance(scaling, Mapping):
            return given
        kind, stretched = scaling.get("rope_type", scaling.get("type")), Config(self.name, scaling)
        factor = stretched.number("factor", default=1.0)
        original = stretched.get("original_max_position_embeddings", default=None)
        if original is not None:
            original = stretched.whole("original_max_position_embeddings")
        if kind in ("yarn", "linear", "dynamic") and factor > 1:
            # files with the trained length beside the factor mostly give the stretched one as positions already
            if original is None and kind == "yarn":
                return given
            return max(given, round(float(original or given) * factor))
        return given

    def _found(self, names: tuple[str, ...]) -> str:
        return next((n for n in names if self.fields.get(n) is not None), names[0])

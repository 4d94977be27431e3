"""How a language model lies on the devices of one instance."""

from dataclasses import dataclass

from hw.base.error import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`tensor` x `pipeline` x `data` devices hold one instance.

    Parameters
    ----------
    tensor : int
        Devices that share every layer: heads, feed-forward columns, vocabulary.
    pipeline : int
        Groups of devices that hold consecutive layers.
    data : int
        Groups of devices that each run the attention of their own sequences; experts see the tokens of all of them.
    expert : int
        Devices over which whole experts are spread, at most `tensor` x `data`; 1: every expert is cut by `tensor`.
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: int = 1

    def __post_init__(self) -> None:
        for name in ("tensor", "pipeline", "data", "expert"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} parallelism must be an integer of at least 1, not {value!r}")
        if (self.tensor * self.data) % self.expert:
            raise InputError(
                f"experts must be spread over a divisor of the {self.tensor * self.data} devices of a "
                f"pipeline stage, not {self.expert}"
            )
        if self.data > 1 and self.expert == 1:
            raise InputError(
                "data parallelism within an instance must spread experts (expert above 1); instances of "
                "their own are replicas"
            )

    @property
    def devices(self) -> int:
        """Devices of one instance."""
        return self.tensor * self.pipeline * self.data

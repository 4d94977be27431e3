"""What a machine should do, and when: reference, cycle models, records, projection.

>>> from model import gemm_cycles
>>> timing = gemm_cycles("npu_16", m=256, n=256, k=256)
>>> timing.cycles
65593
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.api import gemm_cycles

__all__ = ["gemm_cycles"]


def __getattr__(name: str) -> Any:
    # Looked up when it is asked for: a bench that imports one module of the model must not load all of it.
    if name in __all__:
        from model import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

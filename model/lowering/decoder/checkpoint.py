"""Weights from safetensors: names, shapes, numbers checked against the configuration."""

from pathlib import Path

import numpy as np

from hw.base.error import InputError
from model.language.config import DecoderConfig


def read_weights(path: Path, config: DecoderConfig) -> dict[str, np.ndarray]:
    """Tensor name -> float32 array, for exactly the tensors that `config` asks for.

    Raises `InputError` for a file that cannot be read or is cut short, a tensor that is missing or has another shape,
    and numbers that are not finite.
    """
    from safetensors import SafetensorError, safe_open

    found: dict[str, np.ndarray] = {}
    try:
        with safe_open(path, "np") as file:
            names = set(file.keys())
            for name, shape in config.shapes().items():
                if name not in names:
                    raise InputError(f"{path.name} must hold the tensor {name!r}; it has {len(names)} others")
                tensor = np.asarray(file.get_tensor(name)).astype(np.float32)
                if tensor.shape != shape:
                    raise InputError(
                        f"{name} in {path.name} must have the shape {shape} of the configuration, not {tensor.shape}"
                    )
                found[name] = tensor
    except FileNotFoundError as e:
        raise InputError(f"{path} must be a safetensors file; there is none") from e
    except (SafetensorError, OSError, ValueError, TypeError) as e:
        raise InputError(f"{path.name} must be a whole safetensors file: {e}; fetch or write it again") from e
    check_finite(found)
    return found


def check_finite(weights: dict[str, np.ndarray]) -> None:
    """Refuse weights with NaN or infinities."""
    for name, tensor in weights.items():
        bad = np.argwhere(~np.isfinite(tensor))
        if len(bad):
            raise InputError(
                f"weights must be finite numbers, but {name} has {tensor[tuple(bad[0])]} at "
                f"{tuple(int(i) for i in bad[0])} ({len(bad)} such in all)"
            )

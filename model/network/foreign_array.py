"""The array of a SCALE-Sim configuration as a core: rows, columns, dataflow, scratchpads."""

import configparser
from pathlib import Path

from hw.base.error import InputError
from hw.spec.core import CoreSpec
from hw.spec.mac_array import MacArraySpec


def read_scale_sim(path: Path) -> CoreSpec:
    """The core of a SCALE-Sim .cfg: INT8, scratchpads of the stated kilobytes in words of the array's edges.

    Raises
    ------
    InputError
        If the file lacks a size, or its dataflow is input-stationary, which is the transposed product here.
    """
    parser = configparser.ConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} must be a readable file ({error.strerror}); give another path") from None
    except (configparser.Error, UnicodeDecodeError):
        raise InputError(
            f"{path} must be a SCALE-Sim configuration with sections in brackets; give another file"
        ) from None
    section = "architecture_presets"
    if not parser.has_section(section):
        raise InputError(f"{path} must have the section [{section}]; give a SCALE-Sim configuration")
    values = {}
    for name in ("ArrayHeight", "ArrayWidth", "IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB"):
        text = parser.get(section, name, fallback="").strip()
        if not text.isdecimal() or not 0 < int(text) < 1 << 24:
            raise InputError(f"{path}: {name} must be a whole number from 1 to 16777215, not {text!r}; correct it")
        values[name] = int(text)
    dataflow = parser.get(section, "Dataflow", fallback="ws").strip().lower()
    if dataflow not in ("ws", "os"):
        raise InputError(
            f"{path}: Dataflow must be ws or os here, not {dataflow!r}; `cycles --dataflow is` counts the "
            f"transposed product"
        )
    rows, columns = values["ArrayHeight"], values["ArrayWidth"]
    array = MacArraySpec(rows=rows, columns=columns, dataflow=dataflow)  # type: ignore[arg-type]
    least = max(4 * rows, 2 * rows + columns + 2)
    return CoreSpec(
        array=array,
        activation_words=max(1, values["IfmapSramSzkB"] * 1024 // rows),
        weight_words=max(rows, values["FilterSramSzkB"] * 1024 // columns),
        accumulator_rows=1 << (least - 1).bit_length(),
        output_words=max(1, values["OfmapSramSzkB"] * 1024 // columns),
    )

"""What a person types to run this project, as messages and help texts print it."""

import os
from pathlib import Path

NAME = "kcloud-cosim"
"""The installed command, and the launcher at the top of a checkout."""


def spelled() -> str:
    """The command as it works where the reader stands: "./kcloud-cosim" in a checkout, else "kcloud-cosim"."""
    return f"./{NAME}" if os.access(Path(NAME), os.X_OK) and Path(NAME).is_file() else NAME


def as_typed(text: str) -> str:
    """`text` with every "kcloud-cosim VERB" spelled so that it can be copied into the reader's terminal."""
    own = spelled()
    return text if own == NAME else text.replace(f"./{NAME} ", f"{NAME} ").replace(f"{NAME} ", f"{own} ")

"""Where things lie: the source, the committed records, what a run writes. A checkout and an installed wheel differ."""

from pathlib import Path

from hw.base.error import InputError

SOURCE = Path(__file__).resolve().parents[2]
"""The folder that holds the packages `hw`, `model` and `tb`: the top of a checkout, or site-packages."""


def in_checkout() -> bool:
    """Whether the packages are those of a checkout (editable installs included), not of an installed wheel."""
    return (SOURCE / "pyproject.toml").is_file() and (SOURCE / "Makefile").is_file()


def measurements() -> Path:
    """The committed records: `measurements` of the checkout, or the copy that the wheel carries inside `model`."""
    return SOURCE / "measurements" if in_checkout() else SOURCE / "model" / "measurements"


def build() -> Path:
    """Where runs keep what they make: `build` of the checkout, or of the folder an installed command was called in."""
    return SOURCE / "build" if in_checkout() else Path.cwd() / "build"


def checkout(what: str) -> Path:
    """The top of the checkout.

    Parameters
    ----------
    what : str
        What needs it, the start of the sentence that refuses an installed wheel.

    Raises
    ------
    InputError
        If the packages are installed, not a checkout.
    """
    if not in_checkout():
        raise InputError(f"{what} must run in a checkout of the project, not from an installed package; clone it first")
    return SOURCE

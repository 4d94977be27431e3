"""The command line shared by the verbs of `model` and of `tb`: one file in `cli/` is one verb.

A verb's module has a one-line docstring (its help), `add_arguments(parser)` and `run(arguments) -> int`.
"""

import argparse
import contextlib
import errno
import importlib
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import NoReturn

from hw.base import catalog
from hw.base.error import InputError
from hw.base.place import in_checkout
from hw.base.program import NAME, as_typed

_DISK = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR}
"""What goes wrong with a folder that cannot be written or a disk that is full."""


class _Parser(argparse.ArgumentParser):
    """Bad options are one sentence too, without the list of all options before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, as_typed(f"error: {message}; `{self.prog} --help` lists what it takes\n"))


_OURS = {"hw", "model", "tb"}


def _missing(package: str) -> str:
    """One sentence for an interpreter that lacks a package of the lock file."""
    how = f"./{NAME} VERB" if in_checkout() else f"pip install {NAME}"
    return f"error: the locked packages must be installed, and {package!r} is not in this Python; `{how}` has them all"


def main(program: str, package: ModuleType, argv: list[str] | None = None) -> int:
    """Run the verb named by the first argument; the process's exit code. `program` is what stands before the verb.

    0 on success, 1 when a run found a failure, 2 on bad input (one sentence on stderr), 130 on Ctrl-C, 143 on SIGTERM,
    129 when the terminal is gone; whatever was started ends with us.
    Only the chosen verb's module is imported, so one verb's dependencies do not slow another.
    """
    argv = sys.argv[1:] if argv is None else argv
    verbs = catalog.names(package)
    chosen = argv[0] if argv and argv[0] in verbs else None
    argv = _negative_values(argv)
    parser = _Parser(prog=as_typed(f"{NAME} {program} ").strip(), allow_abbrev=False)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in verbs if chosen is None else [chosen]:
        try:
            module = importlib.import_module(f"{package.__name__}.{verb}")
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in _OURS:
                raise
            print(_missing(error.name or "a package"), file=sys.stderr)
            return 2
        text = as_typed((module.__doc__ or "").strip())
        sub = commands.add_parser(
            verb,
            help=text.splitlines()[0] if text else "",
            description=text,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    try:
        with stopping():
            code = int(arguments.run(arguments) or 0)
        sys.stdout.flush()  # here, where a full disk is one sentence, and not when the interpreter ends
        return code
    except InputError as error:
        print(as_typed(f"error: {error}"), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # `... | head` closed our stdout: not an error, and nothing more can be said there.
        _say_no_more()
        return 0
    except OSError as error:
        if error.errno not in _DISK:
            raise
        try:
            sys.stdout.flush()
        except OSError:
            _say_no_more()
        where = error.filename or "the output or the build folder"
        print(
            f"error: {where} must be writable and have free space, it is not ({error.strerror}); free some space or "
            "change rights",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt as stop:
        with contextlib.suppress(OSError):
            print("stopped: nothing half-written was kept; the next run goes on", file=sys.stderr)
        return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)
    except MemoryError:
        print("error: the work must fit in this machine's memory, it does not; ask for less at once", file=sys.stderr)
        return 2


def _say_no_more() -> None:
    """What is left for stdout goes nowhere: the interpreter would try it once more at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Stopped(KeyboardInterrupt):
    """A signal asks us to end; everything is cleaned up as on Ctrl-C.

    Parameters
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise `Stopped`, once: what timeout, CI and systemd send is what Ctrl-C is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        for other in watched:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    watched = [
        s
        for s in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(s) in (signal.SIG_DFL, signal.default_int_handler)
    ]
    for number in watched:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in watched:
            signal.signal(number, signal.SIG_DFL)


def _negative_values(argv: list[str]) -> list[str]:
    """`--gemm -1,4,4` as `--gemm=-1,4,4`: argparse takes the value for an option, its sentence helps nobody."""
    joined: list[str] = []
    for word in argv:
        if joined and re.match(r"-\d", word) and re.fullmatch(r"--[a-z-]+", joined[-1]):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined

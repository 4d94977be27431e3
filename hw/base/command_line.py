"""The command line shared by `python -m model` and `python -m tb`: one file in `cli/` is one verb.

A verb's module has a one-line docstring (its help), `add_arguments(parser)` and `run(arguments) -> int`.
"""

import argparse
import errno
import importlib
import os
import re
import sys
from types import ModuleType
from typing import NoReturn

from hw.base import catalog
from hw.base.error import InputError

_DISK = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR}
"""What goes wrong with a folder that cannot be written or a disk that is full."""


class _Parser(argparse.ArgumentParser):
    """Bad options are one sentence too, without the list of all options before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; `{self.prog} --help` lists what it takes\n")


def main(program: str, package: ModuleType, argv: list[str] | None = None) -> int:
    """Run the verb named by the first argument; the process's exit code.

    0 on success, 1 when a run found a failure, 2 on bad input (one sentence on stderr), 130 on Ctrl-C.
    Only the chosen verb's module is imported, so one verb's dependencies do not slow another.
    """
    argv = sys.argv[1:] if argv is None else argv
    verbs = catalog.names(package)
    chosen = argv[0] if argv and argv[0] in verbs else None
    argv = _negative_values(argv)
    parser = _Parser(prog=f"python -m {program}", allow_abbrev=False)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in verbs if chosen is None else [chosen]:
        module = importlib.import_module(f"{package.__name__}.{verb}")
        text = (module.__doc__ or "").strip()
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
        return int(arguments.run(arguments) or 0)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # `... | head` closed our stdout: not an error, and nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in _DISK:
            raise
        print(
            f"error: {error.filename or 'the build folder'} must be writable and have free space, it is not "
            f"({error.strerror}); free some space or change rights",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("stopped: nothing half-written was kept; the next run goes on", file=sys.stderr)
        return 130


def _negative_values(argv: list[str]) -> list[str]:
    """`--gemm -1,4,4` as `--gemm=-1,4,4`: argparse takes the value for an option, its sentence helps nobody."""
    joined: list[str] = []
    for word in argv:
        if joined and re.match(r"-\d", word) and re.fullmatch(r"--[a-z-]+", joined[-1]):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined

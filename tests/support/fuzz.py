"""`make fuzz`: drawn command lines and files, looking for tracebacks, hangs and memory without end.

Every verb that reads something is called in this process by the function its command line is; a case must end within
its time with exit code 0, 1 or 2. What does not is kept below build/fuzz with its files and the seed that repeats it.

    python -m tests.support.fuzz --seconds 600 --seed 1            until the time is over
    python -m tests.support.fuzz --seed 1 --first 4711 --cases 1   one case again
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import model.cli
from hw import chips
from hw.base import command_line
from hw.base.seed import seed
from model import workloads
from tests.support import fuzz_files

PROGRESS = re.compile(r", \d+ s(?: of about \d+ s)?$")
"""End of the lines in which a long run says how far it is, on stderr."""
LIMIT_S = 60.0
"""CPU time of one case. The longest right ones are a language model stepped through a system, some 20 s alone on a
machine and half as much again beside other work."""
MEMORY = 6 << 30
NUMBERS = (
    "1",
    "2",
    "3",
    "8",
    "16",
    "64",
    "1000",
    "0",
    "-1",
    "1e9",
    "nan",
    "inf",
    "x",
    "",
    str(10**20),
    str(10**40),
    "0x10",
)
FORMATS = ("int8", "fp16", "bf16", "fp8_e4m3", "int4", "fp8", "nothing")


class TooSlow(BaseException):
    """A case took longer than it may."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a case did wrong: `place` groups equal faults."""

    index: int
    words: tuple[str, ...]
    place: str
    text: str


def draw(rng: random.Random, folder: Path) -> list[str]:
    """A command line of `model`."""

    def some(*options: tuple[str, Any], chance: float = 0.4) -> list[str]:
        words: list[str] = []
        for name, value in options:
            if rng.random() < chance:
                drawn = value() if callable(value) else value
                words += [name] if drawn is None else [name, str(drawn)]
        return words

    def number() -> str:
        return rng.choice(NUMBERS) if rng.random() < 0.4 else rng.choice(NUMBERS[:6])

    def name(known: list[str]) -> str:
        return rng.choice(known) if rng.random() < 0.9 else rng.choice(("", "x", "npu16", "../x", "a b", "x" * 300))

    def chip() -> str:
        if rng.random() < 0.15:
            return str(fuzz_files.write(rng, folder, rng.choice(("chip", "python"))))
        return name(CHIPS)

    def file(kind: str) -> str:
        if rng.random() < 0.05:
            return rng.choice((str(folder), str(folder / "gone"), "/dev/null", "", __file__))
        return str(fuzz_files.write(rng, folder, kind))

    def sizes(count: int) -> str:
        return ",".join(number() for _ in range(count if rng.random() < 0.9 else rng.randrange(9)))

    network = ["--network", file("onnx")] if rng.random() < 0.9 else []
    dimension = some(
        ("--dimension", lambda: rng.choice(("n=4", "x.0=2", "n=", "=3", f"n={10**25}", "x.1=0"))), chance=0.3
    )
    verb = rng.choice(VERBS)
    if verb == "cycles":
        kind = rng.randrange(4)
        if kind == 0:
            words = ["--gemm", sizes(3)]
        elif kind == 1:
            words = ["--conv", sizes(6 + rng.randrange(3))]
        elif kind == 2:
            words = ["--network", file("onnx"), *dimension]
        else:
            words = ["--kernel", rng.choice(("gemv", "add", "mul", "relu", "ewmul", "x"))]
            return [verb, *words, *some(("--chip", lambda: rng.choice(("hbm_pim", "aim", "tiny"))), ("--out", number),
                                        ("--in", number), ("--batch", number), ("--elements", number),
                                        ("--channels", number), ("--ranks", number), ("--json", None))]  # fmt: skip
        return [verb, *words, *some(("--rows", number), ("--columns", number), ("--json", None), ("--chip", chip),
                                    ("--dataflow", lambda: rng.choice(("ws", "os", "is", "x"))),
                                    ("--set", lambda: rng.choice(SETTINGS) + "=" + number()))]  # fmt: skip
    if verb == "network":
        return [verb, *(network[1:] or [""]), *dimension, *some(("--batch", number), ("--json", None), ("--all", None))]
    if verb == "device":
        return [verb, *network, *dimension, *some(("--chip", chip), ("--format", lambda: rng.choice(FORMATS)),
                                                  ("--batch", number), ("--limit", number), ("--layers", None),
                                                  ("--scenario", lambda: rng.choice(SCENARIOS)))]  # fmt: skip
    if verb == "predict":
        work = network or some(("--workload", lambda: name(WORKLOADS)), chance=0.9)
        return [verb, *work, *dimension, *some(("--chip", chip), ("--seed", number), ("--layers", None))]
    if verb == "language":
        return [verb, file("config") if rng.random() < 0.8 else name(["llama31_8b", "gptj_6b"]),
                *some(("--cards", number), ("--context", number), ("--batch", number), ("--memory", number),
                      ("--weights", lambda: rng.choice(FORMATS)))]  # fmt: skip
    if verb == "serve":
        return [verb, "--model", file("config"), *some(("--cards", number), ("--prompt", number), ("--answer", number),
                                                       ("--batch", number), ("--beams", number),
                                                       ("--chip", chip))]  # fmt: skip
    if verb == "pim":
        if rng.random() < 0.3:
            return [verb, rng.choice(("--assemble", "--disassemble")), file(rng.choice(("hex", "text"))),
                    *some(("--chip", lambda: rng.choice(("hbm_pim", "aim"))))]  # fmt: skip
        return [verb, "--chip", rng.choice(("hbm_pim", "aim", "tiny")), "--kernel",
                rng.choice(("gemv", "add", "relu", "ewmul", "x")), "--output", str(folder / "y.npy"),
                *some(("--weights", lambda: file("npy")), ("--input", lambda: file("npy")),
                      ("--second", lambda: file("npy")), chance=0.8)]  # fmt: skip
    return [
        verb,
        *some(("--list", None), ("--drivers", None), chance=0.2),
        rng.choice(("gwangju.wall_kw", "x", "run.a.b.1.c")),
    ]


VERBS = ("cycles",) * 4 + ("network",) * 3 + ("device", "predict", "language", "language", "serve", "pim", "pim")
SCENARIOS = ("offline", "single_stream", "multi_stream", "server", "x")
SETTINGS = (
    "rows",
    "columns",
    "mac_latency",
    "accumulator_rows",
    "latency_cycles",
    "bytes_per_cycle",
    "drain",
    "nothing",
)
CHIPS = [n for n in chips.names() if not n.startswith("nvidia")]
WORKLOADS = [n for n in workloads.names() if n.startswith(("gemm_16", "gemm_64", "resnet", "digits"))]


def run_one(seed: int, index: int, folder: Path) -> Found | None:
    """One case; None if it did nothing wrong."""
    rng = random.Random(seed * 1_000_003 + index)
    words = draw(rng, folder)
    said, failed = io.StringIO(), io.StringIO()

    def late(number: int, frame: object) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    place = ""
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(failed):
            code = command_line.main("model", model.cli, words)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except TooSlow:
        code, place = -1, f"no end within {LIMIT_S:.0f} s of CPU"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        code, place = -1, f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
        failed.write(traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if not place and code not in (0, 1, 2):
        place = f"exit code {code}"
    if not place and "this machine's memory" in failed.getvalue():
        place = "memory without end"
    words_beside = [line for line in failed.getvalue().splitlines() if line.strip() and not PROGRESS.search(line)]
    if not place and code == 0 and words_beside:
        place = f"words on stderr of a good run: {words_beside[0][:120]}"
    if not place and code == 2 and len(failed.getvalue().strip().splitlines()) != 1:
        place = f"{len(failed.getvalue().strip().splitlines())} lines instead of one sentence"
    if not place and code == 0 and "--json" in words:
        try:
            json.loads(said.getvalue(), parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
        except ValueError as error:
            place = f"JSON that is none: {error}"
    return Found(index, tuple(words), place, failed.getvalue()[-3000:]) if place else None


def worker(seed: int, first: int, step: int, cases: int, until: float, queue: Any, keep: Path) -> None:
    """Cases first, first + step, ... until there are enough or the time is over."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    keep = keep.resolve()
    for index in range(first, cases, step):
        if time.monotonic() > until:
            break
        with tempfile.TemporaryDirectory(prefix="fuzz-") as text:
            folder = Path(text)
            os.chdir(folder)
            found = run_one(seed, index, folder)
            os.chdir("/")
            if found is not None:
                held = keep / f"{seed}.{index}"
                held.mkdir(parents=True, exist_ok=True)
                for path in folder.iterdir():
                    if path.is_file():
                        (held / path.name).write_bytes(path.read_bytes())
                (held / "said.txt").write_text(f"{' '.join(found.words)}\n\n{found.place}\n\n{found.text}\n")
        queue.put((index, found))
    queue.put(None)


def main() -> int:
    """0 if nothing was found, 1 otherwise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="time (default: %(default)s)")
    parser.add_argument("--cases", type=int, default=1_000_000, help="at most so many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default: 0)")
    parser.add_argument("--seed", type=seed, default=1, help="default: 1")
    parser.add_argument("--processes", type=int, default=2, help="default: 2")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="what was found (default: build/fuzz)")
    given = parser.parse_args()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    start = time.monotonic()
    until = start + given.seconds
    last = given.first + given.cases
    workers = [
        context.Process(
            target=worker, args=(given.seed, given.first + n, given.processes, last, until, queue, given.keep)
        )
        for n in range(given.processes)
    ]
    for process in workers:
        process.start()
    running, done, places, shown = len(workers), 0, dict[str, list[Found]](), 0.0
    while running:
        try:
            item = queue.get(timeout=LIMIT_S * 30)  # the limit is of processor time: a busy machine gives less
        except Exception:
            print("a worker ended without a word: a crash or memory without end", file=sys.stderr)
            for process in workers:
                process.kill()  # SIGTERM ends a case only
            return 1
        if item is None:
            running -= 1
            continue
        done += 1
        if item[1] is not None:
            if item[1].place not in places:
                print(f"found   {item[1].place}: {' '.join(item[1].words)[:200]}  (case {item[0]})", flush=True)
            places.setdefault(item[1].place, []).append(item[1])
        elif time.monotonic() - shown > 30:
            shown = time.monotonic()
            print(f"        {done:,} cases, {len(places)} faults, {shown - start:.0f} s", flush=True)
    took = time.monotonic() - start
    print(f"fuzz    {done:,} cases of seed {given.seed} in {took:.0f} s, {len(places)} faults")
    for place, found in sorted(places.items()):
        print(f"        {len(found):>5} x {place}, first in case {found[0].index}")
    return 1 if places else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""A long run is kept now and then, so that one that is killed goes on where it was, with the same bytes.

The file is named after everything the run depends on; it is written whole or not at all, and removed at the end.
"""

import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hw.base.file import write_atomically

SECONDS = 5.0
"""Wall time between two copies, or twenty times what the last took; a run that is shorter writes none."""

EVENTS = 20_000


def run_kept(
    cluster: Any,
    path: Path | None,
    attach: Callable[[Any], None],
    progress: Callable[[Any], None] | None = None,
) -> Any:
    """Run `cluster` to its end, from the copy in `path` if there is one; the cluster at its end.

    `attach` gives a restored cluster what a copy does not hold: its load and the card model. `progress` is told of the
    cluster after every `EVENTS`.
    """
    if path is not None and path.is_file():
        cluster = pickle.loads(path.read_bytes())
        attach(cluster)
    last, pause = time.monotonic(), SECONDS
    while not cluster.run(events=EVENTS):
        if progress is not None:
            progress(cluster)
        now = time.monotonic()
        if now - last > pause:
            if path is not None:
                write_atomically(path, pickle.dumps(cluster))
            last = time.monotonic()
            pause = max(SECONDS, 20 * (last - now))
    if path is not None:
        path.unlink(missing_ok=True)
    return cluster

"""Explorations whose workers, scheduler and client are killed: what was written stays, and the store ends the same."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hw.base.error import InputError
from model.sweep.executor import job_queue
from model.sweep.run import explore, store_at
from model.sweep.space import Space
from model.sweep.space_file import load

ROOT = Path(__file__).resolve().parent.parent
SLOW = """
import time
from model.sweep.subjects import core
def slow(space, columns):
    time.sleep({pause})
    return core.plain(space, columns)
if not hasattr(core, "plain"):  # dask loads a preload twice
    core.plain, core.evaluate = core.evaluate, slow
"""
CLIENT = """
import sys
from pathlib import Path
{slow}
from hw.base.error import InputError
from model.sweep.run import explore, store_at
from tests.test_explore_killed import space_of
if __name__ == "__main__":
    folder, workers, dask, large, chunk = sys.argv[1:]
    try:
        explore(space_of(large == "1"), store_at(Path(folder)), workers=int(workers), dask=dask, chunk=int(chunk))
    except InputError as error:
        print(f"error: {{error}}", file=sys.stderr)
        sys.exit(2)
"""


def space_of(large: bool) -> Space:
    """Twelve points, or 3,024."""
    small = load("digits_small")
    if not large:
        return small
    axes = {**small.axes, "rows": [2, 3, 4, 5, 6, 7, 8], "columns": [4, 5, 6, 7, 8, 9], "clock_ghz": [0.5, 1.0],
            "memory_words": [2048, 2560, 3072, 4096, 5120, 6144, 8192, 10240, 12288, 14336, 16384, 20480]}  # fmt: skip
    return replace(small, axes=axes)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("points-*.parquet")}


class Runs:
    """Processes of one test, each a group of its own, all ended at the end."""

    def __init__(self, folder: Path, large: bool) -> None:
        self.folder, self.large, self.chunk = folder, large, 100 if large else 1
        self.started: list[subprocess.Popen] = []
        pause = 0.3
        (folder / "slow.py").write_text(SLOW.format(pause=pause))
        (folder / "client.py").write_text(CLIENT.format(slow=SLOW.format(pause=pause)))

    def start(self, *command: object) -> subprocess.Popen:
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=self.folder,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=(self.folder / "errors").open("a"),
        )  # fmt: skip
        self.started.append(process)
        return process

    def client(self, store: Path, workers: int = 0, dask: str = "") -> subprocess.Popen:
        return self.start(
            sys.executable, "client.py", store, workers, dask, int(self.large), self.chunk
        )  # fmt: skip

    def cluster(self) -> tuple[str, subprocess.Popen, list[subprocess.Popen]]:
        """(address, scheduler, two workers), on a port of this machine that was free."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address, dask = f"tcp://127.0.0.1:{port}", Path(sys.executable).with_name("dask")
        scheduler = self.start(dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")
        workers = [
            self.start(dask, "worker", address, "--nthreads", 1, "--no-dashboard", "--no-nanny", "--host", "127.0.0.1",
                       "--preload", self.folder / "slow.py", "--death-timeout", 60)
            for _ in range(2)
        ]  # fmt: skip
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    return address, scheduler, workers
            time.sleep(0.1)
        raise AssertionError(f"no scheduler at {address} within a minute: {(self.folder / 'errors').read_text()}")

    def kill(self, process: subprocess.Popen) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def until_more(self, store: Path, process: subprocess.Popen) -> None:
        """Wait until a file of points is there that was not."""
        before, limit = len(contents(store)), time.monotonic() + 90
        while len(contents(store)) == before and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        assert len(contents(store)) > before, (self.folder / "errors").read_text()


@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.volume)], ids=["12", "3024"])
def test_local_processes_and_a_cluster_that_were_killed_end_with_the_same_bytes(tmp_path: Path, large: bool) -> None:
    """Local: client and workers killed twice. Cluster of two workers: a worker, the client and the scheduler."""
    wanted, local, remote = (tmp_path / name for name in ("wanted", "local", "remote"))
    runs = Runs(tmp_path, large)
    explore(space_of(large), store_at(wanted), workers=1, chunk=runs.chunk)
    try:
        for _ in range(2):
            process = runs.client(local, workers=2)
            runs.until_more(local, process)
            runs.kill(process)
        kept = contents(local)
        assert 0 < len(kept) < len(contents(wanted))
        assert runs.client(local, workers=2).wait(timeout=300) == 0
        assert {name: contents(local)[name] for name in kept} == kept

        address, scheduler, workers = runs.cluster()
        process = runs.client(remote, dask=address)
        runs.until_more(remote, process)
        runs.kill(workers[0])  # its chunks go to the other
        runs.until_more(remote, process)
        runs.kill(process)
        process = runs.client(remote, dask=address)
        runs.until_more(remote, process)
        runs.kill(scheduler)
        assert process.wait(timeout=120) == 2
        assert "the Dask scheduler must live until the last chunk is done" in (tmp_path / "errors").read_text()
        address, _, _ = runs.cluster()
        assert 0 < len(contents(remote)) < len(contents(wanted))
        assert runs.client(remote, dask=address).wait(timeout=300) == 0
    finally:
        for process in runs.started:
            runs.kill(process)
    assert contents(local) == contents(remote) == contents(wanted)
    for folder in (local, remote):
        assert [path for path in folder.iterdir() if not path.name.startswith("points-")] == []


@pytest.mark.parametrize("where", ["slurm", "lsf"])
def test_a_queue_that_is_not_set_up_is_one_sentence(where: str) -> None:
    with pytest.raises(InputError, match=f"{where} must be set up in dask's jobqueue configuration") as refused:
        explore(space_of(False), store_at(Path("unused")), dask=where)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("where", "directives"),
    [
        ("slurm", ("#SBATCH -n 1", "#SBATCH --cpus-per-task=4", "#SBATCH --mem=8G", "#SBATCH -p accelerators")),
        ("lsf", ("#BSUB -n 4", "#BSUB -q accelerators", "#BSUB -M 8")),
    ],
)
def test_the_job_of_a_queue_starts_workers_of_our_scheduler(where: str, directives: tuple[str, ...]) -> None:
    """No queue runs here; the script that dask-jobqueue would hand to it is what is held."""
    from dask import config

    settings = {"cores": 4, "processes": 4, "memory": "8 GB", "queue": "accelerators", "interface": "lo",
                "scheduler-options": {"dashboard_address": None, "host": "127.0.0.1"}}  # fmt: skip
    with config.set({f"jobqueue.{where}": {**config.get(f"jobqueue.{where}"), **settings}}):
        cluster = job_queue(where)
        try:
            script, address = cluster.job_script(), cluster.scheduler_address
        finally:
            cluster.close()
    for directive in directives:
        assert directive in script, script
    assert f"distributed.cli.dask_worker {address}" in script
    assert "--nworkers 4" in script
    assert "--nthreads 1" in script

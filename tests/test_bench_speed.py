"""What `kcloud-cosim tb bench` compares on a whole system: both sides have the same memories and the model's cycles."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hw import chips
from hw.spec.system import SystemSpec
from model import workloads
from model.cycle.system.pim_share import lowered_of
from model.cycle.system.predict import decoder_of
from model.predict import predict
from tb.system.image import image, packed
from tb.system.speed import WORKLOAD

ROOT = Path(__file__).parent.parent


def test_a_plain_loop_is_given_the_words_of_the_bench() -> None:
    spec = chips.load("npu_aim").machine_as(SystemSpec)
    lowered = lowered_of(spec, decoder_of(workloads.load("tiny_npu@tokens=1,prompt=1,pim=off")))[0]
    words = list(image(lowered))
    assert len({(path, address) for path, address, _ in words}) == len(words)
    assert [word for path, _, word in words if path == "program"] == list(lowered.program.pack())
    held = {(path, address): word for path, address, word in words}
    channel = lowered.channels["memory"]
    (bank, row), columns = next((at, c) for at, c in channel.bank_rows().items() if c.any())
    column = int(columns.any(axis=1).argmax())
    first = held[f"channel.banks.bank_{bank}.cells", row * channel.columns + column]
    assert [first >> 16 * lane & 0xFFFF for lane in range(16)] == columns[column].tolist()
    found = struct.iter_unpack("<128s32s9I", packed(lowered, "top"))
    for (path, address, word), (scope, name, place, *parts) in zip(words, found, strict=True):
        assert f"TOP.top.dut.{path}".encode() == scope.rstrip(b"\0") + b"." + name.rstrip(b"\0")
        assert (place, sum(part << 32 * i for i, part in enumerate(parts))) == (address, word)


def test_a_chip_without_a_speed_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tb", "bench", "--chip", "hbm_pim"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "a chip with a core or of a system, hbm_pim has neither; choose npu_16 or npu_aim" in done.stderr


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize("chip", ["npu_aim", "npu_hbm_pim"])
def test_a_system_through_cocotb_reaches_60_percent_of_the_plain_loop(chip: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tb", "bench", "--chip", chip, "--repeat", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cycles = re.search(r"([\d,]+) cycles; CPU seconds", done.stdout)
    assert cycles
    assert int(cycles[1].replace(",", "")) == predict(chips.load(chip), workloads.load(WORKLOAD)).cycles

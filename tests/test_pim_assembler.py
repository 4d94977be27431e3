"""PIM programs as text: there and back, with errors that name the line."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from model import cli
from model.__main__ import main
from model.lowering.dram_pim.assembler import assemble, disassemble
from model.lowering.dram_pim.hbm_pim_driver import gemv_program

HBM = chips.load("hbm_pim").pim.commands  # type: ignore[union-attr]
AIM = chips.load("aim").pim.commands  # type: ignore[union-attr]


def test_gemv_program_is_the_one_of_the_public_kernel() -> None:
    assert assemble(HBM, gemv_program(32)) == [
        3 << 28 | 5 << 25 | 4 << 22 | 2 << 19 | 1 << 15,
        14 << 28 | 127 << 11 | 2,
        3 << 28 | 5 << 25 | 4 << 22 | 3 << 19 | 1 << 15,
        14 << 28 | 127 << 11 | 2,
        7,
        15 << 28,
    ]


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_survive_both_ways(seed: int) -> None:
    draw = random.Random(seed)
    grf = [f"GRF_A[{draw.randrange(8)}]", f"GRF_B[{draw.randrange(8)}]"]
    lines = [f"start: NOP {draw.randrange(2048)}"]
    for _ in range(20):
        lines.append(
            draw.choice(
                [
                    f"ADD {grf[0]}, {grf[1]}, EVEN_BANK",
                    f"MUL {grf[1]}, ODD_BANK, SRF_M[{draw.randrange(8)}], aligned",
                    f"MAC {grf[1]}, {grf[0]}, EVEN_BANK, aligned",
                    f"MAD {grf[0]}, EVEN_BANK, SRF_M[2], SRF_A[2]",
                    f"MOV EVEN_BANK, {grf[0]}, relu",
                    f"FILL {grf[0]}, ODD_BANK, relu",
                    f"JUMP start, {draw.randrange(1 << 17)}",
                    "MOV SRF_M[0], EVEN_BANK",
                    "NOP 0",
                ]
            )
        )
    words = assemble(HBM, "\n".join([*lines, "EXIT"]), entries=32)
    assert assemble(HBM, disassemble(HBM, words)) == words


def test_aim_commands_name_their_fields() -> None:
    words = assemble(AIM, "ACT16 row=300\nMAC16 column=5, accumulator=31, paired=1  # one step\nPREA\n")
    assert assemble(AIM, disassemble(AIM, words)) == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NOP 1\nXYZ 3", "line 2: a command of HBM-PIM must be one of NOP"),
        ("ADD GRF_A[0], GRF_B[0]", "line 1: ADD must have 3 operands, not 2"),
        ("MOV GRF_A[8], EVEN_BANK", "line 1: a register index must be from 0 to 7, not 8"),
        ("MOV GRF_C[1], EVEN_BANK", "line 1: an operand must be one of A_OUT"),
        ("\n\nNOP 5000", "line 3: count of NOP must be from 0 to 2047, not 5000"),
        ("JUMP nowhere, 1", "line 1: a JUMP must go to a label of this program"),
        ("NOP 1\nJUMP 5, 1", "line 2: a JUMP must go back by 1 to 2"),
        ("a: NOP\na: NOP", "line 2: a label must be defined once"),
        ("MAC SRF_M[0], GRF_A[0], EVEN_BANK", "line 1: the destination of MAC must be a vector register"),
        ("ADD EVEN_BANK, GRF_A[0], GRF_B[0]", "line 1: the destination of ADD must be a register, not EVEN_BANK"),
        ("MUL GRF_A[0], EVEN_BANK, ODD_BANK", "line 1: MUL must use one of its two banks, not both"),
        (
            "MAD GRF_A[0], EVEN_BANK, SRF_M[1], SRF_A[2]",
            "line 1: source 1 and source 2 of MAD must have the same index",
        ),
        ("EXIT 3", "line 1: a field must be given as NAME=VALUE, not '3'"),
        ("NOP\n" * 33, "line 33: a program must have at most 32 instructions, not 33"),
        ("MOV GRF_A[0], EVEN_BANK, aligned", "line 1: MOV must not be aligned"),
    ],
)
def test_mistakes_name_their_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        assemble(HBM, text, entries=32)
    assert message in str(caught.value)


def test_words_that_are_no_instruction_are_named() -> None:
    with pytest.raises(InputError, match="word 2: an opcode of HBM-PIM must be one of"):
        disassemble(HBM, [0, 7 << 28])
    with pytest.raises(InputError, match="word 1: NOP must leave its unused bits 0"):
        disassemble(HBM, [1 << 20])


def test_command_line_translates_computes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, words = tmp_path / "p.pim", tmp_path / "p.hex"
    program.write_text("NOP 7\nEXIT\n")
    assert main("model", cli, ["pim", "--assemble", str(program)]) == 0
    words.write_text(capsys.readouterr().out)
    assert words.read_text() == "00000007\nf0000000\n"
    assert main("model", cli, ["pim", "--disassemble", str(words)]) == 0
    assert capsys.readouterr().out == "NOP 7\nEXIT\n"

    np.save(tmp_path / "w.npy", np.eye(3, dtype=np.float16))
    np.save(tmp_path / "x.npy", np.array([1, -2, 3], dtype=np.float16))
    out = str(tmp_path / "y.npy")
    assert (
        main(
            "model",
            cli,
            [
                "pim",
                "--kernel",
                "gemv",
                "--weights",
                str(tmp_path / "w.npy"),
                "--input",
                str(tmp_path / "x.npy"),
                "--output",
                out,
            ],
        )
        == 0
    )
    assert np.load(out).tolist() == [1, -2, 3]
    capsys.readouterr()
    assert main("model", cli, ["pim", "--energy-check"]) == 0
    for row in json.loads(capsys.readouterr().out):
        assert row["priced_pj_per_bit"] == pytest.approx(row["published_pj_per_bit"], rel=0.03)

    for bad in (
        ["--kernel", "gemv", "--input", out, "--output", out],
        ["--kernel", "add", "--input", "no.npy"],
        ["--assemble", str(tmp_path / "none")],
    ):
        assert main("model", cli, ["pim", *bad]) == 2
        assert capsys.readouterr().err.startswith("error: ")

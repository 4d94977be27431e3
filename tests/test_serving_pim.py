"""NPU and PIM together: decode in the memory, prompts on the card, the memory's own capacity."""

import pytest

from hw import chips
from hw.base.error import InputError
from model.card.device import device
from model.card.engine import ENGINES
from model.card.iteration import Mixture
from model.card.pim import beside
from model.network import llm
from model.serving.deploy import Deployed
from model.serving.pim import PimMachine
from model.serving.service import Service
from model.serving.simulate import closed_loop

CHIP = chips.load("furiosa_rngd")


def deployed(pim: str | None, number: str = "fp16") -> Deployed:
    return Deployed(
        device=device(CHIP),
        model=llm.load("llama31_8b"),
        weights=number,
        cache=number,
        engine=ENGINES["none"],
        chip=CHIP,
        pim=pim,
    )


@pytest.mark.parametrize(("name", "gigabytes"), [("hbm_pim", 25.8), ("aim", 24.7)])
def test_a_memory_beside_the_card_has_its_own_capacity(name: str, gigabytes: float) -> None:
    memory = beside(name, 1.5e12)
    assert memory.capacity / 1e9 == pytest.approx(gigabytes, abs=0.05)
    small, whole = deployed(name).iteration(), deployed(None).iteration()
    assert small.cache_room < whole.cache_room - 20e9


def decode(sequences: int, context: int) -> Mixture:
    keys = sequences * context
    return Mixture(decode_sequences=sequences, decode_keys=keys, outputs=sequences, window_decode_keys=keys)


def test_few_sequences_decode_faster_in_the_memory_and_many_on_the_card() -> None:
    one = deployed("aim")
    machine = one.machine(one.iteration())
    assert isinstance(machine, PimMachine)
    plain = machine.iteration
    assert machine.seconds(decode(1, 512)) < 0.4 * plain.seconds(decode(1, 512))
    gain = [plain.seconds(decode(n, 512)) / machine.seconds(decode(n, 512)) for n in (1, 2, 4, 8, 16)]
    assert gain == sorted(gain, reverse=True)
    assert min(gain) >= 1


def test_the_memory_decodes_while_the_card_runs_prompts() -> None:
    one = deployed("aim")
    machine = one.machine(one.iteration())
    tokens = 1024
    prompt = Mixture(
        prefill_tokens=tokens,
        prefill_pairs=tokens * (tokens + 1) // 2,
        prefill_keys=tokens,
        prefill_chunks=1,
        outputs=1,
    )
    both = Mixture(*(a + b for a, b in zip(prompt, decode(2, 512), strict=True)))
    alone, step = machine.seconds(prompt), machine.seconds(decode(2, 512))
    weights = machine.iteration.weight_bytes / machine.memory.bandwidth
    assert machine.seconds(both) == pytest.approx(max(alone, step + weights))
    assert machine.seconds(both) < alone + step


def test_a_step_in_the_memory_is_linear_in_the_tokens_it_reads() -> None:
    one = deployed("aim")
    machine = one.machine(one.iteration())
    times = [machine.seconds(decode(4, context)) for context in (512, 1024, 1536)]
    assert times[2] - times[1] == pytest.approx(times[1] - times[0], rel=1e-6)


def test_users_get_their_tokens_faster_at_low_load() -> None:
    each = {}
    for pim in (None, "aim"):
        outcome = closed_loop(Service(groups=((deployed(pim), 1),)), 1, 3, lambda n: (256, 64))
        table = outcome.table
        each[pim] = ((table["last"] - table["first"]) / 63).mean()
    assert each["aim"] < 0.4 * each[None]


def test_formats_that_the_units_do_not_take_are_refused() -> None:
    with pytest.raises(InputError, match="must be of 16 bits for aim"):
        deployed("aim", "fp8_e4m3").iteration()

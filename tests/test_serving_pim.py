"""NPU and PIM together: decode in the memory, prompts on the card, the memory's own capacity."""

import pytest

from hw import chips
from hw.base.error import InputError
from model.card.device import device
from model.card.engine import ENGINES
from model.card.iteration import Mixture
from model.card.pim import beside
from model.network import llm
from model.serving.bill import bill, pim_part
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


def test_what_the_memory_spends_is_counted_by_the_cycle_model_idle_time_included() -> None:
    one = deployed("aim")
    machine = one.machine(one.iteration())
    idle = machine.energy({}, 0, 0, 0, 10.0)
    assert idle == machine.memory.idle_energy(10.0)
    step, _ = machine._step_energy(1)
    layers = [(n, layer) for n, block in machine.iteration.serving.blocks(1, 1) for layer in block]
    products = [(n, layer) for n, layer in layers if layer.kind == "gemm"]
    counted = sum(n * machine.memory.layer_energy(layer).nominal for n, layer in products)
    assert step.nominal == pytest.approx(counted)
    busy = machine.energy({1: 100}, 100 * 512, 0, 0, 10.0)
    # more than a hundred steps alone, less than those beside ten seconds of doing nothing
    assert 100 * step.nominal < busy.nominal < 100 * step.nominal + idle.nominal + 1.0
    assert busy.low < busy.nominal < busy.high or busy.low == busy.high
    # many sequences are products of the card, which reads the weights once for all: fewer joules a token
    assert machine.share(1) > 0.9
    assert machine.share(64) < machine.share(4) <= 1
    assert machine._step_energy(64)[0].nominal / 64 < step.nominal


def test_a_run_on_pim_is_priced_with_its_memory() -> None:
    joules = {}
    for pim in (None, "aim"):
        service = Service(groups=((deployed(pim), 1),))
        outcome = closed_loop(service, 1, 4, lambda n: (256, 64))
        instance = outcome.cluster.all[0]
        assert sum(instance.steps_of.values()) == 4 * 63
        assert instance.keys_read == 4 * sum(256 + i for i in range(1, 64))
        seconds = float(outcome.table["last"].max())
        share, memory = pim_part(instance, seconds)
        assert (share > 0.9, memory[1] > 0) == ((True, True) if pim else (False, False))
        found = bill(outcome.cluster, [CHIP], [1.0], 256, seconds)
        assert found is not None
        joules[pim] = found.joules[1]
    assert 0.1 < joules["aim"] / joules[None] < 1


def test_formats_that_the_units_do_not_take_are_refused() -> None:
    with pytest.raises(InputError, match="must be of 16 bits for aim"):
        deployed("aim", "fp8_e4m3").iteration()

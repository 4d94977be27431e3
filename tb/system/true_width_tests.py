"""One channel's share of a layer at its published width on the RTL of controller and AiM channel.

`sizes`, a parameter, are those of a narrower layer.
"""

# pyright: reportAttributeAccessIssue=false

from hw import chips
from hw.spec.memory_controller import DESCRIPTOR_BITS
from model.cycle.system.controller import Issued
from model.cycle.system.kinds import controller_of
from model.language.config import DecoderConfig
from model.work.true_width import controller_spec, llama32_1b, one_gigahertz, random_layer, reference, share
from tb.bench.bench import Bench, bench_test
from tb.dram_pim.random import to_integer
from tb.system.controller_player import CYCLE_BITS, TRACE_WORDS
from tb.system.controller_tests import Player, same_trace


@bench_test(timeout_cycles=10_000_000)
async def the_share_of_a_channel_is_the_references_in_the_cycles_of_the_model(bench: Bench) -> None:
    pim = chips.load("aim").pim
    assert pim is not None
    pim = one_gigahertz(pim)
    sizes = bench.parameters.get("sizes")
    config = DecoderConfig(**sizes) if sizes else llama32_1b()
    spec, timing = controller_spec(pim), pim.dram.resolve()
    layer = random_layer(config, bench.rng)
    found, decoder = reference(config, layer, bench.rng)
    channel = int(bench.parameters["channel"])
    part = share(pim, config, layer, found, decoder, channel)
    player, top = Player(bench, spec, timing), bench.dut
    player.store(player.dut.shared, 0, [to_integer(word) for word in part.shared], 256)
    for (bank, row), words in part.cells.items():
        player.store(player.banks[bank], row * player.columns, [to_integer(word) for word in words], 256)
    program = [command.pack() for command in part.program]
    player.store(player.dut.program, 0, program, DESCRIPTOR_BITS + CYCLE_BITS)

    issued: list[Issued] = []
    model = controller_of(spec, timing, issued.append)
    ends = [model.run(word) for word in program]
    model.elapse(model.now + 40, "idle")
    top.i_count.value = len(program)
    await bench.reset()
    await bench.cycles(model.now + 2)
    assert int(top.o_ended.value) == len(program), f"{int(top.o_ended.value)} of {len(program)} descriptors ended"
    assert int(top.o_error.value) == 0, "the channel refused a command"
    labels = {name: int(getattr(top, f"o_count_{name}").value) for name in model.labels}
    assert labels == model.labels, f"labels {labels}, not {model.labels}"
    count = int(top.o_commands.value)
    assert count == len(issued), f"{count} commands were issued, not {len(issued)}"
    kept = player.commands(min(count, TRACE_WORDS))
    first = count % TRACE_WORDS if count > TRACE_WORDS else 0  # those before it are the last ones, around the end
    same_trace("the layer", kept[first:] + kept[:first], issued[-len(kept) :])
    compared = 0
    for name, first, words in part.results:
        for i, word in enumerate(words):
            got = player.dut.shared[first + i].value.to_unsigned()
            assert got == to_integer(word), f"{name}: word {i} is {got:#x}, not {to_integer(word):#x}"
        compared += words.size
    bench.report(cycles=ends[-1][0] + 1, labels=labels, outputs=compared, commands=count)

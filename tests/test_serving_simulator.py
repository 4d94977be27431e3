"""The serving simulator: conservation on random loads, queueing theory, static answers, closed form = step by step."""

import pickle
import random
from collections.abc import Iterator
from typing import Any

import pytest

from hw import chips
from hw.base.error import InputError
from model.serving.cluster import Cluster
from model.serving.costs import Costs, Fixed, Mixture
from model.serving.instance import Instance
from model.serving.layout import Layout
from model.serving.outlet import Outlet
from model.serving.policies import names, policy
from model.serving.processes import each
from model.serving.request import Request
from model.serving.sources import ClosedLoop, Stream


class Linear:
    """A machine whose time is a sum of linear parts, as the card model's."""

    def seconds(self, m: Mixture) -> float:
        return (
            1e-3
            + 2e-5 * (m.prefill_tokens + m.decode_sequences)
            + 1e-8 * (m.decode_keys + m.prefill_pairs)
            + 3e-9 * (m.window_decode_keys + m.window_pairs)
            + 1e-5 * m.outputs
        )


def instance(machine: Any = None, **changes: Any) -> Instance:
    kinds = {"order": "fcfs", "batching": "chunked", "eviction": "recompute"}
    chosen = {kind: changes.pop(kind, name) for kind, name in kinds.items()}
    layout = changes.pop("layout", Layout(block=16, full=1.0))
    fields: dict[str, Any] = {"blocks": 400, "tokens": 256, "sequences": 32} | changes
    return Instance(
        Costs(machine or Linear()),
        layout,
        order=policy("order", chosen["order"])(),
        batching=policy("batching", chosen["batching"]),
        eviction=policy("eviction", chosen["eviction"]),
        **fields,
    )


def drawn(seed: int, count: int = 200, rate: float = 20.0, most: int = 700) -> list[Request]:
    source = random.Random(seed)
    now, found = 0.0, []
    for number in range(count):
        now += source.expovariate(rate)
        session = source.randrange(12) if source.random() < 0.5 else None
        prefix = source.randrange(4) if source.random() < 0.3 else None
        found.append(
            Request(
                number,
                now,
                source.randint(1, most),
                source.randint(1, most),
                session=session,
                client=source.randrange(3),
                prefix=prefix,
                prefix_tokens=64 if prefix is not None else 0,
                priority=source.randrange(3),
            )
        )
    return found


def cluster(instances: list[Instance], requests: list[Request], router: str = "least_loaded", **more: Any) -> Cluster:
    return Cluster(instances, Stream(lambda: requests), policy("router", router)(len(instances)), **more)


def held(engine: Instance) -> int:
    """Blocks of all running requests and of kept beginnings, counted anew."""
    total = sum(kept.blocks for kept in engine.pool.known.values())
    for request in engine.running.values():
        tokens = request.context
        if request.end_step:
            tokens = request.prompt + request.answer - (request.end_step - engine.decoding.step) - 1
        total += engine.holdings.own(request, tokens)
    return total


LAYOUTS = (
    Layout(block=16, full=1.0),
    Layout(block=1, full=1.0),
    Layout(block=32, full=0.5, windowed=0.5, window=100),
    Layout(block=16, full=0.0, windowed=1.0, window=128),
    Layout(block=16, full=1.0, state=40.0),
)


@pytest.mark.parametrize("batching", names("batching"))
@pytest.mark.parametrize("eviction", names("eviction"))
@pytest.mark.parametrize("order", names("order"))
def test_every_request_ends_once_and_no_block_is_lost(batching: str, eviction: str, order: str) -> None:
    for seed, layout in enumerate(LAYOUTS):
        requests = drawn(seed)
        engine = instance(
            batching=batching, eviction=eviction, order=order, layout=layout, keeps=seed % 2 == 0,
            blocks=-(-2000 // layout.block), swap=1e-6,
        )  # fmt: skip
        run = cluster([engine], requests)
        while not run.run(events=7):
            pool = engine.pool
            assert pool.free >= 0
            assert pool.free + held(engine) == pool.total
            assert pool.idle == sum(k.blocks for k in pool.unused.values())
            assert len(engine.running) <= engine.sequences
            assert sum(engine.decoding._phases) == engine.decoding.count
        table = run.log.table()
        assert list(table["number"]) == list(range(len(requests)))
        assert (table["arrival"] <= table["scheduled"]).all()
        assert (table["scheduled"] < table["first"]).all()
        assert (table["first"] <= table["last"]).all()
        assert engine.pool.used == 0
        assert engine.pool.peak <= engine.pool.total
        assert engine.load == pytest.approx(0, abs=1e-6)
        # every token once: those of the answers, and nothing else
        assert engine.written == sum(r.answer for r in requests)
        if eviction == "reserve":
            assert engine.preemptions == 0


def test_recomputed_requests_count_their_tokens_once() -> None:
    engine = instance(blocks=60, sequences=16)
    run = cluster([engine], drawn(3, most=200))
    run.run()
    assert engine.preemptions > 10
    assert engine.written == sum(r.answer for r in drawn(3, most=200))
    assert engine.computed > sum(r.prompt for r in drawn(3, most=200))


class Floored(Linear):
    """The same beside a host that needs some time for every sequence."""

    def floor(self, m: Mixture) -> float:
        return 1e-3 + 6e-5 * (m.decode_sequences + m.prefill_chunks)

    def seconds(self, m: Mixture) -> float:
        return max(super().seconds(m), self.floor(m))


class Stepwise(Instance):
    """The same engine, one event for every step."""

    def _plan_run(self) -> None:
        super()._plan_run()
        self._steps = 1
        self.due = self.begun + self._elapsed(1)


@pytest.mark.parametrize("machine", [Linear(), Floored()])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ahead", [False, True])
def test_runs_in_closed_form_equal_steps_one_by_one(layout: Layout, machine: Linear, ahead: bool) -> None:
    tables = []
    for kind in (Instance, Stepwise):
        outlet = Outlet(2e-4) if ahead else None
        engine = instance(machine, layout=layout, blocks=-(-2500 // layout.block), ahead=ahead, outlet=outlet)
        engine.__class__ = kind
        run = cluster([engine], drawn(5, count=80))
        run.run()
        tables.append(run.log.table())
    for name in ("scheduled", "first", "last"):
        assert tables[0][name] == pytest.approx(tables[1][name], rel=1e-9)
    assert list(tables[0]["preempted"]) == list(tables[1]["preempted"])


def test_what_arrives_in_an_iteration_composed_ahead_waits_for_the_one_after() -> None:
    """Steps of 1 s: the second request comes in the fourth; the fifth is composed already, the sixth takes it."""
    for ahead, first in ((False, 4.0 + 10.0), (True, 5.0 + 10.0)):
        engine = instance(Fixed(10.0, 1.0), ahead=ahead)
        requests = [Request(0, 0.0, 8, 100), Request(1, 10 + 3.5, 8, 2)]
        run = cluster([engine], requests)
        run.run()
        assert run.log.table()["first"][1] == pytest.approx(10.0 + first)


def test_an_idle_engine_takes_a_request_at_once_though_it_composes_ahead() -> None:
    engine = instance(Fixed(10.0, 1.0), ahead=True, tokens=8)
    run = cluster([engine], [Request(0, 0.0, 8, 1), Request(1, 3.0, 8, 1), Request(2, 50.0, 8, 1)])
    run.run()
    assert list(run.log.table()["first"]) == [10.0, 20.0, 60.0]


def test_tokens_go_out_one_after_the_other() -> None:
    outlet = Outlet(0.5)
    # steps end at 1, 2, 3, 4 and write 4 tokens each, 2 s of work: the last is out at 1 + 4 x 2
    assert outlet.send(4, 4, 1.0, 4.0) == 9.0 - 1.0
    assert outlet.free == 9.0
    # one token a step is less than the steps take: nothing waits but for what was there before
    assert outlet.send(1, 10, 11.0, 20.0) == 20.25


def test_one_server_with_fixed_times_is_md1() -> None:
    """Mean wait of M/D/1 (Pollaczek-Khinchine): rho s / (2 (1 - rho))."""
    service, rho, count = 1.0, 0.7, 60_000
    source = random.Random(2)
    requests, now = [], 0.0
    for number in range(count):
        now += source.expovariate(rho / service)
        requests.append(Request(number, now, 100, 1))
    engine = instance(Fixed(service), tokens=100, sequences=1, blocks=10_000)
    run = cluster([engine], requests)
    run.run()
    table = run.log.table()
    waited = (table["last"] - table["arrival"]).mean() - service
    assert waited == pytest.approx(rho * service / (2 * (1 - rho)), rel=0.05)
    assert engine.prefill_seconds / table["last"].max() == pytest.approx(rho, rel=0.02)


@pytest.mark.parametrize(("prompt", "answer"), [(1, 1), (100, 1), (100, 2), (250, 300), (1000, 77)])
def test_one_sequence_in_an_endless_cache_takes_the_static_answer(prompt: int, answer: int) -> None:
    machine = Linear()
    engine = instance(machine, blocks=10**9, tokens=4096)
    run = cluster([engine], [Request(0, 0.0, prompt, answer)])
    run.run()
    pairs = prompt * (prompt + 1) // 2
    static = machine.seconds(Mixture(prompt, pairs, prompt, 1, 0, 0, 1, 0, 0, 0))
    table = run.log.table()
    assert table["first"][0] == static
    for step in range(1, answer):
        static += machine.seconds(Mixture(decode_sequences=1, decode_keys=prompt + step, outputs=1))
    assert table["last"][0] == pytest.approx(static, rel=1e-12)


def test_nobody_starves_under_the_fair_order() -> None:
    """One client floods the engine; the other's few requests wait for a bounded time, and do not under first come."""
    waits = {}
    for order in ("fair", "fcfs"):
        flood = [Request(i, 0.001 * i, 200, 100, client="flood") for i in range(400)]
        few = [Request(1000 + i, 1.0 + i, 200, 100, client="few") for i in range(10)]
        engine = instance(order=order, sequences=4)
        run = cluster([engine], sorted(flood + few, key=lambda r: r.arrival))
        run.run()
        table = run.log.table()
        late = table["number"] >= 1000
        waits[order] = (table["first"] - table["arrival"])[late].max()
    assert waits["fair"] < 2.0
    assert waits["fcfs"] > 10 * waits["fair"]


def test_higher_priority_goes_first() -> None:
    requests = [Request(i, 0.0, 100, 50, priority=i % 2) for i in range(40)]
    engine = instance(order="priority", sequences=2, tokens=4096)
    run = cluster([engine], requests)
    run.run()
    table = run.log.table()
    odd = table["number"] % 2 == 1
    assert table["first"][odd].mean() < table["first"][~odd][1:].min()


def test_a_session_finds_what_it_said_before() -> None:
    first = Request(0, 0.0, 100, 60, session="a")
    second = Request(1, 100.0, 300, 10, session="a")
    third = Request(2, 200.0, 400, 10, session="a")
    other = Request(3, 300.0, 300, 10, session="b")
    engine = instance(keeps=True)
    run = cluster([engine], [first, second, third, other])
    run.run()
    # 159 tokens were in the cache, in 9 whole blocks of 16; then 309 in 19
    assert list(run.log.table()["found"]) == [0, 144, 304, 0]
    assert engine.computed == 100 + 300 - 144 + 400 - 304 + 300


def test_a_shared_beginning_is_computed_once_and_given_up_when_blocks_run_out() -> None:
    requests = [Request(i, float(i), 200, 4, prefix="p", prefix_tokens=130) for i in range(5)]
    engine = instance(keeps=True, blocks=40)
    run = cluster([engine], requests)
    run.run()
    assert list(run.log.table()["found"]) == [0, 128, 128, 128, 128]
    assert engine.pool.idle == 8
    run = cluster([engine], [Request(0, 100.0, 600, 4)])
    run.run()
    assert engine.pool.known == {}


def test_prefill_and_decode_on_different_cards_move_the_cache() -> None:
    requests = [Request(i, 0.3 * i, 200, 50) for i in range(50)]
    first, second = instance(), instance()
    run = cluster([first], requests, decoders=[second], second_router=None, send=1e-5, send_start=1e-3)
    run.run()
    assert first.written == 50
    assert second.written == 50 * 49
    assert second.computed == 0
    table = run.log.table()
    assert len(table["number"]) == 50
    assert first.pool.used == second.pool.used == 0
    alone = instance()
    together = cluster([alone], [Request(0, 0.0, 200, 50)])
    together.run()
    one = together.log.table()
    assert table["last"][0] == pytest.approx(one["last"][0] + 1e-3 + 200 * 1e-5, rel=1e-9)


def test_the_packing_router_leaves_instances_idle_until_others_are_full() -> None:
    engines = [instance(sequences=64, blocks=4000) for _ in range(4)]
    few = [Request(i, 0.0, 64, 64) for i in range(31)]
    cluster(engines, few, "packing").run()
    assert [e.written > 0 for e in engines] == [True, False, False, False]
    more = [Request(i, 0.0, 64, 64) for i in range(40)]
    cluster(engines, more, "packing").run()
    assert [e.written > 0 for e in engines] == [True, True, False, False]


@pytest.mark.parametrize("router", [name for name in names("router") if name != "packing"])
def test_routers_use_all_instances_and_lose_nothing(router: str) -> None:
    engines = [instance() for _ in range(3)]
    run = cluster(engines, drawn(7, count=300, rate=60), router)
    run.run()
    assert len(run.log) == 300
    assert min(e.written for e in engines) > 0.15 * sum(e.written for e in engines)


def test_a_failed_instance_loses_its_cache_and_no_request() -> None:
    engines = [instance() for _ in range(2)]
    run = cluster(engines, drawn(8, count=300, rate=30), failures=[(2.0, 0, 3.0), (6.0, 1, 100.0)])
    run.run()
    table = run.log.table()
    assert list(table["number"]) == list(range(300))
    only = [instance()]
    run = cluster(only, drawn(8, count=50, rate=30), failures=[(0.5, 0, 3.0)])
    run.run()
    assert len(run.log) == 50


def test_a_closed_loop_keeps_its_users_busy() -> None:
    engine = instance(tokens=4096, blocks=4000)
    run = Cluster([engine], ClosedLoop(8, 100, lambda n: (100, 50)), policy("router", "round_robin")(1))
    run.run()
    table = run.log.table()
    assert len(table["number"]) == 100
    ended = sorted(table["last"])
    assert sorted(table["arrival"])[8:] == pytest.approx(ended[:92])


def test_a_request_larger_than_the_cache_is_refused_in_a_sentence() -> None:
    engine = instance(blocks=10)
    with pytest.raises(
        InputError, match=r"a request must fit the cache: no. 0 has 100 \+ 100 tokens; the cache holds 160"
    ):
        engine.holdings.check(Request(0, 0.0, 100, 100))


def test_a_run_goes_on_from_its_pickle_with_the_same_answers() -> None:
    def load() -> Iterator[Request]:
        return iter(drawn(11))

    whole = Cluster([instance()], Stream(load), policy("router", "round_robin")(1))
    whole.run()
    run = Cluster([instance()], Stream(load), policy("router", "round_robin")(1))
    while not run.run(events=50):
        run = pickle.loads(pickle.dumps(run))
        run.source.attach(load)
        run.all[0].costs.attach(Linear())
    one, other = whole.log.table(), run.log.table()
    for name in one:
        assert one[name].tobytes() == other[name].tobytes()


def test_micro_batches_keep_a_pipeline_full() -> None:
    """Two stages: a lone request takes both, one after the other; many get nearly twice the tokens of one lane."""
    from model.card.device import device
    from model.card.engine import ENGINES
    from model.network import llm
    from model.network.split import Split
    from model.serving.deploy import Deployed
    from model.serving.service import Service
    from model.serving.simulate import closed_loop

    def rate(stages: int, users: int) -> float:
        deployed = Deployed(
            device=device(chips.load("nvidia_h100_pcie")),
            model=llm.load("llama31_8b"),
            split=Split(pipeline=stages),
            engine=ENGINES["none"],
        )
        service = Service(groups=((deployed, 1),))
        outcome = closed_loop(service, users, 4 * users, lambda n: (64, 200))
        assert len(outcome.cluster.all) == stages
        assert len(outcome.table["number"]) == 4 * users
        return outcome.table["answer"].sum() / outcome.table["last"].max()

    assert rate(2, 1) == pytest.approx(rate(1, 1), rel=0.15)
    assert 1.5 < rate(2, 64) / rate(1, 32) < 2.1


def test_runs_beside_each_other_give_what_they_give_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from model.card.device import device
    from model.network import llm
    from model.serving import simulate
    from model.serving.deploy import Deployed
    from model.serving.service import Service

    deployed = Deployed(device=device(chips.load("nvidia_l4")), model=llm.load("qwen3_0_6b"))
    service = Service(groups=((deployed, 1),))
    found = []
    for long in (1e9, -1.0):
        monkeypatch.setattr(simulate, "LONG", long)
        found.append(simulate.replay(service, lambda: drawn(4, count=60), bands=True))
    one, other = found
    for name in one.low:
        assert one.low[name].tobytes() == other.low[name].tobytes()
        assert one.high[name].tobytes() == other.high[name].tobytes()
    for name, ends in one.bands.items():
        assert [end.tobytes() for end in ends] == [end.tobytes() for end in other.bands[name]]
        assert (ends[0] <= one.table[name]).all()
        assert (ends[1] >= one.table[name]).all()


def test_what_a_part_raises_is_raised_where_it_is_waited_for() -> None:
    def wrong() -> int:
        raise InputError("a part must not fail")

    assert each({"a": lambda: 1, "b": lambda: 2, "c": lambda: 3}, processes=2) == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(InputError, match="a part must not fail"):
        each({"a": lambda: 1, "b": wrong}, processes=2)

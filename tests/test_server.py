"""Server scenario: queueing against what theory and hand counts say, the maker's own batch rule, published rates."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from model.card.device import device
from model.card.range import ranged
from model.card.run import offline
from model.card.server import LIMITS_S, Size, _tail, server
from model.card.survey import network_of

GAPS = np.random.default_rng(7).exponential(size=200_000)


def card(name: str):
    return device(chips.load(name))


def test_one_by_one_it_is_the_queue_m_d_1() -> None:
    """Mean wait of M/D/1 at load r is r / (2 (1 - r)) services; its 99th percentile from Erlang's series."""
    load, service = 0.7, 1.0
    tail, mean_batch = _tail(load, [Size(batch=1, busy=service, latency=service)], 1, GAPS, None)
    assert mean_batch == 1

    def waits_at_most(t: float) -> float:
        return (1 - load) * sum(
            (load * (k - t)) ** k / math.factorial(k) * math.exp(-load * (k - t)) for k in range(int(t) + 1)
        )

    assert waits_at_most(tail - service) == pytest.approx(0.99, abs=0.002)


def test_at_a_vanishing_rate_a_query_takes_its_own_run() -> None:
    sizes = [Size(batch=1, busy=1.0, latency=1.5), Size(batch=8, busy=2.0, latency=2.5)]
    assert _tail(1e-6, sizes, 2, GAPS[:1000], None) == (pytest.approx(1.5), 1.0)


def test_no_more_than_the_largest_batch_is_taken_together() -> None:
    sizes = [Size(batch=4, busy=1.0, latency=1.0)]
    tail, mean_batch = _tail(1000.0, sizes, 1, GAPS[:400], None)
    assert mean_batch == pytest.approx(4, rel=0.02)
    assert tail == pytest.approx(100, rel=0.05)  # 400 queries in 100 runs of a second


def test_a_timeout_makes_few_queries_wait_for_company() -> None:
    sizes = [Size(batch=8, busy=0.1, latency=0.1)]
    alone = _tail(0.01, sizes, 1, GAPS[:2000], None)[0]
    waiting = _tail(0.01, sizes, 1, GAPS[:2000], 3.0)[0]
    assert alone == pytest.approx(0.1)
    assert 2.9 < waiting <= 3.1


@pytest.mark.parametrize("name", ["sapeon_x220_compact", "furiosa_warboy", "nvidia_t4"])
def test_a_looser_limit_serves_more_and_never_more_than_offline(name: str) -> None:
    spec, network = card(name), network_of("resnet50")
    rates = [server(spec, network, limit=limit).per_second for limit in (0.012, 0.015, 0.03, 0.1)]
    assert rates == sorted(rates)
    assert rates[-1] <= offline(spec, network).per_second * 1.0001


def test_the_tail_of_what_is_served_keeps_the_limit() -> None:
    found = server(card("sapeon_x220_compact"), network_of("resnet50"), limit=LIMITS_S["resnet50"])
    assert 0.9 * LIMITS_S["resnet50"] < found.tail <= LIMITS_S["resnet50"]


@pytest.mark.parametrize(
    ("name", "published"), [("sapeon_x220_compact", 6145.15), ("sapeon_x220_enterprise", 12036.35)]
)
def test_published_server_rates_of_x220_lie_in_a_range_of_at_most_a_factor_of_two(name: str, published: float) -> None:
    network = network_of("resnet50")
    span = ranged(card(name), lambda d, x: server(d, network, limit=0.015, extra=x).per_second).range
    assert span.low <= published <= span.high
    assert span.high <= 2 * span.low


def test_two_devices_serve_more_than_twice_what_one_does() -> None:
    """One queue for two groups: less waits at the same load."""
    one = card("sapeon_x220_compact")
    two = replace(one, devices=2)
    rate = server(one, network_of("resnet50"), limit=0.015).per_second
    assert server(two, network_of("resnet50"), limit=0.015).per_second >= 2 * rate


def test_every_batch_of_a_server_runs_on_the_same_split_into_groups() -> None:
    spec, network = card("furiosa_rngd"), network_of("resnet50")
    found = server(spec, network, limit=0.015)
    best = offline(spec, network)
    assert found.groups == best.groups
    assert 0.8 * best.per_second < found.per_second <= best.per_second * 1.0001


def test_a_limit_that_no_query_can_keep_is_refused() -> None:
    with pytest.raises(InputError, match=r"must end within 0\.1 ms to be served; on FuriosaAI Warboy one of"):
        server(card("furiosa_warboy"), network_of("resnet50"), limit=0.0001)
    with pytest.raises(InputError, match="a latency limit must be a time above 0 s, not -1"):
        server(card("furiosa_warboy"), network_of("resnet50"), limit=-1)

"""Public site: AI convergence cluster, Gwangju, 19.95 PF, completed 2024."""

from hw.spec.fact import Fact
from model.projection.overheads import CARD_LOAD
from model.projection.scenario import Scenario
from model.projection.scenarios import _common as common

SCENARIO = Scenario(
    title="Gwangju public site",
    capacity=common.CAPACITY,
    budget=Fact(
        nominal=20e9,
        low=13.1e9,
        unit="KRW",
        confidence="press",
        source="Chosun Biz 2022-12-19: 14 billion national and 6 billion local; ZDNet Korea 2023-03: 13.1",
    ),
    shares=common.SHARES,
    server=common.SERVER,
    card_load=CARD_LOAD,
    headroom=common.HEADROOM,
    peak_fraction=common.PEAK_FRACTION,
    idle=common.IDLE,
    load=common.LOAD,
    pue=Fact(
        nominal=1.35,
        low=1.09,
        high=1.8,
        unit="1",
        confidence="assumed",
        source="no figure of this site; Naver Chuncheon 1.09 (secondary) to Korean public sites 1.8 "
        "(Edaily 2024-01-29)",
    ),
    tariff=common.TARIFF,
    carbon=common.CARBON,
    prices=common.PRICES,
    services=common.SERVICES,
)

"""Private site: the operators' own data centres, 19.95 PF, completed 2025."""

from hw.spec.fact import Fact
from model.projection.overheads import CARD_LOAD
from model.projection.scenario import Scenario
from model.projection.scenarios import _common as common

SCENARIO = Scenario(
    title="private site",
    capacity=common.CAPACITY,
    budget=Fact(
        nominal=20e9,
        low=18.7e9,
        unit="KRW",
        confidence="press",
        source="Chosun Biz 2022-12-19: 20 billion national; ZDNet Korea 2023-03: about 18.7",
    ),
    shares=common.SHARES,
    server=common.SERVER,
    card_load=CARD_LOAD,
    headroom=common.HEADROOM,
    peak_fraction=common.PEAK_FRACTION,
    idle=common.IDLE,
    load=common.LOAD,
    pue=Fact(
        nominal=1.25,
        low=1.09,
        high=1.59,
        unit="1",
        confidence="assumed",
        source="Naver Chuncheon 1.09 (secondary) to the world mean of 2020, 1.59 (Hankyung 2021-05-05); KT and "
        "NHN publish none",
    ),
    tariff=common.TARIFF,
    carbon=common.CARBON,
    prices=common.PRICES,
    services=common.SERVICES,
)

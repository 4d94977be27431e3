"""Facts both sites share: operators' parts, servers, grid."""

from hw.spec.fact import Fact
from model.projection.money import Prices
from model.projection.overheads import Server
from model.projection.scenario import Share

CAPACITY = Fact(
    nominal=19.95,
    unit="PF",
    confidence="press",
    source="Kukinews 2023-06-26, K-Cloud project stage 1",
    note="number format not stated; 39.9 PF for both sites together",
)

SHARES = (
    Share(
        operator="nhn",
        card="sapeon_x330_compact",
        peak_format="fp8",
        capacity=Fact(
            nominal=11.0,
            unit="PF",
            confidence="press",
            source="Aju News 2023-07-05, NHN Cloud with SAPEON chips, per site",
        ),
    ),
    Share(
        operator="kt",
        card="rebellions_atom",
        peak_format="fp16",
        capacity=Fact(
            nominal=4.45,
            unit="PF",
            confidence="press",
            source="Aju News 2023-07-05, KT Cloud with Rebellions chips, per site",
        ),
    ),
    Share(
        operator="naver",
        card="furiosa_warboy",
        peak_format="int8",
        capacity=Fact(
            nominal=4.50,
            unit="PF",
            confidence="inferred",
            source="remainder 19.95 - 11 - 4.45, Naver Cloud with FuriosaAI chips, per site",
        ),
    ),
)

SERVER = Server(
    cards=Fact(
        nominal=8,
        low=4,
        high=10,
        unit="cards",
        confidence="assumed",
        source="eight cards as in the vendor's RNGD server; four to ten fit the chassis of the submissions",
    ),
    sockets=Fact(
        nominal=2,
        unit="sockets",
        confidence="measured",
        source="the MLPerf servers of X220 (SYS-620C-TN12R, SYS-220GP-TNR), ATOM (R750) and Warboy "
        "(SYS-420GP-TNR) have two processors each",
    ),
)

HEADROOM = Fact(
    nominal=0.0,
    high=0.3,
    unit="1",
    confidence="assumed",
    source="the published rate stands; later software may close part of the gap to the bound",
)
PEAK_FRACTION = Fact(
    nominal=0.45,
    low=0.34,
    high=0.52,
    unit="1",
    confidence="inferred",
    source="ResNet-50 offline over INT8 peak in MLPerf: Warboy 0.34, T4 0.38, L4 0.45, ATOM 0.46, A100 0.52",
)
IDLE = Fact(
    nominal=0.3,
    low=0.2,
    high=0.5,
    unit="1",
    confidence="assumed",
    source="an idle RNGD card draws 37 to 39 of 150 W (vendor's listing); hosts idle higher",
)
LOAD = Fact(
    nominal=0.5, low=0.2, high=1.0, unit="1", confidence="assumed", source="the site's utilisation is not published"
)
TARIFF = Fact(
    nominal=182.6,
    low=120,
    high=200,
    unit="KRW/kWh",
    confidence="assumed",
    source="mean of industrial (B) after the step of 2024-10-24: +16.9 KRW/kWh are +10.2 %, so 165.7 + 16.9 = 182.6 "
    "(Korea Electric Power Corporation, press of 2024-10-23); the sites' own contracts are not published: low, the "
    "high-voltage table of industrial (A) of that day; high, surcharges",
)
CARBON = Fact(
    nominal=417.3,
    low=375.5,
    high=454.1,
    unit="gCO2e/kWh",
    confidence="press",
    source="official consumption-side factor for 2023 (417.3) and 2020-2022 (454.1), Yonhap 2025-12-17; "
    "zone average for 2024 (375.5), Electricity Maps",
)
PRICES = Prices(
    exchange=Fact(
        nominal=1350,
        low=1250,
        high=1450,
        unit="KRW/USD",
        confidence="assumed",
        source="span of the years 2023 to 2025, rounded; nothing in the price facts is finer",
    ),
    unpriced_card=Fact(
        nominal=10_000,
        low=2_000,
        high=30_000,
        unit="USD",
        confidence="assumed",
        source="no price of X330, Warboy or RNGD is published; low: the guess for an ATOM card in a "
        "public note; high: an H100 (Meeco 2023-08)",
    ),
    host=Fact(
        nominal=20,
        low=10,
        high=40,
        unit="million KRW",
        confidence="assumed",
        source="two-processor server with 256 to 512 GB as in the submissions; no price of these systems found",
    ),
    facility=Fact(
        nominal=10,
        low=4,
        high=20,
        unit="million KRW/kW",
        confidence="assumed",
        source="usual span of building and fitting out a data centre per kilowatt; no figure of these sites",
    ),
    lifetime=Fact(
        nominal=5,
        low=3,
        high=7,
        unit="years",
        confidence="assumed",
        source="usual depreciation of servers; the services are to run from 2023 to 2030",
    ),
)
SERVICES = ("image_processing", "language_model")

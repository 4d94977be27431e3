"""Facts both sites share: operators' parts, servers, grid."""

from hw.spec.fact import Fact
from model.projection.overheads import Server
from model.projection.scenario import Share

CAPACITY = Fact(nominal=19.95, unit="PF", confidence="press",
                source="Kukinews 2023-06-26, K-Cloud project stage 1",
                note="number format not stated; 39.9 PF for both sites together")

SHARES = (
    Share(operator="nhn", card="sapeon_x330_compact", peak_format="fp8",
          capacity=Fact(nominal=11.0, unit="PF", confidence="press",
                        source="Aju News 2023-07-05, NHN Cloud with SAPEON chips, per site")),
    Share(operator="kt", card="rebellions_atom", peak_format="fp16",
          capacity=Fact(nominal=4.45, unit="PF", confidence="press",
                        source="Aju News 2023-07-05, KT Cloud with Rebellions chips, per site")),
    Share(operator="naver", card="furiosa_warboy", peak_format="int8",
          capacity=Fact(nominal=4.50, unit="PF", confidence="inferred",
                        source="remainder 19.95 - 11 - 4.45, Naver Cloud with FuriosaAI chips, per site")),
)

SERVER = Server(
    cards=Fact(nominal=8, low=4, high=10, unit="cards", confidence="assumed",
               source="eight cards as in the vendor's RNGD server; four to ten fit the chassis of the submissions"),
    sockets=Fact(nominal=2, unit="sockets", confidence="measured",
                 source="the MLPerf servers of X220 (SYS-620C-TN12R, SYS-220GP-TNR), ATOM (R750) and Warboy "
                        "(SYS-420GP-TNR) have two processors each"),
)

HEADROOM = Fact(nominal=0.0, high=0.3, unit="1", confidence="assumed",
                source="the published rate stands; later software may close part of the gap to the bound")
PEAK_FRACTION = Fact(nominal=0.45, low=0.34, high=0.52, unit="1", confidence="inferred",
                     source="ResNet-50 offline over INT8 peak in MLPerf: Warboy 0.34, T4 0.38, L4 0.45, ATOM 0.46, "
                            "A100 0.52")
IDLE = Fact(nominal=0.3, low=0.2, high=0.5, unit="1", confidence="assumed",
            source="an idle RNGD card draws 37 to 39 of 150 W (vendor's listing); hosts idle higher")
LOAD = Fact(nominal=0.5, low=0.2, high=1.0, unit="1", confidence="assumed",
            source="the site's utilisation is not published")
TARIFF = Fact(nominal=170, low=120, high=200, unit="KRW/kWh", confidence="inferred",
              source="industrial (A) high-voltage table of 2024-10-24 at the low end; mean of industrial (B) after "
                     "the step of 2024-10-24 (182.6) and surcharges at the high end")
CARBON = Fact(nominal=417.3, low=375.5, high=454.1, unit="gCO2e/kWh", confidence="press",
              source="official consumption-side factor for 2023 (417.3) and 2020-2022 (454.1), Yonhap 2025-12-17; "
                     "zone average for 2024 (375.5), Electricity Maps")

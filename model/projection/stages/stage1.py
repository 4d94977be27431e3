"""Stage 1, 2023 to 2025: commercial domestic NPUs in data centres."""

from hw.spec.fact import Fact
from model.projection.stage import Stage

STAGE = Stage(
    number=1,
    years=(2023, 2025),
    title="domestic NPU",
    technology="commercial domestic NPUs, from inference towards training",
    basis="model",
    budget=Fact(
        nominal=100,
        unit="billion KRW",
        confidence="press",
        source="Kukinews 2023-06-26, K-Cloud project stage 1",
        note="about; tentative",
    ),
    domestic_share=Fact(
        nominal=0.23, unit="1", confidence="press", source="Hellot, government K-Cloud plan of December 2022; by 2025"
    ),
)

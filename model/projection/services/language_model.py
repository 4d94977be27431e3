"""Language models: tokens of Llama 3.1 8B, weights in INT8, 16 sequences of 1,024 tokens at a time on one card."""

from hw.spec.fact import Fact
from model.projection.service import LanguageTask, Service

_CONFIG = (
    "config.json of Llama 3.1 8B: 32 layers, hidden 4096, 32 heads, 8 key-value heads, feed-forward 14336, "
    "vocabulary 128256"
)

SERVICE = Service(
    title="Llama 3.1 8B, decode",
    workload="llama31_8b_decode",
    unit="tokens",
    number_format="INT8",
    batch="16 sequences of 1,024 tokens",
    language=LanguageTask(
        parameters=Fact(nominal=8_030_261_248, unit="weights", confidence="vendor", source=_CONFIG),
        cache_elements=Fact(
            nominal=65_536,
            unit="elements",
            confidence="vendor",
            source=_CONFIG,
            note="2 x 32 layers x 8 heads x 128, per token of a sequence",
        ),
        layers=32,
        weight_bytes=1,
        cache_bytes=2,
        context=1024,
        batch=16,
    ),
)

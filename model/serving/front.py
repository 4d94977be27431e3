"""What stands between an engine and its users: one process that takes requests in and sends tokens out over HTTP.

It belongs to the engine, not to the card: its constants are the same for every card, model and length.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.fact import Fact

_ROWS = "ai-dynamo/aiconfigurator 095f58a, Llama 3.1 on H100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Overheads of one engine's front end.

    Parameters
    ----------
    request : Fact
        Seconds of the process for a request before the engine sees it, one request after the other: connection, JSON,
        chat template, hand over.
    text : Fact
        Seconds more for each token of its prompt.
    token : Fact
        Seconds of the process for a token that goes out, one after the other; 0 if tokens that wait are sent together.
    way : Fact
        Seconds until a token is with its user, any number at a time.
    in_line : int
        Requests in flight of a closed loop beyond the engine's slots.
    """

    request: Fact
    text: Fact
    token: Fact
    way: Fact
    in_line: int = 0

    def seconds(self, tokens: int) -> float:
        """Of the process for a prompt of so many tokens."""
        return self.request.nominal + self.text.nominal * tokens


_TEXT = Fact(
    nominal=1e-6,
    low=3e-7,
    high=3e-6,
    unit="s",
    confidence="assumed",
    source="a fast tokenizer turns about a million tokens a second",
)

_WAY = Fact(
    nominal=0.015,
    low=0.005,
    high=0.03,
    unit="s",
    confidence="inferred",
    source=f"what the time to first token has beyond the prompt at 4 and 8 in flight, of two engines ({_ROWS})",
)

_TOGETHER = Fact(
    nominal=0.0,
    unit="s",
    confidence="secondary",
    source="vLLM's RequestOutputCollector joins the tokens of a request that its user has not fetched yet",
)

_PYTHON = Front(
    request=Fact(
        nominal=0.003,
        low=0.0005,
        high=0.01,
        unit="s",
        confidence="assumed",
        source="a Python process reads a request's JSON and applies the chat template, one after the other",
    ),
    text=_TEXT,
    token=_TOGETHER,
    way=_WAY,
)

FRONTS: Mapping[str, Front] = {
    "none": _PYTHON,
    "trtllm": Front(
        request=Fact(
            nominal=0.018,
            low=0.01,
            high=0.027,
            unit="s",
            confidence="inferred",
            source="never more than 36 requests a second are taken, whatever the length of the prompts and the number "
            f"of cards: at most 27 ms each ({_ROWS}, TensorRT-LLM 1.0)",
        ),
        text=_TEXT,
        token=Fact(
            nominal=1.075e-4,
            low=1.05e-4,
            high=1.17e-4,
            unit="s",
            confidence="inferred",
            source="8,600 to 9,300 tokens a second are the most, alike on 2, 4 and 8 cards, at 64 and at 128 requests, "
            f"while the time to first token grows to 2 s ({_ROWS}, TensorRT-LLM 1.0)",
        ),
        way=_WAY,
        in_line=1,
    ),
    "vllm": _PYTHON,
    "sglang": _PYTHON,
}
"""By the name of the engine. Of TensorRT-LLM behind its load generator one request always waits for the next slot: in
its measured rows with up to 32 in flight the time to first token grows with the length of the answer by just the time
between two ends. The line stands at the engine: the way back does not empty it."""

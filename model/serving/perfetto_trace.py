"""The trace of a run in Perfetto's own format (protobuf wire format of its Trace message), for files that do not end
in .json.

Field numbers: perfetto.dev, protos/perfetto/trace: TracePacket timestamp 8, sequence 10, track_event 11, descriptor 60;
TrackDescriptor uuid 1, name 2, parent 5, counter 8; TrackEvent name 23, category 22, type 9, track 11, double value 44,
annotation 4 (name 10, integer 4).
"""

import struct

from model.serving.service import Outcome
from model.serving.timeline import MOST_REQUESTS, Span

BEGIN, END, COUNTER = 1, 2, 4
_SEQUENCE = 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _packet(content: bytes) -> bytes:
    return _bytes(1, content + _number(10, _SEQUENCE))


def _track(uuid: int, name: str, *, parent: int = 0, counter: bool = False) -> bytes:
    described = _number(1, uuid) + _bytes(2, name)
    if parent:
        described += _number(5, parent)
    if counter:
        described += _bytes(8, b"")
    return _packet(_bytes(60, described))


def _event(seconds: float, kind: int, track: int, *more: bytes) -> tuple[int, int, bytes]:
    nanoseconds = round(1e9 * seconds)
    event = _number(9, kind) + _number(11, track) + b"".join(more)
    # ends before begins at one time, so that spans that touch do not nest
    return nanoseconds, 0 if kind == END else 1, _packet(_number(8, nanoseconds) + _bytes(11, event))


def _slice(track: int, name: str, category: str, start: float, end: float, **told: int) -> list[tuple[int, int, bytes]]:
    if round(1e9 * end) <= round(1e9 * start):
        return []
    notes = b"".join(_bytes(4, _bytes(10, key) + _number(4, value)) for key, value in told.items())
    begin = _event(start, BEGIN, track, _bytes(23, name), _bytes(22, category), notes)
    return [begin, _event(end, END, track)]


def to_perfetto(spans: list[Span], outcome: Outcome) -> bytes:
    """The trace: a track for each instance's iterations with counters of sequences, cache and waiting requests, and one
    for each of the first requests."""
    out: list[bytes] = []
    events: list[tuple[int, int, bytes]] = []
    for number, instance in enumerate(outcome.cluster.all):
        base = 16 * (number + 1)
        out.append(_track(base, instance.name))
        for place, name in enumerate(("sequences", "cache %", "waiting"), 1):
            out.append(_track(base + place, name, parent=base, counter=True))
    for span in spans:
        base = 16 * (span.instance + 1)
        name = "prompts" if span.prompt_tokens else "decode"
        told = {"sequences": span.sequences, "prompt_tokens": span.prompt_tokens, "steps": span.steps}
        events += _slice(base, name, "iteration", span.start, span.end, **told)
        for place, value in enumerate((span.sequences, 100 * span.cache, span.waiting), 1):
            events.append(_event(span.end, COUNTER, base + place, _double(44, float(value))))
    table, first = outcome.table, 1 << 32
    for i in range(min(MOST_REQUESTS, len(table["number"]))):
        number = int(table["number"][i])
        out.append(_track(first + number, f"request {number}"))
        parts = (("waiting", "arrival", "scheduled"), ("prompt", "scheduled", "first"), ("answer", "first", "last"))
        for name, begin, end in parts:
            start, stop = float(table[begin][i]), float(table[end][i])
            events += _slice(first + number, name, "request", start, stop, request=number)
    events.sort(key=lambda e: e[:2])
    return b"".join(out) + b"".join(packet for _, _, packet in events)

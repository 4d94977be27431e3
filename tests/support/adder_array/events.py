"""What the adders count."""

EVENTS = {"adder_array.add": "One lane added one byte."}
LABELS = {"add": "All lanes added."}
VALUE_EVENTS: tuple[str, ...] = ()
OBSERVATIONS: tuple[str, ...] = ()

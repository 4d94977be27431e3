"""What a crossbar core counts: the labels of its cycles and its events, both closed lists."""

LABELS: dict[str, str] = {
    "program": "A cell was being written or read back.",
    "word_line": "A plane was put on the word lines and nothing was converted.",
    "settle": "A selected column settled and nothing was converted.",
    "convert": "Converters converted.",
    "output_blocked": "No tile computed, a result was ready to leave and was refused.",
    "drain": "Results left the tiles towards the adder, or were on their way to the output queue.",
    "wait_input": "No tile computed and the next inputs had not been offered.",
    "load": "No tile computed and inputs were being loaded.",
    "prepare": "A command was being decoded.",
}
"""Label of a busy cycle -> its one-sentence definition. Every busy cycle has exactly one; their sum is busy."""

EVENTS: dict[str, str] = {
    "array.plane": "One tile had one plane of inputs put on its word lines.",
    "array.wordline_toggle": "One bit of the word lines of one tile changed.",
    "array.wordline_active": "One word line of one tile carried one unit of input during a plane.",
    "array.conversion": "One physical column of one tile was converted.",
    "array.cell_pulse": "One programming pulse was given to one cell.",
    "array.cell_verify": "One cell was read back.",
    "array.cell_given_up": "One cell still read wrong after its last pulse.",
    "digital.shift_add": "One accumulator of a column took one code.",
    "digital.merge": "The slices of one output of one tile were merged and its sign corrected.",
    "digital.tile_add": "One lane of the tile adder added the result of one tile.",
    "output_stage.requantise": "One lane turned one sum into one output element.",
    "buffer.read": "One word of `lanes` inputs was read.",
    "buffer.write": "One word was written, by the host or as a result.",
    "parameter_memory.read": "One word of output-stage parameters was read.",
    "stream.input": "One word of inputs came from outside.",
    "stream.output": "One word of results left.",
    "command.accept": "One command entered the queue.",
    "command.refuse": "One command was refused; its code is in the status register.",
}
"""Event, "component.event" -> its one-sentence definition."""

VALUE_EVENTS = ("array.wordline_toggle", "array.wordline_active")
"""Events that operands decide: counted by the reference arithmetic, not by the cycle model."""

OBSERVATIONS = (
    "array.cell_verify",
    "array.cell_given_up",
    "stream.input",
    "stream.output",
    "command.refuse",
)
"""Events that do no work of their own here: what they cost is in other events, or outside the core."""

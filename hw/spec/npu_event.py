"""What the NPU core counts: the labels of its cycles and its events, both closed lists.

The cycle model fills the same names as the counters of the RTL; a test holds them equal.
"""

LABELS: dict[str, str] = {
    "stream": "One word of activations was issued to the array: a row of a pass, or a term of a fold.",
    "wait_weight": "A pass was ready, its weights were still being loaded or had to keep distance to the tile before.",
    "weight_missing": "A pass waited for its weights and the next word of them was still to be copied.",
    "weight_blocked": "A pass waited for its weights and a write held the port or bank of the weight memory.",
    "wait_accumulator": (
        "The next row had its weights but no accumulator row was free; output-stationary: the results of the fold "
        "before were still in the way, no accumulator rows were free for those of this one, or the adder was still "
        "busy with the sum (interleaved folds: a turn without a word)."
    ),
    "activation_missing": "The next row had weights and accumulator, its activations were still to be copied.",
    "activation_blocked": "The next row had weights and accumulator, a write held the activation memory or bank.",
    "output_blocked": "No pass was ready, rows were in flight and the receiver refused a finished row.",
    "drain": "No pass was ready, rows were in flight in array, accumulators or output stage.",
    "copy": "No pass was ready and no row in flight: words were being copied.",
    "prepare": "No pass was ready, no row in flight and no copy open: a command was being decoded.",
}
"""Label of a busy cycle -> its one-sentence definition. Every busy cycle has exactly one; their sum is busy."""

EVENTS: dict[str, str] = {
    "mac_array.mac": "One cell took one element of an issued word (rows x columns per word, padding included).",
    "mac_array.weight_load": "One cell wrote its shadow weight register.",
    "mac_array.pass": "One weight tile became active (one swap wave); output-stationary: one fold ended.",
    "mac_array.nan_in": "One lane of an operand word was NaN when the word was issued (activation) or loaded (weight).",
    "mac_array.infinity_in": "One lane of an operand word was infinite when the word was issued or loaded.",
    "activation_memory.read": "One word of `rows` activations was read.",
    "activation_memory.write": "One word was written, by the host while the core was busy or by a copy.",
    "activation_memory.conflict": "A row waited because the bank of its word, copied before, was being written.",
    "weight_memory.read": "One word of `columns` weights was read.",
    "weight_memory.write": "One word was written, by the host while the core was busy or by a copy.",
    "weight_memory.conflict": "A load step waited because the bank of its word, copied before, was being written.",
    "accumulator.read": "One accumulator row was read to be added to.",
    "accumulator.write": "One accumulator row was written.",
    "accumulator.drain_read": "One finished accumulator row was read by the output stage.",
    "parameter_memory.read": "One word of output-stage parameters was read (once per block of rows and columns).",
    "parameter_memory.write": "One word of output-stage parameters was written by a copy.",
    "output_stage.requantise": "One lane turned one 32-bit sum into one output element.",
    "output_stage.saturate": (
        "One output element met the limit of its format: INT8, sum and zero point lay outside -128 to 127 before the "
        "clamp; floating point, a finite sum rounded beyond the largest value, or with `saturate` an infinite one."
    ),
    "output_stage.nan_out": "One output element is NaN (lanes of padding columns included).",
    "output_stage.drain_block": (
        "A finished row was ready to leave in this cycle and was refused, or a word it would overwrite was still to "
        "be copied."
    ),
    "output_memory.write": "One output row left the core and was written.",
    "output_memory.read": "One output row was read by a copy.",
    "external_memory.read": "One beat arrived from the external memory.",
    "external_memory.write": "One beat was accepted by the external memory.",
    "external_memory.read_byte": "One byte arrived in a beat (the padding of a word's last beat included).",
    "external_memory.write_byte": "One byte was accepted in a beat (the padding of a word's last beat included).",
    "external_memory.read_wait": "A read channel had requested beats and none arrived (one per channel and cycle).",
    "external_memory.write_wait": "A beat was offered to the external memory and refused.",
    "command.accept": "One command entered the queue.",
    "command.refuse": "One command was refused; its code is in the status register.",
    "command.queue_empty": "A busy cycle in which no command waited in the queue (the decoder's own has left it).",
}
"""Event of the NPU core, "component.event" -> its one-sentence definition."""

VALUE_EVENTS = ("mac_array.nan_in", "mac_array.infinity_in", "output_stage.saturate", "output_stage.nan_out")
"""Events that operands decide, not shapes and times: counted by the reference arithmetic, not by the cycle model."""

OBSERVATIONS = (
    *VALUE_EVENTS,
    "output_stage.drain_block",
    "activation_memory.conflict",
    "weight_memory.conflict",
    "external_memory.read_wait",
    "external_memory.write_wait",
    "external_memory.read_byte",
    "external_memory.write_byte",
    "command.queue_empty",
)
"""Events that do no work of their own: what they cost is in other events, so nothing is to be priced."""

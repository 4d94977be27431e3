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
        "before were still in the way, or no accumulator rows were free for those of this one."),
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
    "output_memory.write": "One output row left the core and was written.",
    "output_memory.read": "One output row was read by a copy.",
    "external_memory.read": "One beat arrived from the external memory.",
    "external_memory.write": "One beat was accepted by the external memory.",
    "external_memory.read_wait": "A read channel had requested beats and none arrived (one per channel and cycle).",
    "external_memory.write_wait": "A beat was offered to the external memory and refused.",
    "command.accept": "One command entered the queue.",
    "command.refuse": "One command was refused; its code is in the status register.",
}
"""Event of the NPU core, "component.event" -> its one-sentence definition."""

"""Arithmetic of the number formats, bit for bit: the rules of docs/numeric-contract.md in NumPy.

`codec` codes <-> values, `fused` the multiply-accumulate of the array, `half` the two roundings of a
FP16 PIM lane, `aligned` the adder tree of a BF16 PIM unit, `requantise` INT32 -> INT8.
"""

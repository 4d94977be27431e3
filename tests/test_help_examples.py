"""Every verb's help ends with examples, and every example is a line its parser takes."""

import argparse
import importlib
import pkgutil
import shlex

import pytest

import model.cli
import tb.cli

VERBS = [
    (package.__name__, entry.name)
    for package in (model.cli, tb.cli)
    for entry in pkgutil.iter_modules(package.__path__)
    if not entry.name.startswith("_")
]


@pytest.mark.parametrize(("package", "verb"), VERBS, ids=[f"{p.split('.')[0]}-{v}" for p, v in VERBS])
def test_help_has_examples_that_the_parser_takes(package: str, verb: str) -> None:
    """Examples stand below a line `example:` or `examples:` of the module's docstring, as they are typed."""
    module = importlib.import_module(f"{package}.{verb}")
    lines = (module.__doc__ or "").splitlines()
    heads = [i for i, line in enumerate(lines) if line.strip().startswith(("example:", "examples:"))]
    assert len(heads) == 1, f"{package}.{verb} has no examples in its help"
    written = "\n".join([lines[heads[0]].partition(":")[2].strip(), *lines[heads[0] + 1 :]])
    written = written.replace("\n      ", " ")  # an example goes on in a line that is further in
    examples = [line.strip() for line in written.splitlines() if line.strip().startswith("kcloud-cosim ")]
    assert examples
    for example in examples:
        words = shlex.split(example.split(" | ")[0].split(" > ")[0])[1:]
        words = words[1:] if words[0] in ("model", "tb") else words
        words = ["hw/chips/tiny.py" if word == "path/to/my_npu.py" else word for word in words]
        assert words[0] == verb
        parser = argparse.ArgumentParser(allow_abbrev=False)
        module.add_arguments(parser)
        parser.parse_args(words[1:])

"""JUnit files of simulations: one case, one name, one file.

cocotb names every case after its module, "tb.npu.core_tests", whatever chip ran; here a case is called after the run,
"core.tiny.gemm_16.1", and its paths are relative to the checkout, so that a report made elsewhere still finds them.
"""

from pathlib import Path
from xml.etree import ElementTree

from hw.base.file import write_atomically
from tb.bench.build import ROOT


def install(source: Path, target: Path, name: str) -> Path:
    """Copy cocotb's results to `target` with every case called `name`; the target.

    A file that is no XML is copied as it is: whoever reads it shall see that it is damaged.
    """
    try:
        root = ElementTree.parse(source).getroot()
    except ElementTree.ParseError:
        write_atomically(target, source.read_text(errors="replace"))
        return target
    root.set("name", name)
    for suite in root.iter("testsuite"):
        suite.set("name", name)
    for case in root.iter("testcase"):
        case.set("classname", name)
        # cocotb writes the place as properties; readers of JUnit look for attributes
        for held in case.iter("property"):
            if held.get("name") in ("file", "line"):
                case.set(str(held.get("name")), held.get("value", ""))
        if case.get("file"):
            case.set("file", relative(case.get("file", "")))
    for element in root.iter():
        if element.text:
            element.text = element.text.replace(f"{ROOT}/", "")
        if element.get("value"):
            element.set("value", element.get("value", "").replace(f"{ROOT}/", ""))
    write_atomically(target, ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n")
    return target


def relative(path: str) -> str:
    """`path` from the root of the checkout if it lies below it."""
    return str(Path(path).relative_to(ROOT)) if Path(path).is_relative_to(ROOT) else path

"""One case, one name, one file."""

from pathlib import Path
from xml.etree import ElementTree

from tb.bench import junit
from tb.bench.build import ROOT

COCOTB = """<testsuites name="results"><testsuite name="all" package="all"><testcase name="fits"
 classname="tb.npu.core_tests" file="{root}/tb/npu/core_tests.py" lineno="12">
<properties><property name="attachment" value="{root}/build/log"/></properties>
<system-out>[[ATTACHMENT|{root}/build/log]]</system-out></testcase></testsuite></testsuites>"""


def test_a_case_is_called_after_its_run_and_paths_are_relative(tmp_path: Path) -> None:
    source = tmp_path / "results.xml"
    source.write_text(COCOTB.format(root=ROOT))
    names = set()
    for run in ("core.tiny.gemm_16.1", "core.npu_16.gemm_16.1"):
        target = junit.install(source, tmp_path / f"{run}.xml", run)
        assert str(ROOT) not in target.read_text()
        root = ElementTree.parse(target).getroot()
        (case,) = root.iter("testcase")
        assert case.get("file") == "tb/npu/core_tests.py"
        assert [s.get("name") for s in root.iter("testsuite")] == [run]
        names.add((case.get("classname"), case.get("name")))
    assert names == {("core.tiny.gemm_16.1", "fits"), ("core.npu_16.gemm_16.1", "fits")}


def test_a_damaged_file_stays_damaged(tmp_path: Path) -> None:
    (tmp_path / "results.xml").write_text("<testsuites><tests")
    assert junit.install(tmp_path / "results.xml", tmp_path / "x.xml", "a").read_text() == "<testsuites><tests"

"""The programme's page in Chromium: on a screen, on a phone, printed, by keyboard, for everybody, without a network."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from hw import chips
from model.report.load_validation import load_validation
from model.report.page.language import LANGUAGES
from model.report.page.write import render
from model.report.summary import summarise
from tests.support.browser import A4, CHROMIUM, COLLIDING, CUT, NARROW, OVERLAPS, WIDE, browser, opened

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt install chromium fonts-nanum; .ci/run does"
)

LARGEST, SCREENS, PAGES = 3_000_000, 15, 25
"""Bytes of the file, screens before what is folded, pages of A4 with all that is folded."""

AXE = {"resultTypes": ["violations"]}
"""What axe is to work out in full."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, _ = chips.load_all()
    summary = summarise("npu_16", found["npu_16"], "digits", 1, found)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(summary, load_validation(found)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def test_the_file_is_small_and_names_nothing_to_fetch(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    print(f"page: {len(text.encode()) / 1e6:.2f} MB")
    assert len(text.encode()) <= LARGEST
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', re.sub(r"<script.*?</script>", "", text, flags=re.S))
    assert "url(" not in re.sub(r"url\(#\w+\)", "", text)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["screen", "phone"])
@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_is_cut_overlaps_or_scrolls_sideways(
    chromium: Browser, file: Path, code: str, size: tuple[int, int]
) -> None:
    page, asked = opened(chromium, file, size, f"#{code}")
    assert page.evaluate("document.documentElement.lang") == code
    screens = page.evaluate("document.documentElement.scrollHeight / innerHeight")
    print(f"{code} at {size[0]} px: {screens:.1f} screens")
    assert screens <= SCREENS
    first = page.evaluate("document.querySelector('main:not([hidden]) svg').getBoundingClientRect().bottom")
    assert first <= size[1], "the first plot is on the first screen"
    assert page.evaluate(OVERLAPS) == []
    for folded in (True, False):
        if not folded:
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.evaluate(CUT) == []
        assert page.evaluate(COLLIDING) == []
    assert asked == []
    page.context.close()


@pytest.mark.parametrize("code", LANGUAGES)
def test_printed_it_has_few_pages_and_every_column(chromium: Browser, file: Path, code: str) -> None:
    page, asked = opened(chromium, file, A4, f"#{code}")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(CUT) == []
    assert page.evaluate(COLLIDING) == []
    assert page.evaluate(OVERLAPS) == []
    heads = page.evaluate(
        "[...document.querySelectorAll('main:not([hidden]) th[scope=col]')].filter((e) => !e.offsetWidth).length"
    )
    assert heads == 0
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    count = len(re.findall(rb"/Type\s*/Page\b", pdf))
    print(f"{code}: {count} pages of A4, {len(pdf) / 1e6:.2f} MB")
    assert 3 <= count <= PAGES
    assert asked == []
    page.context.close()


@pytest.mark.parametrize(
    "size", [pytest.param(WIDE, id="screen"), pytest.param(NARROW, id="phone", marks=pytest.mark.volume)]
)
@pytest.mark.parametrize("code", LANGUAGES)
def test_axe_finds_no_serious_fault(chromium: Browser, file: Path, code: str, size: tuple[int, int]) -> None:
    page, _ = opened(chromium, file, size, f"#{code}")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate("document.querySelector('main[hidden]').remove()")  # a hidden half takes half of the time
    found = Axe().run(page, options=AXE).response["violations"]
    page.evaluate("location.hash = 'o=gwangju.wall_kw'")
    page.locator("dialog[open]").wait_for()
    found += Axe().run(page, context="dialog", options=AXE).response["violations"]
    for one in found:
        print(code, size[0], one["impact"], one["id"], [node["html"][:120] for node in one["nodes"][:3]])
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.context.close()


def test_the_keyboard_alone_reaches_and_opens_any_number(chromium: Browser, file: Path) -> None:
    page, _ = opened(chromium, file, WIDE)
    focused = "document.activeElement.getAttribute('href') ?? ''"
    reached: list[str] = []
    stops = 0
    for stop in range(3000):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        name = page.evaluate(focused)
        if name.startswith("#o="):
            reached.append(name)
            stops = stops or stop + 1
    wanted = page.evaluate(
        "[...document.querySelectorAll('main:not([hidden]) a.n')].filter((e) => !e.closest('details'))"
        ".map((e) => e.getAttribute('href'))"
    )
    print(f"first number at tab stop {stops}; {len(reached)} numbers reached")
    assert stops <= 6
    assert reached == wanted
    # opened, led on to an input, back, closed: the focus is where it was
    page.evaluate("document.querySelector('main:not([hidden]) a.n').focus()")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    title = page.locator("dialog h2").inner_text()
    page.locator("dialog .body a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("(before) => document.querySelector('dialog h2').innerText !== before", arg=title)
    page.locator("dialog .back").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("(before) => document.querySelector('dialog h2').innerText === before", arg=title)
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('dialog').open")
    assert page.evaluate(focused) == reached[0]
    # the folded parts open by keyboard too
    page.locator("main:not([hidden]) details.table summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('main:not([hidden]) details.table').open")
    page.context.close()


def test_every_number_of_the_page_has_an_origin_and_a_search_finds_it(chromium: Browser, file: Path) -> None:
    page, asked = opened(chromium, file, WIDE, "#en")
    missing = page.evaluate(
        """() => {
          const known = JSON.parse(document.getElementById("origins").textContent);
          const links = [...document.querySelectorAll("a.n")].map((e) => e.getAttribute("href").slice(3));
          const marks = [...document.querySelectorAll("[data-o]")].map((e) => e.dataset.o);
          const inputs = Object.values(known).flatMap((e) => e[5]);
          return [...new Set([...links, ...marks, ...inputs])].filter((name) => !(name in known));
        }"""
    )
    assert missing == []
    page.locator("#en-search").fill("tariff Korea Electric")
    assert page.locator("#en-origins .found li").count() >= 1
    page.locator("#en-origins .found a").first.click()
    assert "KRW/kWh" in page.locator("dialog .body").inner_text()
    assert asked == []
    page.context.close()


def test_the_switch_changes_the_language_where_the_reader_is(chromium: Browser, file: Path) -> None:
    page, _ = opened(chromium, file, WIDE)
    assert page.evaluate("document.documentElement.lang") == LANGUAGES[0]
    for code in reversed(LANGUAGES):
        page.locator(f"[data-to={code}]").click()
        assert page.evaluate("document.documentElement.lang") == code
        assert page.locator("main:visible").count() == 1
        assert page.locator("main:visible").get_attribute("lang") == code
    page.context.close()


def test_a_fault_of_layout_is_found(chromium: Browser, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(
        "<main><section><p style='width:3000px'>wide</p><p style='margin-top:-30px'>over</p></section>"
        "<svg width=50 height=20><text x=0 y=15>much too long for it</text><text x=5 y=15>over</text></svg></main>"
    )
    page, _ = opened(chromium, broken, NARROW)
    assert any("outside" in one for one in page.evaluate(CUT))
    assert page.evaluate(COLLIDING)
    assert {one.split(":")[0] for one in page.evaluate(OVERLAPS)} == {"cut", "overlap"}
    page.context.close()

"""Debian's Chromium over one page: what it measures of the layout, and what it would fetch."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

CHROMIUM = shutil.which("chromium")
"""Where it is installed; None without it."""

WIDE, NARROW = (1440, 900), (390, 844)
"""A screen and a phone, in pixels."""

A4 = (703, 1000)
"""The printed part of a page of A4 at 96 pixels an inch: 186 mm between the margins."""


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that is closed at the end."""
    assert CHROMIUM is not None
    with sync_playwright() as playwright:
        # no sandbox: tests run in containers as root, on a page made here
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def opened(of: Browser, file: Path, size: tuple[int, int], fragment: str = "") -> tuple[Page, list[str]]:
    """The page in a window of that size, and what it asked for besides itself: every other request is refused."""
    context = of.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page, asked = context.new_page(), []

    def refuse(route: Route) -> None:
        if route.request.url.split("#")[0] == file.as_uri():
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context.route("**/*", refuse)
    page.goto(file.as_uri() + fragment)
    return page, asked


OVERLAPS = """() => {
  // boxes of texts that are seen, of one plot each: two of them may not lie over each other, none may leave the plot
  const found = [];
  for (const svg of document.querySelectorAll("main:not([hidden]) svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim());
    const boxes = texts.map((t) => [t.textContent, t.getBoundingClientRect()]);
    for (const [text, b] of boxes) {
      const aside = b.left < frame.left - 2 || b.right > frame.right + 2;
      if (aside || b.top < frame.top - 2 || b.bottom > frame.bottom + 2) found.push("cut: " + text);
    }
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i][1], boxes[j][1]];
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (x > 1.5 && y > 0.3 * Math.min(a.height, b.height))
        found.push("overlap: " + boxes[i][0] + " | " + boxes[j][0]);
    }
  }
  return found;
}"""
"""Texts of plots that are cut or lie over each other."""

CUT = """() => {
  const found = [], wide = document.documentElement.clientWidth;
  const kinds = "h1, h2, p, a, td, th, li, summary, figcaption, figure, table, .card";
  for (const e of document.querySelectorAll(`main:not([hidden]) :is(${kinds})`)) {
    const b = e.getBoundingClientRect();
    if (!b.width) continue;
    if (b.left < -1 || b.right > wide + 1) found.push(e.tagName + " outside: " + e.textContent.slice(0, 60));
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && e.clientWidth)
      found.push(e.tagName + " too wide: " + e.textContent.slice(0, 60));
  }
  return found;
}"""
"""Elements that leave the window or hold more than they show."""

COLLIDING = """() => {
  const found = [];
  for (const parent of document.querySelectorAll("main:not([hidden]) :is(.cards, .beside, .words, section, tr)")) {
    const all = [...parent.children].map((e) => [e, e.getBoundingClientRect()]);
    const boxes = all.filter(([, b]) => b.width && b.height);
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i][1], boxes[j][1]];
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (x > 1 && y > 1)
        found.push(boxes[i][0].textContent.slice(0, 40) + " | " + boxes[j][0].textContent.slice(0, 40));
    }
  }
  return found;
}"""
"""Neighbours that lie over each other."""

"""A person's afternoon at the page, in headless Chromium: no console error, and no request that leaves the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from toughopt.virtual import small_campaign

pytestmark = pytest.mark.full

BUILD = Path(__file__).parents[2] / "build" / "screenshots"
RUNNING = small_campaign(name="watched", budget=40, initial=40)


class Tab:
    """A page of the browser that writes down what must not happen on it."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        self.trouble: list[str] = []
        self.quiet = False  # while the server is meant to be away, its absence is no error
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("request", self._asked)

    def open(self, path: str) -> Any:
        self.page.goto(self.base + path)
        return self.page

    def keep(self, name: str) -> None:
        """A screenshot, once all pictures are there."""
        self.until("[...document.images].every(image => image.complete)", 60.0)
        BUILD.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=BUILD / f"{name}.png", full_page=True)

    def until(self, expression: str, timeout_s: float) -> Any:
        """What `expression` gives once it is true; the page's own rules let no text be evaluated inside of it."""
        deadline = time.monotonic() + timeout_s
        while not (found := self.page.evaluate(expression)):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(100)
        return found

    def sign_in(self, token: str) -> None:
        self.open(f"/sign-in#{token}")
        self.page.fill("input[name=name]", "Anna")
        self.page.click("main button")
        self.page.wait_for_url(self.base + "/")

    def _said(self, message: Any) -> None:
        if message.type == "error" and not self.quiet:
            self.trouble.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base + "/", "data:", "blob:")):
            self.trouble.append(f"request: {request.url}")


@pytest.fixture(scope="session")
def browser(need: Callable[[str, bool], None]) -> Iterator[Any]:
    """Chromium, with WebGL in software."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    need("chromium", found is not None and find_spec("playwright") is not None)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-background-networking"]
        running = driver.chromium.launch(executable_path=found, args=arguments)
        yield running
        running.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[[str], Tab]]:
    """`tab(base)` opens a page; at the end nothing must have gone wrong on any."""
    opened: list[Tab] = []
    context = browser.new_context(viewport={"width": 1500, "height": 950})

    def make(base: str) -> Tab:
        made = Tab(context.new_page(), base)
        opened.append(made)
        return made

    yield make
    context.close()
    assert [trouble for one in opened for trouble in one.trouble] == []


def test_an_afternoon(serve_campaign: Callable[..., Any], tab: Callable[[str], Tab], tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    folder.mkdir()
    (folder / "campaign.toml").write_text(RUNNING, encoding="utf-8")
    with serve_campaign(folder) as served, (tmp_path / "run.log").open("wb") as log:
        here = tab(served.base)
        here.sign_in(served.token)
        page = here.page
        here.keep("no-results")
        page.evaluate("window.neverReloaded = true")
        loop = subprocess.Popen([sys.executable, "-m", "toughopt", "run", str(folder), "-q"], stdout=log, stderr=log)
        try:
            results = page.locator('[data-test="complete"]')
            here.until("Number(document.querySelector('[data-test=complete]').textContent) >= 2", 90.0)
            assert page.evaluate("window.neverReloaded") is True
            page.locator(".mood-running").wait_for(timeout=10_000)
            here.keep("running")

            page.locator('form[data-verb="pause"] input[name="why"]').fill("lunch")
            page.click('form[data-verb="pause"] button')
            page.locator(".toast").first.wait_for(timeout=40_000)
            page.locator(".mood-paused").wait_for(timeout=20_000)
            here.keep("paused")
            page.click('form[data-verb="resume"] button')
            page.locator(".mood-running").wait_for(timeout=40_000)
            assert int(results.inner_text()) >= 2

            here.open("/experiments/1")
            viewer = page.frame_locator('[data-test="viewer"]').locator("canvas")
            viewer.wait_for(timeout=30_000)
            page.locator('[data-test="viewer"]').scroll_into_view_if_needed()
            page.wait_for_timeout(1000)
            before = page.locator('[data-test="viewer"]').screenshot()
            box = viewer.bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + 200, box["y"] + 200)
            page.mouse.down()
            page.mouse.move(box["x"] + 320, box["y"] + 240, steps=10)
            page.mouse.up()
            page.wait_for_timeout(500)
            assert page.locator('[data-test="viewer"]').screenshot() != before
            here.keep("experiment")
        finally:
            loop.terminate()
            loop.wait(60)


def test_a_failure_is_declared_and_a_lost_server_comes_back(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tab: Callable[[str], Tab], tmp_path: Path
) -> None:
    from toughopt import Campaign

    folder = make_campaign(tmp_path / "c", 1)
    with Campaign.open(folder) as campaign:
        campaign.suggest()
    with serve_campaign(folder) as served:
        port = served.port
        here = tab(served.base)
        here.sign_in(served.token)
        page = here.open("/experiments/2")
        page.click("summary:has-text('Declare failed')")
        form = 'form[data-verb="fail"]'
        page.fill(f"{form} input[name=why]", "the bed was cold")
        page.click(f"{form} button")
        page.locator(f"{form} button:has-text('Sure?')").click()
        page.locator(".stage-failed").first.wait_for(timeout=30_000)
        assert "the bed was cold" in page.locator("main").inner_text()
        here.keep("failed")
        here.quiet = True
    page.locator("#link").wait_for(state="visible", timeout=20_000)
    here.keep("lost")
    with serve_campaign(folder, port=port):
        page.locator("#link").wait_for(state="hidden", timeout=30_000)
        here.quiet = False
        here.open("/")
        page.locator('form[data-verb="pause"] button').wait_for()  # the session is still good
        here.keep("found-again")


HIDE = """() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => { delete document.hidden; document.dispatchEvent(new Event("visibilitychange")); }"""


def test_many_tabs_of_one_browser_do_not_block_each_other(served: Any, tab: Callable[[str], Tab]) -> None:
    from toughopt import Campaign

    first = tab(served.base)
    first.sign_in(served.token)
    first.page.evaluate(HIDE)  # as it is where another tab of the window is looked at
    for _ in range(7):
        further = tab(served.base)
        further.open("/steer")
        further.page.evaluate(HIDE)
    first.page.evaluate("window.neverReloaded = true")
    with Campaign.open(served.folder) as campaign:
        campaign.suggest()
    first.page.evaluate(SHOW)
    first.page.get_by_text("1 under way").wait_for(timeout=20_000)
    assert first.page.evaluate("window.neverReloaded") is True
    first.page.click('form[data-verb="pause"] button')
    first.page.locator(".toast").first.wait_for(timeout=20_000)


@pytest.mark.parametrize("kind", ["one", "failed-only", "many"])
def test_every_page_with_few_and_many_experiments(
    serve_campaign: Callable[..., Any],
    make_campaign: Callable[..., Path],
    many: Callable[[Path, int], Path],
    tab: Callable[[str], Tab],
    tmp_path: Path,
    kind: str,
) -> None:
    from toughopt import Campaign

    folder = many(tmp_path / "c", 25_000) if kind == "many" else make_campaign(tmp_path / "c", int(kind == "one"))
    if kind == "failed-only":
        with Campaign.open(folder) as campaign:
            campaign.fail(campaign.suggest()[0]["id"], why="warped")
    with serve_campaign(folder) as served:
        here = tab(served.base)
        paths = ("/", "/experiments", "/lab", "/log", "/steer", "/compare", "/experiments/1")
        for path in paths if kind == "many" else (*paths, "/model"):
            page = here.open(path)
            page.locator("main").wait_for()
            paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            print(f"{kind} {path}: first paint after {here.until(paint, 20.0):.0f} ms")
            here.keep(f"{kind}-{path.strip('/').replace('/', '-') or 'overview'}")


def test_no_page_is_wider_than_a_phone(served: Any, tab: Callable[[str], Tab]) -> None:
    here = tab(served.base)
    here.page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/experiments", "/steer", "/log", "/compare"):
        here.page.goto(served.base + path, wait_until="domcontentloaded")
        assert here.page.evaluate("document.documentElement.scrollWidth") <= 390, path

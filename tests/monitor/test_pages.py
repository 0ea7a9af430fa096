from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from toughopt import Campaign
from toughopt.errors import ConfigError, InputError
from toughopt.monitor import access_for, create_app, is_loopback
from toughopt.monitor.gist import ago, gist_of, lasting
from toughopt.monitor.pages import beside
from toughopt.monitor.serve import listen

PAGES = ("/", "/experiments", "/lab", "/model", "/compare", "/log", "/steer", "/sign-in")


@pytest.mark.parametrize("results", [0, 1, 6])
def test_every_page_and_figure_answers(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path, results: int
) -> None:
    with serve_campaign(make_campaign(tmp_path / "c", results)) as served:
        for path in PAGES:
            status, _, body = served.ask("GET", path, headers={"Accept": "text/html"})
            assert status == 200, path
            for name in {part.partition(b"?")[0].decode() for part in body.split(b'src="/figures/')[1:]}:
                status, _, picture = served.ask("GET", f"/figures/{name}")
                assert status == 200 and b"<svg" in picture, name
        assert served.ask("GET", f"/experiments/{results}")[0] == (200 if results else 404)


def test_the_overview_tells_the_best_result_and_who_made_it(served: Any) -> None:
    told = json.loads(served.ask("GET", "/status.json")[2])
    assert told["complete"] == 2 and told["best"]["id"] == 1 and told["best"]["value"] == 1.0
    page = served.ask("GET", "/")[2].decode()
    assert '<span data-test="best">1</span>' in page and 'href="/experiments/1"' in page


def test_every_design_of_a_batch_names_the_policy_that_chose_it(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_campaign(tmp_path / "c", 0)
    with Campaign.open(folder) as campaign:
        campaign.suggest(2)
    with serve_campaign(folder) as served:
        for identity in (1, 2):
            page = served.ask("GET", f"/experiments/{identity}")[2].decode()
            assert "<dt>policy</dt><dd>default</dd>" in page


def test_no_hole_is_left_beside_the_first_figure_where_there_is_a_front(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_campaign(tmp_path / "c", 0)
    text = (folder / "campaign.toml").read_text(encoding="utf-8")
    against = '[[objective.against]]\nname = "mass_g"\ngoal = "min"\n'
    (folder / "campaign.toml").write_text(text.replace("[optimizer]", against + "[optimizer]"), encoding="utf-8")
    with serve_campaign(folder) as served:
        page = served.ask("GET", "/")[2].decode()
    shown = [part.partition("?")[0] for part in page.split('src="/figures/')[1:]]
    assert [name.partition(".")[0] for name in shown[:3]] == ["best_so_far", "shape", "front"]


@pytest.mark.parametrize(
    ("mass_g", "words"), [(4.048, "as"), (4.0479, "as"), (4.1492, "2.5 % more than"), (3.6432, "10 % less than")]
)
def test_a_mass_is_told_beside_what_was_meant(mass_g: float, words: str) -> None:
    assert beside(mass_g, 4.048) == words


def test_a_command_is_in_the_journal_with_who_and_why(served: Any) -> None:
    body = urlencode({"token": served.token, "name": "Anna"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    _, headers, _ = served.ask("POST", "/sign-in", body, form)
    cookie = headers["set-cookie"].partition(";")[0]
    page = served.ask("GET", "/", headers={"Cookie": cookie})[2].decode()
    form_token = page.partition('name="form_token" value="')[2].partition('"')[0]
    body = urlencode({"form_token": form_token, "why": "lunch", "now": "on"}).encode()
    status, _, answer = served.ask(
        "POST", "/ctl/pause", body, {**form, "Cookie": cookie, "Origin": served.base, "Accept": "application/json"}
    )
    assert status == 200 and json.loads(answer)["ok"]
    with Campaign.open(served.folder) as campaign:
        asked = [e for e in campaign.workspace.store.read() if e.kind == "requested"][-1]
    assert (asked.payload["verb"], asked.payload["who"], asked.payload["why"]) == ("pause", "Anna (page)", "lunch")
    assert asked.payload["arguments"] == {"now": True}


def test_a_design_and_a_curve_can_be_sent_by_form(served: Any, tmp_path: Path) -> None:
    status, told = served.order("add", {"design": {"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0}, "manual": True})
    assert status == 200
    identity = told["result"]["id"]
    curve = (served.folder.parent / "campaign-curve.csv").read_bytes()
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="id"\r\n\r\n{identity}\r\n'.encode(),
        b'--b\r\nContent-Disposition: form-data; name="curve"; filename="..\\..\\evil/test.csv"\r\n\r\n'
        + curve
        + b"\r\n",
        b"--b--\r\n",
    ]
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Authorization": f"Bearer {served.token}",
        "Accept": "application/json",
    }
    status, _, answer = served.ask("POST", "/ctl/tell", b"".join(parts), headers)
    assert status == 200, answer
    assert json.loads(answer)["result"]["value"] == pytest.approx(1.0, rel=0.02)
    assert served.ask("GET", f"/experiments/{identity}/curve")[2] == curve


def test_listeners_learn_of_new_events_and_are_let_go_at_the_end(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    import http.client

    folder = make_campaign(tmp_path / "c", 1)
    seen: list[int] = []
    grown, ended = threading.Event(), threading.Event()

    def follow(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        while line := answer.readline():
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]).get("seq", 0))
                if seen[-1] > seen[0]:
                    grown.set()
        ended.set()

    with serve_campaign(folder) as served:
        threading.Thread(target=follow, args=(served.port,), daemon=True).start()
        served.order("note", {}, "something new")
        served.order("note", {}, "and more")
        assert grown.wait(20)
    assert ended.wait(20)


def test_25000_experiments_make_pages_of_bounded_size(
    serve_campaign: Callable[..., Any], many: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    with serve_campaign(many(tmp_path / "many", 25_000)) as served:
        for path in PAGES:
            status, _, body = served.ask("GET", path)
            assert status == 200 and len(body) < 100_000, path
        assert json.loads(served.ask("GET", "/status.json")[2])["complete"] == 24_000
        assert b"page 500 of 500" in served.ask("GET", "/experiments?page=99999")[2]
        status, _, picture = served.ask("GET", "/figures/best_so_far.svg")
        assert status == 200 and len(picture) < 1_500_000


def test_a_campaign_in_which_everything_failed_is_shown(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_campaign(tmp_path / "c", 0)
    with Campaign.open(folder) as campaign:
        for entry in campaign.suggest(3):
            campaign.fail(entry["id"], why="came off the bed")
    with serve_campaign(folder) as served:
        for path in (*PAGES, "/experiments/1"):
            assert served.ask("GET", path)[0] == 200, path
        assert b"came off the bed" in served.ask("GET", "/")[2]
        assert b"<svg" in served.ask("GET", "/figures/best_so_far.svg")[2]


def test_figures_are_drawn_again_only_for_their_share_of_the_time(
    make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    from toughopt.monitor.shelf import Shelf
    from toughopt.monitor.source import Source

    folder = make_campaign(tmp_path / "c", 1)
    now, step = [0.0], [0.0]

    def clock() -> float:
        now[0] += step[0]
        return now[0]

    source = Source(folder)
    shelf = Shelf(source, clock)
    step[0] = 20.0  # so long it takes
    first = shelf.picture("timeline")
    step[0] = 0.0
    before = shelf.stamps()["timeline"]
    with Campaign.open(folder) as campaign:
        (entry,) = campaign.suggest()
        campaign.tell(entry["id"], value=2.0)
    source.look()
    assert shelf.stamps()["timeline"] == before and shelf.picture("timeline") == first
    now[0] += 100.0
    assert shelf.stamps()["timeline"] > before and shelf.picture("timeline") != first
    source.close()


def test_a_moment_does_not_change_any_more(make_campaign: Callable[..., Path], tmp_path: Path) -> None:
    from toughopt.monitor.source import Source

    folder = make_campaign(tmp_path / "c", 1)
    source = Source(folder)
    with Campaign.open(folder) as campaign:
        (entry,) = campaign.suggest()
        source.look()
        before = source.moment
        campaign.tell(entry["id"], value=2.0)
        campaign.request("filament", {"printer": "printer-1", "grams": 750.0})
    assert source.look()
    assert before.state.experiments[entry["id"]].stage == "proposed"
    assert before.state.spools_g == before.state.steered_by == {}
    assert source.moment.state.experiments[entry["id"]].stage == "complete"
    source.close()


def test_what_waits_for_a_person_is_an_alert(make_campaign: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_campaign(tmp_path / "c", 1)
    with Campaign.open(folder) as campaign:
        campaign.suggest()
        campaign.request("disable", {"printer": "printer-1"}, why="nozzle")
        gist = gist_of(campaign.state, campaign.workspace.config, campaign.workspace.budget())
    assert [(alert.tone, dict(alert.given)) for alert in gist.alerts] == [
        ("wait", {"id": "2"}),
        ("note", {"printer": "printer-1"}),
    ]
    assert gist.printers[0].disabled and gist.mood == "idle"


def test_no_campaign_and_a_taken_port_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        create_app(tmp_path)
    with listen("127.0.0.1", 0) as taken, pytest.raises(InputError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_only_loopback_reads_without_a_token() -> None:
    assert is_loopback("127.0.0.1") and is_loopback("::1") and not is_loopback("0.0.0.0")
    assert access_for("127.0.0.1", 1).reader_token is None
    assert access_for("192.0.2.1", 1).reader_token


def test_lengths_of_time_are_told_in_two_units() -> None:
    assert [lasting(s) for s in (0.25, 59, 61, 7260, 90_000)] == ["0.2 s", "59 s", "1 min 1 s", "2 h 1 min", "1 d 1 h"]
    assert ago("") == "never"


def test_every_command_of_the_loop_has_its_form_and_no_form_is_without_a_command() -> None:
    from toughopt.loop.requests import VERBS
    from toughopt.monitor.actions import ACTIONS

    assert set(ACTIONS) == set(VERBS)


@pytest.mark.parametrize(("verb", "field"), [("curve", "curve"), ("mass", "mass_g"), ("value", "value")])
def test_a_form_is_not_sent_without_what_its_command_needs(verb: str, field: str) -> None:
    from jinja2 import Environment, PackageLoader

    from toughopt.monitor.actions import ACTIONS

    templates = Environment(loader=PackageLoader("toughopt.monitor"), autoescape=True)
    templates.filters |= dict.fromkeys(("number", "lasting", "clock", "ago", "beside"), str)
    macros: Any = templates.get_template("macros.html").module
    (wanted,) = [each for each in ACTIONS[verb].fields if each.name == field]
    assert " required" in macros.input(wanted)


@pytest.mark.parametrize(
    ("verb", "fields", "key", "value"),
    [
        ("budget", {"budget": "40"}, "budget", 40),
        ("target", {"target": "33.5"}, "target", 33.5),
        ("drain", {}, "paused", "after the specimens in hand"),
        ("disable", {"printer": "printer-1"}, "disabled:printer-1", True),
        ("filament", {"printer": "printer-1", "grams": "750"}, "filament:printer-1", 750),
        ("keep-clear", {"state": "on", "why": "cleaning"}, "keep_clear", "cleaning"),
        ("policy", {"policy": "random", "printer": ""}, "policy", "random"),
        ("limits", {"parameter": "theta", "low": "10", "high": "90"}, "high:theta", 90),
        ("printability", {"probability": "0.4"}, "printability", 0.4),
    ],
)
def test_what_a_form_says_is_in_force(served: Any, verb: str, fields: dict[str, str], key: str, value: object) -> None:
    body = urlencode(fields).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"Bearer {served.token}",
        "Accept": "application/json",
    }
    status, _, answer = served.ask("POST", f"/ctl/{verb}", body, headers)
    assert status == 200, answer
    with Campaign.open(served.folder) as campaign:
        assert campaign.state.steering[key] == value


def test_the_latest_results_say_what_is_left_out(served: Any) -> None:
    with Campaign.open(served.folder) as campaign:
        identity = campaign.state.complete[-1].id

    def latest() -> str:
        return str(served.ask("GET", "/")[2].decode().partition("Latest results")[2])

    before = latest().count("left out")
    assert served.order("exclude", {"id": identity})[0] == 200
    with_it = latest().count("left out")
    assert served.order("restore", {"id": identity})[0] == 200
    assert (with_it, latest().count("left out")) == (before + 1, before)

"""What the monitor must refuse: each with the right status, and without a trace in the journal."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from toughopt import Campaign
from toughopt.monitor.bodies import MOST_BYTES

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """One monitor for all the attacks: none of them may change what the next one finds."""
    with serve_campaign(make_campaign(tmp_path_factory.mktemp("attacks") / "campaign", 2)) as running:
        yield running


@pytest.fixture
def untouched(served: Any) -> Iterator[Any]:
    """The served campaign, whose journal must be as long after the test as before."""

    def length() -> int:
        with Campaign.open(served.folder) as campaign:
            return campaign.state.seq

    before = length()
    yield served
    assert length() == before


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def session(served: Any) -> tuple[str, str]:
    """A signed-in operator: the cookie, and the token of the page's forms."""
    status, headers, _ = served.ask(
        "POST", "/sign-in", urlencode({"token": served.token, "name": "Eve"}).encode(), FORM
    )
    assert status == 303
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    cookie = cookie.partition(";")[0]
    page = served.ask("GET", "/steer", headers={"Cookie": cookie})[2].decode()
    return cookie, page.partition('name="form_token" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "headers", [{}, bearer(""), bearer("wrong"), bearer("operator-token-of-the-test"), bearer("é")]
)
def test_a_command_without_the_operators_token_is_forbidden(untouched: Any, headers: dict[str, str]) -> None:
    assert untouched.ask("POST", "/ctl/pause", b"{}", {**JSON, **headers})[0] == 403


def test_a_reader_may_read_and_may_not_steer(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    with serve_campaign(make_campaign(tmp_path / "c", 1), bind="0.0.0.0") as served:
        reader = bearer("reader-token-of-the-tests")
        assert served.ask("GET", "/")[0] == 403
        assert served.ask("GET", "/status.json")[0] == 403
        assert served.ask("GET", "/events")[0] == 403
        assert served.ask("GET", "/figures/mass.svg")[0] == 403
        assert served.ask("GET", "/experiments/1/curve")[0] == 403
        assert served.ask("GET", "/", headers=reader)[0] == 200
        assert served.ask("POST", "/ctl/pause", b"{}", {**JSON, **reader})[0] == 403


@pytest.mark.parametrize("path", ["/ctl/pause", "/ctl/stop?why=x", "/sign-out"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_nothing_changes_but_by_post(untouched: Any, path: str, method: str) -> None:
    cookie, _ = session(untouched)
    assert untouched.ask(method, path, headers={"Cookie": cookie})[0] == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_post_from_another_site_is_refused_even_with_cookie_and_token(
    untouched: Any, headers: dict[str, str]
) -> None:
    cookie, form_token = session(untouched)
    body = urlencode({"form_token": form_token}).encode()
    assert untouched.ask("POST", "/ctl/pause", body, {**FORM, "Cookie": cookie, **headers})[0] == 403
    assert untouched.ask("POST", "/ctl/pause", b"{}", {**JSON, **bearer(untouched.token), **headers})[0] == 403


@pytest.mark.parametrize("shown", ["", "wrong"])
def test_a_cookie_alone_does_not_steer(untouched: Any, shown: str) -> None:
    cookie, _ = session(untouched)
    body = urlencode({"form_token": shown}).encode()
    assert untouched.ask("POST", "/ctl/pause", body, {**FORM, "Cookie": cookie})[0] == 403
    assert untouched.ask("POST", "/ctl/pause", b"{}", {**JSON, "Cookie": cookie})[0] == 403


def test_a_forged_cookie_is_a_stranger(untouched: Any) -> None:
    cookie, form_token = session(untouched)
    name, _, value = cookie.partition("=")
    body = urlencode({"form_token": form_token}).encode()
    for forged in (value[:-1] + ("0" if value[-1] != "0" else "1"), "e30=.", "é", value.partition(".")[0]):
        headers = {**FORM, "Cookie": f"{name}={forged}".encode("latin-1", "replace").decode("latin-1")}
        assert untouched.ask("POST", "/ctl/pause", body, headers)[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""]
)
def test_another_host_is_refused(untouched: Any, host: str) -> None:
    assert untouched.ask("GET", "/", headers={"Host": host})[0] == 400
    assert untouched.ask("POST", "/ctl/pause", b"{}", {**JSON, **bearer(untouched.token), "Host": host})[0] == 400


def test_this_host_is_served_under_its_names(served: Any) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST"):
        assert served.ask("GET", "/", headers={"Host": f"{name}:{served.port}"})[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../campaign.toml",
        "/static/..%2fcampaign.toml",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/....//app.py",
        "//etc/passwd",
        "/../../../../etc/passwd",
        "/experiments/1/..%2f..%2f..%2fetc%2fpasswd",
        "/experiments/1/campaign.toml",
        "/experiments/1/%00",
        "/experiments/..%2f/mesh",
        "/experiments/-1/mesh",
        "/experiments/99999999999999999999999/mesh",
        "/experiments/1/mesh%00.3mf",
        "/figures/..%2f..%2fcampaign.svg",
        "/figures/__class__.svg",
        "/experiments/1/__class__.svg",
        "/experiments/1/notes",
        "/journal.sqlite",
        "/C:/Windows/win.ini",
    ],
)
def test_no_path_leads_outside(untouched: Any, path: str) -> None:
    status, _, body = untouched.ask("GET", path)
    assert status in (400, 404)
    assert b"root:" not in body and b"[family]" not in body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"pause"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b'{"arguments": {"id": NaN}}', 400),
        (b'{"arguments": {"mass_g": 1e999}}', 400),
        (b'{"arguments": {"id": 1' + b"0" * 5000 + b"}}", 400),
        (b'{"arguments": {"id": "1; DROP TABLE events"}}', 400),
        (b'{"arguments": {"id": true}}', 400),
        (b'{"arguments": {"id": {"$gt": 0}}}', 400),
        (b'{"arguments": {"__class__": 1}}', 400),
        (b'{"arguments": {"id": 1, "curve": "../../../../etc/passwd"}}', 400),
        (b'{"arguments": {"id": 1, "curve": "' + b"0" * 63 + b'"}}', 400),
        (b'{"arguments": [], "why": ""}', 400),
        (b'{"arguments": {}, "why": 7}', 400),
        (b'{"arguments": {}, "who": "root"}', 400),
        (b'{"why": "' + b"x" * 3000 + b'"}', 400),
        (b'{"why": "' + b"x" * MOST_BYTES + b'"}', 413),
    ],
)
def test_malformed_and_oversized_bodies_are_refused(untouched: Any, body: bytes, status: int) -> None:
    assert untouched.ask("POST", "/ctl/fail", body, {**JSON, **bearer(untouched.token)})[0] == status


def test_a_body_without_a_length_is_cut_off_at_the_limit(untouched: Any) -> None:
    with socket.create_connection(("127.0.0.1", untouched.port), timeout=20) as line:
        head = (
            f"POST /ctl/pause HTTP/1.1\r\nHost: 127.0.0.1:{untouched.port}\r\n"
            f"Authorization: Bearer {untouched.token}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        line.sendall(head.encode())
        chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
        try:
            for _ in range(2 * MOST_BYTES // 0x4000):
                line.sendall(chunk)
        except OSError:  # the server has hung up already
            pass
        assert b" 413 " in line.recv(4096).partition(b"\r\n")[0]


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "multipart/form-data", "application/jsonp"])
def test_other_kinds_of_bodies_are_refused(untouched: Any, kind: str) -> None:
    status, *_ = untouched.ask("POST", "/ctl/pause", b"x=1", {"Content-Type": kind, **bearer(untouched.token)})
    assert status in (400, 415)


def test_an_unknown_command_is_not_found(untouched: Any) -> None:
    for verb in ("nonsense", "__init__", "pause%2f..%2fstop"):
        assert untouched.ask("POST", f"/ctl/{verb}", b"{}", {**JSON, **bearer(untouched.token)})[0] == 404


@pytest.mark.parametrize("field", ["name", "back"])
def test_header_injection_reaches_no_header(untouched: Any, field: str) -> None:
    evil = "/\r\nSet-Cookie: stolen=1\r\n\r\n<script>alert(1)</script>"
    body = urlencode({"token": untouched.token, field: evil}).encode()
    _, headers, _ = untouched.ask("POST", "/sign-in", body, FORM)
    assert "stolen" not in headers.get("set-cookie", "") and headers["location"] == "/"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_an_answer_leads_back_to_this_site_only(served: Any, back: str) -> None:
    cookie, form_token = session(served)
    body = urlencode({"form_token": form_token, "back": back, "why": "a test"}).encode()
    status, _, page = served.ask("POST", "/ctl/note", body, {**FORM, "Cookie": cookie})
    assert status == 200
    assert b'href="/"' in page and b"evil.example" not in page and b"javascript:" not in page


def test_markup_in_names_and_notes_is_text(
    serve_campaign: Callable[..., Any], make_campaign: Callable[..., Path], tmp_path: Path
) -> None:
    name = '<script>alert("x")</script>\' onload=a b{{7*7}}'[:60]
    folder = make_campaign(tmp_path / "c", 1, name=name.replace('"', '\\"'))
    with Campaign.open(folder) as campaign:
        campaign.request("note", {"id": 1}, why="<img src=x onerror=alert(1)>", who="<b>me</b>")
    with serve_campaign(folder) as served:
        for path in ("/", "/experiments", "/experiments/1", "/lab", "/model", "/compare", "/log", "/steer", "/sign-in"):
            status, headers, body = served.ask("GET", path)
            assert status == 200
            assert b"<script>alert" not in body and b"<img src=x" not in body and b"<b>me" not in body, path
            assert b"{{7*7}}" in body or b"49" not in body
            assert "script-src 'self'" in headers["content-security-policy"]
            assert "unsafe-inline" not in headers["content-security-policy"]


def test_pages_carry_the_rules_for_browsers(served: Any) -> None:
    _, headers, _ = served.ask("GET", "/")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    _, headers, _ = served.ask("GET", "/figures/mass.svg")
    assert "sandbox" in headers["content-security-policy"] and headers["content-type"].startswith("image/svg+xml")


def test_what_the_conductor_refuses_is_a_conflict_with_its_reason(served: Any) -> None:
    status, told = served.order("fail", {"id": 999}, "not there")
    assert status == 409 and "no experiment" in told["message"]
    json.dumps(told)

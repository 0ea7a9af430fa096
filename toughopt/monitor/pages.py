"""The pages, made on the server from the state: nothing in them needs a script but to stay up to date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from toughopt.loop.requests import VERBS
from toughopt.loop.telemetry import readings
from toughopt.monitor.access import Access
from toughopt.monitor.actions import ACTIONS
from toughopt.monitor.gist import Gist, ago, gist_of, lasting
from toughopt.monitor.guard import may_read, person_of
from toughopt.monitor.shelf import Shelf
from toughopt.monitor.source import Moment, Source
from toughopt.monitor.telling import stages_of, told
from toughopt.plots import PORTRAITS, gallery_of, label, unit_of

if TYPE_CHECKING:
    from toughopt.journal import Experiment

_ROWS = 50  # of a table
_LOG_ROWS = 100
_SORTS = ("newest", "oldest", "best", "worst")


class Pages:
    """Renders the pages of one campaign, the first of `sources`; the others are there to compare."""

    def __init__(self, sources: Sequence[Source], shelf: Shelf, access: Access) -> None:
        self._sources = list(sources)
        self._source = sources[0]
        self._shelf = shelf
        self._access = access
        self._gist: tuple[Moment, Gist] | None = None
        self._templates = Environment(
            loader=PackageLoader("toughopt.monitor"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters |= {"number": number, "lasting": lasting, "clock": clock, "ago": ago, "beside": beside}
        self._templates.globals |= {"label": label, "unit_of": unit_of}
        for name in self._templates.list_templates(["html"]):  # the first visitor waits for no compiler
            self._templates.get_template(name)
        self._gist_of(self._source.moment)

    def overview(self, request: Request) -> Response:
        """Whether all is well, and how far the campaign is."""
        return self._page(request, "overview.html", "overview")

    def experiments(self, request: Request) -> Response:
        """All experiments, a table of fifty at a time."""
        query = request.query_params
        state = self._source.moment.state
        wanted, sort = query.get("state", ""), query.get("sort", "newest")
        chosen = [e for e in state.experiments.values() if not wanted or str(e.stage) == wanted]
        if sort in ("best", "worst"):
            sign = state.goal_sign if sort == "worst" else -state.goal_sign
            chosen.sort(key=lambda e: (e.value is None, sign * (e.value or 0.0)))
        elif sort != "oldest":
            chosen.reverse()
        pages = max(1, -(-len(chosen) // _ROWS))
        page = min(max(1, _whole(query.get("page", "1"))), pages)
        return self._page(
            request, "experiments.html", "experiments", rows=chosen[(page - 1) * _ROWS : page * _ROWS], of=len(chosen),
            page=page, pages=pages, wanted=wanted, sort=sort if sort in _SORTS else "newest", sorts=list(_SORTS),
        )  # fmt: skip

    def experiment(self, request: Request) -> Response:
        """Everything of one experiment."""
        state = self._source.moment.state
        e = state.experiments.get(request.path_params["identity"])
        if e is None:
            raise HTTPException(404, "there is no such experiment")
        figures = [name for name in PORTRAITS if _has(e, name)]
        ids = sorted(state.experiments)
        place = ids.index(e.id)
        return self._page(
            request, "experiment.html", "experiments", e=e, stages=stages_of(e), portraits=PORTRAITS, figures=figures,
            before=ids[place - 1] if place else None, after=ids[place + 1] if place + 1 < len(ids) else None,
            stamp=len(e.times) + len(e.notes), lines=[told(event) for event in self._source.events_of(e.id)],
            results=[(name, value) for name, value in e.result.items() if isinstance(value, int | float)],
            warnings=[str(w) for w in e.result.get("warnings") or ()],
            policy=(state.decision_of(e)[0] or {}).get("policy", "–"),
        )  # fmt: skip

    def lab(self, request: Request) -> Response:
        """Machines, what they do, and what waits for them."""
        return self._page(request, "lab.html", "lab", readings=readings(self._source.folder))

    def model(self, request: Request) -> Response:
        """What the model knows."""
        return self._page(request, "model.html", "model")

    def compare(self, request: Request) -> Response:
        """This campaign beside others."""
        rows = []
        for source in self._sources:
            moment, config = source.moment, source.workspace.config
            gist = gist_of(moment.state, config, source.workspace.budget())
            rows.append({"source": source, "gist": gist, "config": config, "last": moment.last_time_utc})
        stamp = sum(source.moment.state.seq for source in self._sources)
        return self._page(request, "compare.html", "compare", rows=rows, stamp=stamp)

    def log(self, request: Request) -> Response:
        """The journal, newest first."""
        newest = self._source.moment.state.seq
        before = min(_whole(request.query_params.get("before", str(newest))), newest)
        events = self._source.events(before, _LOG_ROWS)
        return self._page(
            request, "log.html", "log", lines=[told(event) for event in events], before=before, newest=newest,
            older=max(0, before - _LOG_ROWS), newer=min(newest, before + _LOG_ROWS),
        )  # fmt: skip

    def steer(self, request: Request) -> Response:
        """Every command."""
        return self._page(request, "steer.html", "steer")

    def sign_in(self, request: Request) -> Response:
        """Where a token is shown."""
        return self.sign_in_page(request, "", 200)

    def sign_in_page(self, request: Request, words: str, status: int) -> Response:
        """The same, with what was wrong."""
        return self._plain(request, "sign_in.html", status, words=words)

    def answer_page(self, request: Request, ok: bool, message: str, back: str, status: int) -> Response:
        """What became of a command, for a browser without scripts."""
        safe = back if back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable() else "/"
        return self._plain(request, "answer.html", status, ok=ok, message=message, back=safe)

    def problem_page(self, request: Request, words: str, status: int) -> Response:
        """Why a page cannot be shown."""
        return self._plain(request, "answer.html", status, ok=False, message=words, back="/")

    def stranger_page(self, request: Request) -> Response:
        """For who must sign in first."""
        return self.sign_in_page(request, "This campaign can be read with a token only.", 403)

    def _gist_of(self, moment: Moment) -> Gist:
        if self._gist is None or self._gist[0] is not moment:
            workspace = self._source.workspace
            self._gist = (moment, gist_of(moment.state, workspace.config, workspace.budget()))
        return self._gist[1]

    def _page(self, request: Request, template: str, place: str, **more: Any) -> Response:
        if not may_read(request, self._access):
            return self.stranger_page(request)
        moment = self._source.moment
        config = self._source.workspace.config
        return self._plain(
            request, template, 200, place=place, moment=moment, state=moment.state, gist=self._gist_of(moment),
            config=config, objective=str(config.objective.name), stamps=self._shelf.stamps(),
            gallery=gallery_of(config), several=len(self._sources) > 1,
            actions={verb: action for verb, action in ACTIONS.items() if verb in VERBS}, verbs=sorted(VERBS),
            folder=str(Path(self._source.folder).resolve()), **more,
        )  # fmt: skip

    def _plain(self, request: Request, template: str, status: int, **context: Any) -> Response:
        person = person_of(request, self._access)
        form_token = self._access.form_token(person.session) if person is not None and person.session else ""
        html = self._templates.get_template(template).render(
            campaign=self._source.name, person=person, form_token=form_token, here=request.url.path, **context
        )
        return HTMLResponse(html, status)


def beside(value: float, meant: float) -> str:
    """How far a value is off what was meant, such as "2.5 % more than"."""
    percent = round((value / meant - 1.0) * 100.0, 1)
    return f"{abs(percent):g} % {'more' if percent > 0 else 'less'} than" if percent else "as"


def number(value: Any, digits: int = 4) -> str:
    """A cell: so many digits of a number, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if 1000.0 <= abs(value) < 1e7 else f"{value:.{digits}g}"


def clock(time_utc: str) -> str:
    """A time as people write it, UTC."""
    if not time_utc:
        return "–"
    return datetime.fromisoformat(time_utc).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 1


def _has(e: Experiment, figure: str) -> bool:
    return {"curve": e.curve is not None, "layers": e.program is not None}.get(figure, True)

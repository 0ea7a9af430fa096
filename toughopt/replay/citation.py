"""One archive of a campaign with everything that a paper cites: data, decisions, versions, and how to cite them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toughopt.journal.codec import encode_row

if TYPE_CHECKING:
    from toughopt.journal import State
    from toughopt.loop import Workspace

_FIRST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file knows: the same campaign gives the same bytes
_README = """\
Campaign {name}

experiments.csv   one row an experiment: id, state, parameters, figures
journal.jsonl     every event, in order: [seq, time, kind, experiment, schema version, payload]
campaign.toml     what was asked for
artifacts.csv     each mesh, program and curve: SHA-256, bytes, whose it is and whether it is in this archive
artifacts/        the curves, as the test machine wrote them, and whatever else was asked for
versions.json     of the software that took part
CITATION.cff      how to cite this data and the software
SHA256SUMS        of all files here: sha256sum -c SHA256SUMS
"""
_CITATION = """\
cff-version: 1.2.0
type: dataset
message: If you use this data, please cite it, and the software that made it.
title: {title}
version: "{events}"
date-released: {date}
authors:
  - name: The operators of the campaign (put your names here)
references:
  - type: software
    title: toughopt
    version: "{software}"
    license: MIT
    authors:
      - name: The toughopt authors
"""


def archive(
    workspace: Workspace,
    experiments_csv: str,
    *,
    everything: bool = False,
    on_file: Callable[[str], None] = lambda name: None,
) -> bytes:
    """A zip file; the same campaign gives the same bytes.

    Parameters
    ----------
    experiments_csv : the table of experiments, as `toughopt export` writes it
    everything : meshes, programs and executed paths too, and not only the curves

    Raises
    ------
    JournalError
        If an artifact that belongs in it is missing or was changed.
    """
    state = workspace.state
    files: dict[str, bytes] = {
        "README.txt": _README.format(name=workspace.config.name).encode(),
        "experiments.csv": experiments_csv.encode(),
        "campaign.toml": state.config_toml.encode(),
        "versions.json": (json.dumps(_versions(workspace), indent=2) + "\n").encode(),
        "journal.jsonl": "".join(encode_row(event) + "\n" for event in workspace.store.read()).encode(),
        "CITATION.cff": _citation(workspace).encode(),
    }
    index = ["sha256,bytes,experiment,what,included"]
    for digest, (experiment_id, what) in _artifacts(state).items():
        included = everything or what == "curve"
        data = workspace.artifacts.get(digest) if included else b""
        if included:
            files[f"artifacts/{digest}"] = data
            on_file(digest)
        index.append(f"{digest},{len(data) if included else ''},{experiment_id},{what},{str(included).lower()}")
    files["artifacts.csv"] = ("\n".join(index) + "\n").encode()
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    files["SHA256SUMS"] = sums.encode()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _FIRST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, data)
    return sink.getvalue()


def _artifacts(state: State) -> Mapping[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for experiment in state.experiments.values():
        for what in ("curve", "program", "mesh", "path"):
            digest = getattr(experiment, what)
            if digest:
                found.setdefault(digest, (experiment.id, what))
    return found


def _versions(workspace: Workspace) -> dict[str, Any]:
    """Of every process that conducted the campaign, oldest first."""
    started = [e for e in workspace.store.read() if e.kind in ("campaign_created", "conductor_started")]
    return {"starts": [{"time_utc": e.time_utc, **e.payload["versions"]} for e in started]}


def _citation(workspace: Workspace) -> str:
    from toughopt._version import __version__

    last = max((max(e.times.values()) for e in workspace.state.experiments.values() if e.times), default="")
    return _CITATION.format(
        title=json.dumps(f"Campaign {workspace.config.name}"),
        events=workspace.state.seq,
        date=last[:10] or next(iter(workspace.store.read())).time_utc[:10],
        software=__version__,
    )

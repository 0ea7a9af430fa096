"""Figures, meshes, programs, curves and the viewer: what pages show and what can be downloaded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from toughopt.monitor.access import Access
from toughopt.monitor.gist import gist_of
from toughopt.monitor.guard import PICTURE_POLICY, VIEWER_POLICY, may_read
from toughopt.plots import GALLERY, PORTRAITS, comparison_figure, svg

if TYPE_CHECKING:
    from toughopt.journal import Experiment
    from toughopt.monitor.shelf import Shelf
    from toughopt.monitor.source import Source

# What of an experiment can be downloaded: attribute, media type, file name.
_ARTIFACTS = {
    "mesh": ("model/3mf", "3mf"),
    "program": ("text/plain; charset=utf-8", "gcode"),
    "curve": ("application/octet-stream", "csv"),
    "path": ("application/octet-stream", "npz"),
}
_VIEWERS_KEPT = 4


class Files:
    """Everything but pages and commands. Nothing is named by a path: an artifact is reached through its experiment."""

    def __init__(self, sources: Sequence[Source], shelf: Shelf, access: Access) -> None:
        self._sources = list(sources)
        self._source = sources[0]
        self._shelf = shelf
        self._access = access
        self._viewers: dict[str, str] = {}
        self._making = threading.Lock()

    def figure(self, request: Request) -> Response:
        """One figure of the gallery."""
        self._reader(request)
        name = request.path_params["name"]
        if name not in GALLERY:
            raise HTTPException(404, "there is no such figure")
        return _svg(self._shelf.picture(name))

    def portrait(self, request: Request) -> Response:
        """One figure of an experiment."""
        self._reader(request)
        name, e = request.path_params["name"], self._experiment(request)
        if name not in PORTRAITS:
            raise HTTPException(404, "there is no such figure")
        return _svg(self._shelf.portrait(name, e.id))

    def comparison(self, request: Request) -> Response:
        """The best so far of each campaign."""
        self._reader(request)
        names = [source.name for source in self._sources]
        states = {
            source.name
            if names.count(source.name) == 1
            else f"{source.name} ({source.folder.name})": source.moment.state
            for source in self._sources
        }
        return _svg(self._shelf.drawn(lambda: svg(comparison_figure(states))))

    def viewer(self, request: Request) -> Response:
        """trimesh's own viewer with the experiment's mesh in it: a page for a sandboxed frame."""
        self._reader(request)
        e = self._experiment(request)
        if e.mesh is None:
            raise HTTPException(404, "this experiment has no mesh")
        with self._making:
            made = self._viewers.get(e.mesh)
            if made is None:
                while len(self._viewers) >= _VIEWERS_KEPT:
                    self._viewers.pop(next(iter(self._viewers)))
                made = self._viewers[e.mesh] = _viewer(self._source.workspace.artifacts.get(e.mesh))
        return HTMLResponse(made, headers={"content-security-policy": VIEWER_POLICY})

    def artifact(self, request: Request) -> Response:
        """A mesh, program, curve or executed path of an experiment, as it lies in the campaign's artifacts."""
        self._reader(request)
        kind, e = request.path_params["kind"], self._experiment(request)
        digest = getattr(e, kind) if kind in _ARTIFACTS else None
        if digest is None:
            raise HTTPException(404, "this experiment has no such file")
        media, suffix = _ARTIFACTS[kind]
        disposition = f'attachment; filename="experiment-{e.id}-{kind}.{suffix}"'
        return Response(
            self._source.workspace.artifacts.get(digest),
            media_type=media,
            headers={"content-disposition": disposition, "content-security-policy": "default-src 'none'; sandbox"},
        )

    def status(self, request: Request) -> Response:
        """The overview as JSON."""
        self._reader(request)
        workspace, state = self._source.workspace, self._source.moment.state
        gist = gist_of(state, workspace.config, workspace.budget())
        best = None if gist.best is None else {"id": gist.best.id, "value": gist.best.value, "design": gist.best.design}
        told: dict[str, Any] = {
            "campaign": workspace.config.name,
            "objective": workspace.config.objective.name,
            "seq": state.seq,
            "mood": gist.mood,
            "complete": gist.complete,
            "failed": gist.failed,
            "counted": gist.counted,
            "budget": gist.budget,
            "best": best,
            "waits_for": [alert.text for alert in gist.alerts],
        }
        return JSONResponse(told)

    def _reader(self, request: Request) -> None:
        if not may_read(request, self._access):
            raise HTTPException(403, "sign in first")

    def _experiment(self, request: Request) -> Experiment:
        e = self._source.moment.state.experiments.get(request.path_params["identity"])
        if e is None:
            raise HTTPException(404, "there is no such experiment")
        return e


def _svg(data: bytes) -> Response:
    headers = {"content-security-policy": PICTURE_POLICY, "cache-control": "private, max-age=600"}  # pages ask by stamp
    return Response(data, media_type="image/svg+xml", headers=headers)


def _viewer(mesh_3mf: bytes) -> str:
    import io

    import numpy as np
    import trimesh as untyped
    from trimesh.viewer.notebook import scene_to_html

    trimesh: Any = untyped
    loaded = trimesh.load(io.BytesIO(mesh_3mf), file_type="3mf", force="mesh")
    # flat shading: corners are not shared, so that the edges of struts stay sharp
    loaded.unmerge_vertices()
    turned = trimesh.transformations.rotation_matrix
    loaded.apply_transform(turned(-np.pi / 2, [1, 0, 0]))  # the viewer's y axis points up
    paint = trimesh.visual.material.PBRMaterial(
        baseColorFactor=[84, 132, 176, 255], metallicFactor=0.0, roughnessFactor=0.7, doubleSided=True
    )
    loaded.visual = trimesh.visual.TextureVisuals(material=paint)
    scene = trimesh.Scene(loaded)
    aside, above = np.radians((30.0, -28.0))
    scene.camera_transform = scene.camera.look_at(
        loaded.bounding_box.vertices, rotation=turned(aside, [0, 1, 0]) @ turned(above, [1, 0, 0])
    )
    html: str = scene_to_html(scene)
    return html

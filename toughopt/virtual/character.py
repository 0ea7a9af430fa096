"""What all replicates of a structure share beyond what the formulae say of it.

A fixed, smooth random field over the measures of a structure: near structures deviate alike, and nothing but the
part itself decides, so that two programs that lay down the same part give the same value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toughopt.virtual.anatomy import Structure

    Floats = NDArray[np.float64]

FIELD = 20200417  # names the field: another number, another world
FEATURES = 64
# Length scales of a Matern-5/2 process fitted to the published means of crossed barrels: struts, degrees, mm, mm.
STRUT_SCALES = (3.5, np.radians(35.0), 0.54, 0.56)
LOG_SCALE = 0.3  # of the logarithms of height, volume, reach and wall, where there are no struts


def character(found: Structure) -> Floats:
    """(2,) float: deviates of yield and of break, each standard normal over all structures."""
    struts, sections = found.struts, found.sections
    if struts is not None:
        measures = np.array([struts.count, struts.twist_rad, struts.radius_mm, struts.wall_mm]) / STRUT_SCALES
        return _field(measures, FIELD)
    filled = sections.area_mm2 > 0
    sizes = [
        sections.part_height_mm,
        sections.volume_mm3,
        float(np.max(sections.reach_mm)),
        float(np.median(sections.wall_mm[filled])),
    ]
    return _field(np.log(np.maximum(sizes, 1e-6)) / LOG_SCALE, FIELD + 1)


def _field(measures: Floats, seed: int) -> Floats:
    """Random Fourier features of a Matern-5/2 kernel: Student's t frequencies with five degrees of freedom."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((2, FEATURES, len(measures)))
    chi = rng.chisquare(5.0, (2, FEATURES, 1))
    phase = rng.uniform(0.0, 2.0 * np.pi, (2, FEATURES))
    waves = np.cos((normal * np.sqrt(5.0 / chi)) @ measures + phase)
    return np.asarray(np.sqrt(2.0 / FEATURES) * waves.sum(axis=1))

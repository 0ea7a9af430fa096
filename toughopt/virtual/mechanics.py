"""How a printed part takes a crushing load: yield, plateau, densification, break. Closed forms over arrays.

They serve the virtual press and, as `nominal_toughness`, whoever wants a quick estimate of a crossed barrel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ELASTIC_TO_BREAK = 1.5  # a part never breaks before one and a half times its elastic strain at yield
MOST_SCATTER = 4.0  # times the usual scatter of when a part breaks
LARGEST_STRAIN = 0.85  # by then every printed part is a solid block


@dataclass(frozen=True, slots=True)
class StrutConstants:
    """What was fitted to published means of crossed barrels; stresses in MPa, lengths in mm.

    The means are those of 300 of the 600 designs of Gongora et al., Science Advances 6, eaaz1708 (2020), taken as 20 mm
    high with 18 mm between the platforms, on a ring of 10 mm; `benchmarks/press.py` repeats the fit and judges it on
    the other 300. Yield and modulus come out as those of printed PLA: 50 to 70 MPa in compression and 2.3 to 3.5 GPa
    (Song et al., Materials & Design 123, 154, 2017; NatureWorks 4043D data sheet).
    """

    yield_mpa: float = 57.73
    modulus_mpa: float = 2682.0
    lean_weakening: float = 0.3712
    lean_crossings: float = 2.468
    lean_power: float = 3.238
    lean_softening: float = 1.317
    slender_break: float = 2.714
    slender_upright: float = 0.4254
    slender_lean: float = 0.1813
    slender_radius: float = 1.542
    slender_steepness: float = 7.3
    brittle_strain: float = 0.06342
    brittle_power: float = 1.263
    ductile_strain: float = 0.7516
    plateau_drop: float = 0.1027
    plateau_strain: float = 0.01538
    hardening: float = 0.2577
    hardening_wall: float = 12.34
    hardening_crossings: float = 0.9217
    dense_strain: float = 0.5805
    dense_power: float = 3.339
    dense_force_n: float = 5000.0
    seat_compliance_mm_per_n: float = 1.249e-4
    scatter_yield: float = 0.09
    scatter_break: float = 0.12
    scatter_slender: float = 3.0
    scatter_folds: float = 0.2
    scatter_folds_slender: float = 0.5


PUBLISHED = StrutConstants()


@dataclass(frozen=True, slots=True)
class Response:
    """What decides a curve; every field is (n,) float, and all broadcast together.

    length_mm is what is crushed; compliance_mm_per_n that of the specimen alone. A part breaks at brittle_strain, and
    at ductile_strain more the farther its margin is above 0 (a logistic step of the given steepness). hardening is the
    slope of the plateau per unit of strain; the force of densification is
    dense_force_n * (strain / dense_strain) ** dense_power.
    """

    length_mm: Floats
    yield_force_n: Floats
    compliance_mm_per_n: Floats
    brittle_strain: Floats
    ductile_strain: Floats
    margin: Floats
    steepness: Floats
    plateau_drop: Floats
    plateau_strain: Floats
    hardening: Floats
    dense_force_n: Floats
    dense_strain: Floats
    dense_power: Floats

    def column(self) -> Response:
        """The same with a new last axis, to be evaluated at many displacements."""
        return Response(*(np.asarray(getattr(self, name))[..., None] for name in self.__slots__))


def strut_response(
    count: ArrayLike,
    twist_rad: ArrayLike,
    radius_mm: ArrayLike,
    area_mm2: ArrayLike,
    length_mm: ArrayLike,
    ring_mm: ArrayLike,
    crossings: ArrayLike,
    constants: StrutConstants = PUBLISHED,
) -> Response:
    """Response of a ring of equal struts.

    Parameters
    ----------
    count, twist_rad, radius_mm, area_mm2, length_mm, ring_mm, crossings : (n,) float
        Struts in the ring; twist from end to end; outer radius and horizontal section of one; height between their
        ends; radius of the circle of their axes; how many others one meets.

    Notes
    -----
    A strut that leans by tan a = ring twist / length bends: its yield force and stiffness fall with the lean and the
    slenderness, and rise again as crossings tie it to its neighbours. The free length between crossings over the radius
    decides whether it breaks soon after yield or folds until the part is dense.
    """
    k = constants
    n, x, r, area, length, ring, c = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=np.float64)
            for v in (count, twist_rad, radius_mm, area_mm2, length_mm, ring_mm, crossings)
        )
    )
    lean = ring * x / length
    tied = 1.0 + (c / k.lean_crossings) ** k.lean_power
    fixed = (k.slender_upright + lean / k.slender_lean) / (1.0 + lean / k.slender_lean)
    slender = length / (1.0 + c) * fixed / (2.0 * (r / 2.0) ** k.slender_radius)
    margin = np.log(k.slender_break / slender)
    hollow = np.clip(1.0 - area / (np.pi * r**2), 0.0, 1.0)
    same = np.ones(x.shape)
    return Response(
        length_mm=length,
        yield_force_n=n * area * k.yield_mpa / (1.0 + k.lean_weakening * lean * (length / r) / tied),
        compliance_mm_per_n=length * (1.0 + k.lean_softening * lean) / (n * k.modulus_mpa * area),
        brittle_strain=k.brittle_strain * np.exp(np.clip(k.brittle_power * margin, -6.0, 5.0)),
        ductile_strain=k.ductile_strain * same,
        margin=margin,
        steepness=k.slender_steepness * same,
        plateau_drop=k.plateau_drop * same,
        plateau_strain=k.plateau_strain * same,
        hardening=k.hardening * np.exp(k.hardening_wall * (0.25 - hollow) - k.hardening_crossings * (c - 3.0)),
        dense_force_n=k.dense_force_n * same,
        dense_strain=k.dense_strain * same,
        dense_power=k.dense_power * same,
    )


def strain_at_break(response: Response, force_limit_n: float) -> Floats:
    """(n,) float: strain of the part at which it breaks."""
    p = response
    elastic = p.compliance_mm_per_n * np.minimum(p.yield_force_n, force_limit_n) / p.length_mm
    ductile = p.ductile_strain / (1.0 + np.exp(np.clip(-p.steepness * p.margin, -30.0, 30.0)))
    return np.minimum(ELASTIC_TO_BREAK * elastic + 0.001 + p.brittle_strain + ductile, LARGEST_STRAIN)


def force(response: Response, displacement_mm: Floats) -> Floats:
    """Force in N at each displacement of the part's own faces, before it breaks; all broadcast."""
    p = response
    strain = displacement_mm / p.length_mm
    elastic = displacement_mm / (p.compliance_mm_per_n * p.yield_force_n)
    plateau = 1.0 - p.plateau_drop + p.plateau_drop * np.exp(-strain / p.plateau_strain) + p.hardening * strain
    dense = p.dense_force_n * (strain / p.dense_strain) ** p.dense_power
    return np.asarray(p.yield_force_n * elastic / (1.0 + elastic**4) ** 0.25 * plateau + dense)


def toughness_j(
    response: Response, force_limit_n: float = 5000.0, seat_compliance_mm_per_n: float = 0.0, points: int = 120
) -> Floats:
    """(n,) float, J: area under the curve from contact to the force limit or the break, whichever comes first.

    The seat is a spring in series: at the end of loading it holds F**2 / 2 times its compliance.
    """
    columns = response.column()
    end = strain_at_break(columns, force_limit_n) * columns.length_mm
    displacement = np.linspace(0.0, 1.0, points) ** 2 * end
    load = force(columns, displacement)
    before = np.minimum(load[..., :-1], force_limit_n)
    after = load[..., 1:]
    alive = np.cumprod(load[..., :-1] < force_limit_n, axis=-1)
    reach = np.where(after > force_limit_n, (force_limit_n - before) / np.maximum(after - before, 1e-9), 1.0)
    work = alive * reach * np.diff(displacement, axis=-1) * 0.5 * (before + np.minimum(after, force_limit_n))
    last = np.where(alive[..., -1] > 0, np.minimum(after[..., -1], force_limit_n), force_limit_n)
    return np.asarray((work.sum(axis=-1) + 0.5 * seat_compliance_mm_per_n * last**2) / 1000.0)


def nominal_toughness(
    n: ArrayLike,
    theta: ArrayLike,
    r: ArrayLike,
    t: ArrayLike,
    height_mm: float = 20.0,
    platform_mm: float = 1.0,
    ring_mm: float = 10.0,
    force_limit_n: float = 5000.0,
    constants: StrutConstants = PUBLISHED,
) -> Floats:
    """Expected toughness of a crossed barrel in J, over the scatter of specimens.

    Parameters
    ----------
    n, theta, r, t : (k,) float
        Struts, twist in degrees, outer radius and wall in mm.
    height_mm, platform_mm, ring_mm, force_limit_n : float
        Height of the part and thickness of each of its two platforms, between which the struts take their share of the
        twist; radius of the circle of strut axes; force at which the test ends.

    Returns
    -------
    (k,) float, J
    """
    n_, theta_, r_, t_ = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (n, theta, r, t))
    )
    length = height_mm - 2.0 * platform_mm
    x = np.radians(theta_) * length / height_mm
    area = np.pi * (r_**2 - np.maximum(r_ - t_, 0.0) ** 2)
    nominal = strut_response(n_, x, r_, area, length, ring_mm, n_ * x / (2.0 * np.pi), constants)
    seat = constants.seat_compliance_mm_per_n
    each = [toughness_j(scattered(nominal, deviates, constants), force_limit_n, seat) for deviates in _EQUALLY_LIKELY]
    return np.asarray(np.mean(each, axis=0))


# means of the quarters of a standard normal, in a Latin square: sixteen equally likely triples
_QUARTERS = (-1.2711, -0.3247, 0.3247, 1.2711)
_EQUALLY_LIKELY = tuple((_QUARTERS[i], _QUARTERS[j], _QUARTERS[(i + j) % 4]) for i in range(4) for j in range(4))


def scattered(response: Response, deviates: ArrayLike, constants: StrutConstants = PUBLISHED) -> Response:
    """The same part, off the nominal one by standard normal deviates of yield, of break and of how it folds.

    Slender parts, of small margin, scatter most in when they break and how they fold.
    """
    k = constants
    yields, breaks, folds = np.asarray(deviates, dtype=np.float64)
    in_break = k.scatter_break * np.minimum(np.exp(-k.scatter_slender * response.margin), MOST_SCATTER)
    in_folds = k.scatter_folds * np.minimum(np.exp(-k.scatter_folds_slender * response.margin), MOST_SCATTER)
    return replace(
        response,
        yield_force_n=response.yield_force_n * np.exp(k.scatter_yield * yields),
        margin=response.margin + in_break * breaks,
        length_mm=response.length_mm * np.exp(in_folds * folds),
    )

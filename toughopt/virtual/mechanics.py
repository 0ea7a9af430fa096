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
LARGEST_STRAIN = 0.85  # by then every printed part is a solid block


@dataclass(frozen=True, slots=True)
class StrutConstants:
    """What was fitted to published means of crossed barrels; stresses in MPa, lengths in mm.

    The means are those of 300 of the 600 designs of Gongora et al., Science Advances 2020, doi 10.1126/sciadv.aaz1708;
    `benchmarks/press.py` repeats the fit and judges it on the other 300.
    """

    yield_mpa: float = 64.37
    modulus_mpa: float = 2271.0
    lean_weakening: float = 0.3074
    lean_crossings: float = 1.622
    lean_softening: float = 0.3792
    slender_break: float = 1.912
    slender_upright: float = 0.3675
    slender_twist: float = 0.6706
    slender_radius: float = 1.573
    slender_power: float = 4.399
    ductile_strain: float = 0.3545
    plateau_drop: float = 0.1315
    plateau_strain: float = 0.03828
    hardening: float = 0.2431
    hardening_wall: float = 12.73
    hardening_crossings: float = 0.4844
    dense_strain: float = 0.5652
    dense_power: float = 4.393
    dense_force_n: float = 5000.0
    seat_compliance_mm_per_n: float = 2.245e-5
    scatter_yield: float = 0.1043
    scatter_break: float = 0.5426


PUBLISHED = StrutConstants()


@dataclass(frozen=True, slots=True)
class Response:
    """What decides a curve; every field is (n,) float, and all broadcast together.

    length_mm is what is crushed; compliance_mm_per_n that of the specimen alone; break_strain the plastic strain beyond
    which it is in pieces; hardening the slope of the plateau per unit of strain; the force of densification is
    dense_force_n * (strain / dense_strain) ** dense_power.
    """

    length_mm: Floats
    yield_force_n: Floats
    compliance_mm_per_n: Floats
    break_strain: Floats
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
    crossings: ArrayLike,
    constants: StrutConstants = PUBLISHED,
) -> Response:
    """Response of a ring of equal struts.

    Parameters
    ----------
    count, twist_rad, radius_mm, area_mm2, length_mm, crossings : (n,) float
        Struts in the ring; twist from end to end; outer radius, horizontal section and height of one; how many
        others it meets.

    Notes
    -----
    A leaning strut bends: its yield force falls with twist and slenderness, and rises again as crossings tie it to its
    neighbours. Slender free lengths between crossings break soon after yield; stocky ones fold and densify.
    """
    k = constants
    n, x, r, area, length, c = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (count, twist_rad, radius_mm, area_mm2, length_mm, crossings))
    )
    tied = 1.0 + (c / k.lean_crossings) ** 2
    clamped = (k.slender_upright + x / k.slender_twist) / (1.0 + x / k.slender_twist)
    slender = length / (r**k.slender_radius * (1.0 + c)) * clamped
    hollow = np.clip(1.0 - area / (np.pi * r**2), 0.0, 1.0)
    return Response(
        length_mm=length,
        yield_force_n=n * area * k.yield_mpa / (1.0 + k.lean_weakening * x * (length / r) / tied),
        compliance_mm_per_n=length * (1.0 + k.lean_softening * x) / (n * k.modulus_mpa * area),
        break_strain=k.ductile_strain
        * np.exp(np.clip(-k.slender_power * np.log(slender / k.slender_break), -6.0, 5.0)),
        plateau_drop=np.full(x.shape, k.plateau_drop),
        plateau_strain=np.full(x.shape, k.plateau_strain),
        hardening=k.hardening * np.exp(k.hardening_wall * (0.25 - hollow) - k.hardening_crossings * (c - 3.0)),
        dense_force_n=np.full(x.shape, k.dense_force_n),
        dense_strain=np.full(x.shape, k.dense_strain),
        dense_power=np.full(x.shape, k.dense_power),
    )


def strain_at_break(response: Response, force_limit_n: float) -> Floats:
    """(n,) float: strain of the part at which it breaks."""
    elastic = response.compliance_mm_per_n * np.minimum(response.yield_force_n, force_limit_n) / response.length_mm
    return np.minimum(ELASTIC_TO_BREAK * elastic + 0.001 + response.break_strain, LARGEST_STRAIN)


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
    force_limit_n: float = 5000.0,
    constants: StrutConstants = PUBLISHED,
) -> Floats:
    """Expected toughness of a crossed barrel in J, over the scatter of specimens.

    Parameters
    ----------
    n, theta, r, t : (k,) float
        Struts, twist in degrees, outer radius and wall in mm.
    height_mm, force_limit_n : float
        Height between the plates, and the force at which the test ends.

    Returns
    -------
    (k,) float, J
    """
    n_, theta_, r_, t_ = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (n, theta, r, t))
    )
    x = np.radians(theta_)
    area = np.pi * (r_**2 - np.maximum(r_ - t_, 0.0) ** 2)
    nominal = strut_response(n_, x, r_, area, height_mm, n_ * x / (2.0 * np.pi), constants)
    seat = constants.seat_compliance_mm_per_n
    each = [
        toughness_j(scattered(nominal, constants.scatter_yield * a, constants.scatter_break * b), force_limit_n, seat)
        for a in NORMAL_QUARTERS
        for b in NORMAL_QUARTERS
    ]
    return np.asarray(np.mean(each, axis=0))


NORMAL_QUARTERS = (-1.2711, -0.3247, 0.3247, 1.2711)  # means of the four quarters of a standard normal


def scattered(response: Response, log_yield: ArrayLike, log_break: ArrayLike) -> Response:
    """The same part, stronger and more ductile by these natural logarithms."""
    return replace(
        response,
        yield_force_n=response.yield_force_n * np.exp(log_yield),
        break_strain=response.break_strain * np.exp(log_break),
    )

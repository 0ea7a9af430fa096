"""Which beads are the part, and which are only priming line, skirt or drops: told from the beads alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_CELL_MM = 0.5  # beads in neighbouring cells touch; what is 1.5 mm away does not
_LOOKED_AT = 12  # layers from the bed up in which things are told apart: nothing beside a part grows higher


def belongs_to_part(
    start_mm: FloatArray,
    end_mm: FloatArray,
    level_mm: FloatArray,
    nozzle_diameter_mm: float,
) -> NDArray[np.bool_]:
    """(n,) bool: beads that hang together with what grows highest.

    The lowest twelve heights are cut into cells of half a millimetre; cells with beads that touch, side by side or
    one above the other, are one piece. A piece that reaches the top of those heights is part; what ends below it
    (skirt, priming line) is not. Where there is one layer only, the piece that was laid last is the part. Drops (beads
    without a way) belong to the part where they fall onto it.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(level_mm)
    kept = np.ones(count, dtype=bool)
    if not count:
        return kept
    way = np.linalg.norm(end_mm[:, :2] - start_mm[:, :2], axis=1)
    drops = way < 1e-6
    levels, rank = np.unique(level_mm, return_inverse=True)
    rank = rank.reshape(-1)
    if np.any(~drops):  # heights at which there are drops only are no layers
        real = np.zeros(len(levels), dtype=bool)
        real[rank[~drops]] = True
        place = np.cumsum(real) - 1
        rank = np.maximum(place, 0)[rank]
        high_drop = drops & ~real[np.unique(level_mm, return_inverse=True)[1].reshape(-1)]
    else:
        high_drop = np.zeros(count, dtype=bool)
    top = min(int(rank.max()), _LOOKED_AT)
    low = np.flatnonzero((rank <= top) & ~high_drop)
    cell = max(_CELL_MM, 1.25 * nozzle_diameter_mm)
    owner, key = _cells(start_mm[low, :2], end_mm[low, :2], rank[low], cell)
    keys, index = np.unique(key, return_inverse=True)
    index = index.reshape(-1)
    first, second = _touching(keys)
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(keys), len(keys)))
    piece_count, piece = connected_components(graph, directed=False)
    piece_of_bead = np.empty(len(low), dtype=np.int64)
    piece_of_bead[owner] = piece[index]

    reach = np.full(piece_count, -1, dtype=np.int64)
    solid = ~drops[low]
    np.maximum.at(reach, piece_of_bead[solid], rank[low][solid])
    good = np.arange(piece_count) == piece_of_bead[-1] if top == 0 else reach >= top
    kept[low] = good[piece_of_bead]
    kept[high_drop] = False
    return kept


def _cells(
    start: FloatArray, end: FloatArray, rank: NDArray[np.int64], cell: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which bead passes through which cell: bead, and the cell's key."""
    length = np.linalg.norm(end - start, axis=1)
    samples = np.ceil(length / (cell / 2)).astype(np.int64) + 1
    owner = np.repeat(np.arange(len(start)), samples)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(samples) - samples, samples)
    share = step / np.maximum(samples[owner] - 1, 1)
    point = start[owner] + (end - start)[owner] * share[:, None]
    grid = np.floor((point - point.min(axis=0)) / cell).astype(np.int64) + 1
    return owner, (rank[owner] << 40) | (grid[:, 1] << 20) | grid[:, 0]


def _touching(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of cells that touch: the eight around, and those one or two heights up."""
    first: list[NDArray[np.int64]] = []
    second: list[NDArray[np.int64]] = []
    around = [(dy << 20) + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    offsets = [offset for offset in around if offset > 0]
    offsets += [(up << 40) + offset for up in (1, 2) for offset in around]
    for offset in offsets:
        at = np.searchsorted(keys, keys + offset)
        hit = np.flatnonzero((at < len(keys)) & (keys[np.minimum(at, len(keys) - 1)] == keys + offset))
        first.append(hit)
        second.append(at[hit])
    return np.concatenate(first), np.concatenate(second)

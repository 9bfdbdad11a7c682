"""Principal components of rows that arrive a few at a time.

The recurrence of Ross, Lim, Lin & Yang (2008, Int. J. Comput. Vis. 77, eqs. 9-14), as in
scikit-learn's `IncrementalPCA`: after n rows with mean m, singular values s and components V,
m' new rows X with mean x lead to the singular vectors of

    A = [diag(s) V ; X - x ; sqrt(n m' / (n + m')) (m - x)]

Their left side is found from the small Gram matrix A A', not from A: with U units, k
components and m' rows, (k + m' + 1)^2 U multiplications instead of an SVD of a matrix U wide.
Means and variances are merged as in Chan, Golub & LeVeque (1983, Am. Stat. 37, eq. 2.1).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

COLUMNS = 4096
"""Units per block: within one, sums are float32; across blocks, float64."""
PANEL = 128
"""Rows per panel of a Gram matrix, of which only the lower triangle is computed."""
SMALL = 1e9
"""Below this many multiplications a Gram matrix is float64 throughout."""
NEGLIGIBLE = 1e-10
"""Share of the first component's variance under which a component is rounding error."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The principal components of one layer.

    Attributes
    ----------
    mean : Tensor, (U,) float32
    components : Tensor, (k, U) float32
        Orthonormal, by falling variance; the entry of largest size is positive in each.
    variance : array, (k,) float64
        Variance along each component (n - 1 in the denominator).
    unit_variance : array, (U,) float64
        Variance of each unit.
    rows : int
        Rows seen.
    reason : str
        Why there are fewer components than asked for; empty if there are not.
    """

    mean: Tensor
    components: Tensor
    variance: np.ndarray
    unit_variance: np.ndarray
    rows: int
    reason: str

    @property
    def captured(self) -> np.ndarray:
        """Share of the total variance along each component, (k,)."""
        return self.variance / max(self.unit_variance.sum(), np.finfo(float).tiny)

    def project(self, units: Tensor) -> Tensor:
        """Turn responses (n, U) into scores (n, k); the responses are not changed."""
        mean, components = self.mean.to(units.device), self.components.to(units.device)
        return (units.float() - mean) @ components.T


class Stream:
    """Principal components of a stream of rows.

    Rows are kept until there are `rows` of them, then merged in one update, so that the
    result depends on their order but not on how many are added at a time.

    Parameters
    ----------
    units : int
        U, numbers in a row.
    components : int
        k, components to keep.
    rows : int
        Rows merged at a time, at least k unless there are fewer in all. The memory needed
        is (k + rows + 1) U float32.
    device : torch.device, optional
        Where to compute.
    """

    def __init__(
        self, units: int, components: int, rows: int, device: torch.device | None = None
    ) -> None:
        self._asked = components
        self._kept = min(components, units)
        self._stack = torch.empty(self._kept + rows + 1, units, device=device)
        self._mean = torch.zeros(units, dtype=torch.float64, device=device)
        self._squares = torch.zeros(units, dtype=torch.float64, device=device)
        self._rank = self._waiting = self.rows = 0

    def add(self, units: Tensor) -> None:
        """Add rows, (n, ...) with U numbers each."""
        room = len(self._stack) - self._kept - 1
        while len(units):
            start = self._kept + self._waiting
            taken = min(room - self._waiting, len(units))
            place = self._stack[start : start + taken]
            place.view(taken, *units.shape[1:]).copy_(units[:taken])
            self._waiting, units = self._waiting + taken, units[taken:]
            if self._waiting == room:
                self._merge()

    def axes(self) -> Axes:
        """Return the components of all rows so far.

        Raises
        ------
        ValueError
            If there are fewer than two rows.
        """
        if self._waiting:
            self._merge()
        if self.rows < 2:
            raise ValueError(f"principal components need at least 2 rows, not {self.rows}")
        top = self._stack[self._kept - self._rank : self._kept]
        squares, turn = _eigen(_gram(top, exact=True))
        kept = max(int((squares > NEGLIGIBLE * squares[0]).sum()), 1)
        scale = np.sqrt(np.maximum(squares[:kept], np.finfo(float).tiny))
        components = torch.empty(kept, top.shape[1], device=top.device)
        _turn(top, turn[:, :kept] / torch.from_numpy(scale).to(turn), components, exact=True)
        lowest, highest = components.aminmax(dim=1, keepdim=True)
        components *= torch.where(-lowest > highest, -1.0, 1.0)
        return Axes(
            mean=self._mean.float().cpu(),
            components=components.cpu(),
            variance=squares[:kept] / (self.rows - 1),
            unit_variance=(self._squares / (self.rows - 1)).cpu().numpy(),
            rows=self.rows,
            reason=self._reason(kept),
        )

    def _merge(self) -> None:
        new, old = self._waiting, self.rows
        batch = self._stack[self._kept : self._kept + new]
        mean = batch.mean(0).double()
        if not mean.isfinite().all():
            raise ValueError("a response is not a finite number")
        batch -= mean.float()
        both = old + new
        self._squares += _squares(batch) + (old * new / both) * (self._mean - mean).square()
        end = self._kept + new
        if old:
            self._stack[end] = ((old * new / both) ** 0.5 * (self._mean - mean)).float()
            end += 1
        self._mean += (mean - self._mean) * (new / both)
        stack = self._stack[self._kept - self._rank : end]
        exact = len(stack) ** 2 * stack.shape[1] < SMALL
        _, turn = _eigen(_gram(stack, exact=exact))
        self._rank = min(self._kept, len(stack))
        top = self._stack[self._kept - self._rank : self._kept]
        _turn(stack, turn[:, : self._rank], top, exact=exact)
        self.rows, self._waiting = both, 0

    def _reason(self, kept: int) -> str:
        if kept == self._asked:
            return ""
        if kept == self._kept:
            return f"{self._asked} components asked for, but the layer has {self._kept} units"
        return (
            f"{self._asked} components asked for, but {self.rows} images span only {kept} "
            "dimensions of this layer"
        )


def _squares(batch: Tensor) -> Tensor:
    """Sum the squares of each column, a block at a time to spare memory."""
    return torch.cat([part.square().sum(0).double() for part in batch.split(COLUMNS, 1)])


def _gram(stack: Tensor, *, exact: bool) -> Tensor:
    """Compute the lower triangle of stack @ stack.T, in float64."""
    count = len(stack)
    gram = torch.zeros(count, count, dtype=torch.float64, device=stack.device)
    for part in stack.split(COLUMNS, 1):
        part = part.double() if exact else part
        for row in range(0, count, PANEL):
            panel = part[row : row + PANEL] @ part[: row + PANEL].T
            gram[row : row + PANEL, : row + PANEL] += panel
    return gram


def _eigen(gram: Tensor) -> tuple[np.ndarray, Tensor]:
    """Find eigenvalues, falling, and eigenvectors; NumPy's LAPACK is the faster one here."""
    squares, turn = np.linalg.eigh(gram.cpu().numpy())
    squares = np.maximum(squares[::-1], 0)
    return squares, torch.from_numpy(turn[:, ::-1].copy()).to(gram.device)


def _turn(stack: Tensor, turn: Tensor, out: Tensor, *, exact: bool) -> None:
    """Write turn.T @ stack to `out`, which may be part of the stack: a block of columns a time."""
    turn = turn if exact else turn.float()
    for column in range(0, stack.shape[1], COLUMNS):
        part = stack[:, column : column + COLUMNS]
        out[:, column : column + COLUMNS] = turn.T @ (part.double() if exact else part)

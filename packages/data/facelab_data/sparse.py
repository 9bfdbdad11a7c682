"""Products with a matrix that is mostly zero."""

from typing import NamedTuple

import numpy as np

from facelab_data.rendering.compiled import kernel


class Sparse(NamedTuple):
    """A (k, c) matrix, column after column: the entries of column i are starts[i] to starts[i+1].

    Attributes
    ----------
    starts : (c + 1,) int64
    rows : (entries,) int32
    values : (entries,) float64
    """

    starts: np.ndarray
    rows: np.ndarray
    values: np.ndarray


def compress(matrix: np.ndarray) -> Sparse:
    """Keep the entries of a (k, c) matrix that are not zero."""
    by_column = np.ascontiguousarray(matrix.T, dtype=np.float64)
    columns, rows = np.nonzero(by_column)
    starts = np.searchsorted(columns, np.arange(len(by_column) + 1))
    return Sparse(starts, rows.astype(np.int32), by_column[columns, rows])


def multiply(coefficients: np.ndarray, matrix: Sparse, base: np.ndarray) -> np.ndarray:
    """Compute base + coefficients @ matrix, (N, c) float32.

    Sums are in float64, the base (c,) is added last. All N rows are done at a time, as it is the
    matrix that takes long to read.
    """
    out = np.empty((len(coefficients), len(base)), np.float32)
    by_row = np.ascontiguousarray(coefficients.T)
    _multiply(by_row, matrix, base, np.empty(len(coefficients)), out)
    return out


@kernel
def _multiply(
    coefficients: np.ndarray, matrix: Sparse, base: np.ndarray, total: np.ndarray, out: np.ndarray
) -> None:
    """Fill out (N, c) from coefficients (k, N); total (N,) is to write to."""
    for i in range(out.shape[1]):
        total[:] = 0.0
        for entry in range(matrix.starts[i], matrix.starts[i + 1]):
            row, value = matrix.rows[entry], matrix.values[entry]
            for n in range(total.shape[0]):
                total[n] += value * coefficients[row, n]
        for n in range(total.shape[0]):
            out[n, i] = base[i] + total[n]

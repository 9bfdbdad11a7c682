"""How the kernels are compiled, said once.

`kernel` marks what Python calls: compiled at first use, kept on disk, free of
the interpreter lock. `inline` marks what kernels call. Both keep IEEE order of
operations, and no kernel calls the mathematical library: it holds only sums,
products, quotients, square roots and comparisons, which every processor rounds
alike, so that the same input gives the same bytes on every machine.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from numba import njit
from numba.core.caching import FunctionCache

# Without `_nrt` numba emits no counting of references to arrays, which took half of the time of
# shading; a kernel can then allocate no array, and must be given one to write to.
inline = njit(forceinline=True, error_model="numpy", _nrt=False)


def sources() -> str:
    """Digest the modules of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _Cache(FunctionCache):
    """numba's cache on disk, made aware of the functions a kernel calls.

    numba looks at the kernel's own file only, and would go on using old code
    when a function that it inlines from another module has changed.
    """

    digest = sources()

    def _index_key(self, *args: object) -> tuple:
        return (*super()._index_key(*args), self.digest)


def kernel(function: Callable) -> Callable:
    """Compile a function that Python calls, and keep the result on disk where that is possible."""
    compiled = njit(nogil=True, error_model="numpy", _nrt=False)(function)
    try:
        compiled._cache = _Cache(function)
    except RuntimeError:  # no folder can be written: compile in every process
        return compiled
    return compiled

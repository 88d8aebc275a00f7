"""What exported PyTorch scripts have in common. Everything here makes text; importing it loads no torch.

`text` frames a script (header, wrapped expressions, arrays, our own source, the final check), `optimizers` builds
every rule in torch's words, `rules` holds the rules torch lacks, and `exact` turns a formula into plain Python that
rounds exactly as the app does.
"""

from __future__ import annotations

from .exact import derivatives, math_library, where_autograd_fails
from .optimizers import NEARLY_ZERO, changes, constructor, listed, plain, settings, written_out
from .text import CHECK, WIDTH, array, header, section, sources, wrapped, written_rules

__all__ = [
    "CHECK", "NEARLY_ZERO", "WIDTH", "array", "changes", "constructor", "derivatives", "header", "listed",
    "math_library", "plain", "section", "settings", "sources", "where_autograd_fails", "wrapped", "written_out",
    "written_rules",
]  # fmt: skip

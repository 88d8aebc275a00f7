"""The one place that loads torch for the engine, with the settings it needs here.

On Windows torch must load before Qt; main.load_torch_first sees to that.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def torch() -> Any:
    """The torch module, on one thread: on small tensors more cost up to 70 times as much, and change rounding."""
    module = importlib.import_module("torch")
    module.set_num_threads(1)
    return module

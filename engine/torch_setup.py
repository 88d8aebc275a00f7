"""The one place that loads torch for the engine, with the settings it needs here.

On Windows torch must load before Qt; main.load_torch_first sees to that.
"""

from __future__ import annotations

import functools
import importlib
import os
from typing import Any

# Convolutions oneDNN keeps ready, each for one shape: a network has a few dozen. Its own 1,024 are 20 MiB and more.
READY = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")


@functools.cache
def torch() -> Any:
    """The torch module, on one thread: on small tensors more cost up to 70 times as much, and change rounding."""
    os.environ.setdefault(*READY)
    module = importlib.import_module("torch")
    module.set_num_threads(1)
    return module

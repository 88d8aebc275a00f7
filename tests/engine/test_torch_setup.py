"""torch, as the engine loads it (memory as Linux tells it)."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import gc, random
from engine.torch_setup import torch
t = torch()
def held():
    gc.collect()
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("RssAnon"))
def run(n):
    for _ in range(n):
        batch, ins, outs = (random.randint(1, top) for top in (64, 12, 12))
        x, w = t.randn(batch, ins, 8, 8, requires_grad=True), t.randn(outs, ins, 3, 3, requires_grad=True)
        t.conv2d(x, w, padding=1).sum().backward()
random.seed(1)
run(20)
before = held()
run(100)
print(t.get_num_threads(), (held() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_one_thread_and_few_convolutions_kept_ready() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    threads, grown = map(int, done.stdout.split())
    assert threads == 1
    assert grown < 12  # MiB; 20 with as many as it keeps by itself

"""Peak memory of a job, in a process of its own.

python benchmarks/peak.py few       # prints MiB; benchmarks/run.py writes the table
"""

import os
import subprocess
import sys
import threading
from itertools import pairwise

import psutil
import torch
from common import gpt2_like_states, microscope


def peak_memory(job: str) -> float:
    """Run a job in a process of its own and return its peak memory in MiB, above what it held before."""
    # Else glibc keeps freed blocks for later, more the longer a process runs, and they would count as in use.
    fixed = os.environ | {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "1048576"}
    command = [sys.executable, __file__, job]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=fixed).stdout)


def job(name: str) -> None:
    """Print the peak memory of one job of `peak_memory`."""
    from linstudy import linearity_profile, profile_of_states

    if name in ("theirs", "ours"):
        official = microscope()
        stream = gpt2_like_states()

        def work() -> None:
            if name == "ours":
                profile_of_states(stream)
                return
            for x, y in pairwise(stream):
                official.procrustes_similarity(x, y)
                official.procrustes_similarity(x, y - x)
    else:
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(GPT2Config(n_layer=4, n_embd=128, n_head=4, vocab_size=1000)).eval()
        count = 40 if name == "few" else 800
        blocks = torch.randint(0, 1000, (count, 256), generator=torch.Generator().manual_seed(0))

        def work() -> None:
            linearity_profile(model, blocks)

    process, peak, done = psutil.Process(), 0, threading.Event()
    before = process.memory_info().rss

    def watch() -> None:  # the kernel's own peak counts what importing took
        nonlocal peak
        while not done.wait(0.001):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    print((peak - before) / 2**20)


if __name__ == "__main__":
    job(sys.argv[1])

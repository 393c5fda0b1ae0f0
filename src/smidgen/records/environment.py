"""What a result was made with and on: versions, hardware, memory. Standard library only."""

import os
import platform
import re
from contextlib import suppress
from importlib import metadata
from pathlib import Path

# Packages whose version can change a result.
RELEVANT_PACKAGES = ("smidgen", "torch", "numpy", "tokenizers", "safetensors", "transformers", "pyarrow", "lm_eval")

# The memory that a container may use, by the two versions of Linux control groups.
CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def versions() -> dict[str, str]:
    """Python and the installed packages that matter; a package that is absent is left out."""
    found = {"python": platform.python_version()}
    for name in RELEVANT_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, str | int | None]:
    """Processor, usable cores and memory of this machine; a GPU is added by whoever may import torch."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def available_memory_bytes() -> int | None:
    """Memory that new processes could take, within the limit of a container (Linux); None where unknown."""
    found = []
    with suppress(OSError):
        match = re.search(r"^MemAvailable:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
        found += [int(match[1]) * 1024] if match else []
    for limit in CONTAINER_LIMITS:
        # "max" stands for none.
        with suppress(OSError, ValueError):
            found.append(int(limit.read_text()))
    return min(found, default=None)


def reset_peak_memory() -> None:
    """Let the next ``peak_memory_bytes`` count from now on, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_bytes() -> int | None:
    """The most memory this process held since the last reset (Linux) or its start; None where unknown."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return _peak_since_start()
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else _peak_since_start()


def _peak_since_start() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def _processor() -> str:
    try:
        match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match[1].strip() if match else platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None

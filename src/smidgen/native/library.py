"""Compiling a C++ file once for this processor, and loading it.

Sources travel with the package as text; the result is kept in a folder under a name that holds everything it depends
on, so that another version, compiler or processor never meets it.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

COMPILERS = ("g++", "clang++", "c++")
# What several sources share.
HEADERS = Path(__file__).parent
# Rounding stays as written: nothing is reordered, NaN and infinity keep their meaning.
FLAGS = ("-O3", "-std=c++17", "-fPIC", "-shared", "-pthread", "-fno-math-errno", "-march=native", f"-I{HEADERS}")
# Measured: 8 s on a busy core. Beyond this something is wrong with the compiler.
TIMEOUT_SECONDS = 180


class Unavailable(Exception):
    """The file cannot be compiled or loaded here; the message is one sentence for a notice."""


def load_library(source: Path, cache: Path, *, options: Sequence[str] = ()) -> ctypes.CDLL:
    """The compiled ``source``, from ``cache`` where it has been compiled before.

    ``options`` go to the compiler after ours. Raises ``Unavailable``.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        raise Unavailable(f"no C++ compiler was found ({', '.join(COMPILERS)})")
    path = cache / f"{source.stem}-{_fingerprint(source, compiler, options)}.so"
    try:
        if not path.is_file():
            _compile([compiler, *FLAGS, *options], source, path)
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise Unavailable(f"{path} cannot be loaded: {error}") from error


def _compile(command: Sequence[str], source: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            built = Path(folder) / path.name
            result = subprocess.run(
                [*command, str(source), "-o", str(built)],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
            if result.returncode != 0:
                complaint = next((line for line in result.stderr.splitlines() if "error" in line), "it failed")
                raise Unavailable(f"{command[0]} could not compile {source.name}: {complaint.strip()}")
            # Another process may have finished first; either result is good.
            os.replace(built, path)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{source.name} could not be compiled: {error}") from error


def _fingerprint(source: Path, compiler: str, options: Sequence[str]) -> str:
    facts = (
        source.read_text(encoding="utf-8"),
        *(header.read_text(encoding="utf-8") for header in sorted(HEADERS.glob("*.h"))),
        compiler,
        _version(compiler),
        " ".join((*FLAGS, *options)),
        _processor(),
    )
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _version(compiler: str) -> str:
    try:
        return subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{compiler} does not run: {error}") from error


def _processor() -> str:
    """What ``-march=native`` depends on: a home folder may be shared by machines with different processors."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        flags = ""
    return f"{sys.platform} {platform.machine()} {platform.processor()} {' '.join(sorted(flags.split()))}"

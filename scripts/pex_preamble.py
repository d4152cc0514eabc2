"""Runs first in every built binary, before PEX looks at anything.

It says in one sentence what is wrong with a machine that the binary cannot run on,
and decides where the binary unpacks itself. `build.py` appends the call of `prepare`.
It is kept to what any Python 3.6 understands, or that sentence would never be seen.
"""

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path


def prepare(machine: str, python: "tuple[int, int]") -> None:
    """Refuse a machine or Python that the binary was not built for; set PEX_ROOT."""
    if (sys.platform, platform.machine()) != ("linux", machine):
        sys.exit(
            f"This file was built for Linux on {machine}, and this is {platform.system()} on "
            f"{platform.machine()}. Build it on such a machine: make build-distributed"
        )
    wanted = "{}.{}".format(*python)
    # Started by another Python, PEX itself finds the right one if it is on PATH.
    if sys.version_info[:2] != python and not shutil.which("python" + wanted):
        sys.exit(
            f"This file was built for Python {wanted}, and python3 here is {platform.python_version()}. "
            f"Install Python {wanted}, or build it again with this one: make build-distributed"
        )
    os.environ.setdefault("PEX_ROOT", str(_in_cache() or _in_tmp()))


def _in_cache() -> "Path | None":
    """Our directory in the user's cache; None if it cannot be written."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        root = cache / "ffmpeg-rtmp" / "pex"
        root.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return root if os.access(str(root), os.W_OK) else None


def _in_tmp() -> Path:
    """The same directory at every start, or each start would leave 300 MB behind."""
    root = Path(tempfile.gettempdir()) / f"ffmpeg-rtmp-pex-{os.getuid()}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        found = root.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="ffmpeg-rtmp-pex-"))
    # Code runs from here: a directory that somebody else prepared is not used.
    if found.st_uid == os.getuid() and found.st_mode & 0o170077 == 0o040000:
        return root
    return Path(tempfile.mkdtemp(prefix="ffmpeg-rtmp-pex-"))

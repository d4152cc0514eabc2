"""The machine is described by what the system says of it."""

from __future__ import annotations

import platform
from pathlib import Path

from bench.machine import described, disk_of, processor

MOUNTS = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/big xfs rw 0 0\n"


def test_the_processor_has_the_name_that_it_gives_itself_or_that_of_its_kind() -> None:
    assert processor("processor\t: 0\nmodel name\t: Fast  CPU @ 2GHz\n") == "Fast CPU @ 2GHz"
    assert processor("processor\t: 0\nBogoMIPS\t: 50.00\n") == platform.machine()


def test_a_directory_is_on_the_file_system_that_is_mounted_nearest_above_it() -> None:
    assert disk_of(Path("/var/lib"), MOUNTS) == "ext4"
    assert disk_of(Path("/tmp/x"), MOUNTS) == "tmpfs"
    assert disk_of(Path("/tmp/big/x"), MOUNTS) == "xfs"
    assert disk_of(Path("/x"), "") == "unknown"


def test_the_description_names_what_figures_depend_on() -> None:
    said = described()
    for word in ("cores", "GiB", "Linux", "Python", "gunicorn", "OpenSSL"):
        assert word in said

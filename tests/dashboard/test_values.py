"""Values of any kind are written for people: unknown is a dash, and numbers keep what they say."""

from __future__ import annotations

import pytest

from master.api.dashboard.values import written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (43778048, "43,778,048"),
        (4.0, "4"),
        (243.102037, "243.102"),
        (0.249955, "0.249955"),
        (127256.123, "127,256"),
        (0.0000001234, "1.23e-07"),
        (["vmaf", "psnr"], "vmaf, psnr"),
        ("libx264", "libx264"),
        ("", ""),
    ],
)
def test_a_value_is_written(value: object, text: str) -> None:
    assert written(value) == text

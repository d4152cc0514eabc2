"""Manifests are joined to one, and what is none, or an attack, is refused with a sentence."""

from __future__ import annotations

import pytest

from agent.renditions.dash import Manifest, ManifestError, join

TEXT = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>
<AdaptationSet contentType="video" bitstreamSwitching="true" maxWidth="{width}" maxHeight="{height}">
<Representation id="0" bandwidth="1" width="{width}" height="{height}"><BaseURL>a-0.mp4</BaseURL>
<SegmentList timescale="1000" duration="1000" startNumber="1"><Initialization range="0-99"/>
<SegmentURL mediaRange="100-199"/><SegmentURL mediaRange="200-499"/></SegmentList></Representation>
</AdaptationSet>
<AdaptationSet contentType="audio"><Representation id="1" bandwidth="1"><BaseURL>a-1.mp4</BaseURL>
</Representation></AdaptationSet></Period></MPD>"""
HIGH, LOW = (Manifest(f"{h}p", TEXT.format(width=w, height=h)) for w, h in ((320, 180), (160, 90)))
BOMB = '<!DOCTYPE a [<!ENTITY b "c">]>' + TEXT.partition("?>")[2]


def test_one_set_has_all_pictures_and_the_sound_is_of_the_first() -> None:
    text = join([HIGH, LOW])
    assert text.count("<AdaptationSet") == 2
    assert [text.count(f"<BaseURL>{name}</BaseURL>") for name in ("180p/a-0.mp4", "90p/a-0.mp4")] == [1, 1]
    assert (text.count("180p/a-1.mp4"), text.count("90p/a-1.mp4")) == (1, 0)
    assert 'maxWidth="320"' in text


def test_the_bandwidth_is_measured_in_the_ranges() -> None:
    assert join([HIGH, LOW]).count(f'bandwidth="{300 * 8}"') == 2


@pytest.mark.parametrize("text", ["", "<a/>", TEXT.replace("video", "text"), BOMB])
def test_what_cannot_be_joined_is_said(text: str) -> None:
    with pytest.raises(ManifestError, match="the manifest of 90p"):
        join([HIGH, Manifest("90p", text)])

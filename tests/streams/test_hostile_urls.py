"""What names no stream that we take is refused, and what does has one meaning and no secrets in print."""

from __future__ import annotations

import pytest

from common.inputs import InputError, parse_host_pattern, parse_input
from common.outputs import parse_output, writable
from common.streams import RtmpStream, SrtStream, masked, parse_stream

REFUSED = {
    "a password": "rtmp://user:pass@example.com/app/key",
    "an option of librtmp": "rtmp://example.com/app/key live=1",
    "an option of librtmp after a tab": "rtmp://example.com/app/key\tpageUrl=http://evil",
    "a line break": "rtmp://example.com/app/key\r\nfoo",
    "NUL": "rtmp://example.com/app/key\0",
    "a backslash": "rtmp://example.com\\@evil.com/app/key",
    "a fragment": "rtmp://example.com/app/key#x",
    "no key": "rtmp://example.com/app",
    "an empty key": "rtmp://example.com/app/",
    "no application": "rtmp://example.com//key",
    "a way up": "rtmp://example.com/../key",
    "no host": "rtmp:///app/key",
    "an odd address": "rtmp://0x7f.1/app/key",
    "a short address": "rtmp://127.1/app/key",
    "a zone": "rtmp://[fe80::1%25eth0]/app/key",
    "port 0": "rtmp://example.com:0/app/key",
    "a large port": "rtmp://example.com:70000/app/key",
    "two ports": "rtmp://example.com:1:2/app/key",
    "a full-width letter": "rtmp://\uff45xample.com/app/key",
    "RTMP over HTTP": "rtmpt://example.com/app/key",
    "RTMP encrypted by Flash": "rtmpe://example.com/app/key",
    "another protocol": "tcp://example.com:1935",
    "a file": "file:///etc/passwd",
    "a pipe": "pipe:1",
    "many outputs": "tee:rtmp://example.com/app/key|file",
    "a nested one": "rtmp:file:///etc/passwd",
    "too long": "rtmp://example.com/app/" + "k" * 2048,
    "SRT without a port": "srt://example.com",
    "SRT with a path": "srt://example.com:9000/x",
    "SRT as a listener": "srt://example.com:9000?mode=listener",
    "another option of SRT": "srt://example.com:9000?localaddr=1.2.3.4",
    "an option of SRT twice": "srt://example.com:9000?streamid=a&streamid=b",
    "a hidden line break": "srt://example.com:9000?streamid=a%0Ab",
    "a hidden NUL": "srt://example.com:9000?streamid=a%00b",
    "half an escape": "srt://example.com:9000?streamid=a%2",
    "a short passphrase": "srt://example.com:9000?passphrase=short",
    "a latency of words": "srt://example.com:9000?latency=low",
    "a long latency": "srt://example.com:9000?latency=9000",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_no_output_and_no_input(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_output(text)
    assert "pass@" not in str(caught.value)
    with pytest.raises(InputError):
        parse_input(text)


def test_an_rtmp_url_is_a_server_an_application_and_a_key() -> None:
    stream = parse_stream("RTMP://Live.Example.COM:01935/app/part/key?token=a&b=%20c")
    assert isinstance(stream, RtmpStream)
    assert (stream.place, stream.app, stream.key) == (
        "rtmp://live.example.com",
        "app/part",
        "key?token=a&b=%20c",
    )
    assert parse_stream("rtmps://[2001:DB8::1]/a/k").place == "rtmps://[2001:db8::1]"


def test_an_srt_url_has_options_that_are_decoded_once() -> None:
    stream = parse_stream(
        "srt://example.com:9000?streamid=%23!::r=live/a%2520b&passphrase=0123456789&latency=200"
    )
    assert isinstance(stream, SrtStream)
    assert (stream.place, stream.latency) == ("srt://example.com:9000", 200)
    assert (stream.stream_id, stream.passphrase) == ("#!::r=live/a%20b", "0123456789")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtmp://example.com/app/key", "rtmp://example.com/app/***"),
        ("rtmps://example.com:1/app/part/key?token=x", "rtmps://example.com:1/app/part/***"),
        ("srt://example.com:9000?streamid=x&passphrase=y", "srt://example.com:9000?***"),
        ("srt://example.com:9000", "srt://example.com:9000"),
        ("Error opening rtmp://1.2.3.4/a/key: Broken pipe", "Error opening rtmp://1.2.3.4/a/*** Broken pipe"),
        ("rtmp://user:secret@example.com/app/key", "rtmp://***@example.com/app/***"),
        ("https://example.com/a.mp4", "https://example.com/a.mp4"),
        ("media:films/a.mp4", "media:films/a.mp4"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize("text", ["rtmp://example.com/app/s3cret", "srt://example.com:9000?streamid=s3cret"])
def test_a_stream_prints_itself_without_its_secrets(text: str) -> None:
    assert "s3cret" not in f"{parse_stream(text)} {parse_stream(text)!r}"


def test_hosts_are_allowed_by_scheme_and_port() -> None:
    patterns = ["rtmp://*.example.com", "srt://example.com:9000"]
    assert writable("rtmp://live.example.com", [], patterns)
    assert writable("srt://example.com:9000", [], patterns)
    for other in ("rtmps://live.example.com", "rtmp://live.example.com:1936", "rtmp://example.com",
                  "srt://example.com:9001"):  # fmt: skip
        assert not writable(other, [], patterns)
    assert not writable("rtmp://live.example.com", ["rtmp"], None)
    with pytest.raises(InputError):
        parse_host_pattern("srt://example.com")

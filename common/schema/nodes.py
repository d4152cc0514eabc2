"""What nodes say of themselves."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common import inputs
from common.fields import (
    HostPattern,
    Matches,
    OneOf,
    ShortDict,
    ShortList,
    StrictBoolean,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.model import EnergySource, Load, NodeType
from common.schema.base import (
    MAX_NUMBER,
    Strict,
    encoders_field,
    is_encoder,
    is_id,
    labels_field,
    text,
)

MAX_REASON = 300
"""Characters of the reason why an encoder failed its trial."""
_is_root = Matches(inputs.ROOT.pattern, "Must be 1 to 63 letters, digits and ._-")


def _roots(what: str) -> ShortList:
    """Names of media roots."""
    return ShortList(
        StrictString(validate=_is_root), most=64, load_default=None, allow_none=True, **says(what)
    )


def _hosts(what: str) -> ShortList:
    """Patterns of hosts."""
    return ShortList(HostPattern(), most=256, load_default=None, allow_none=True, **says(what))


class RegisterSchema(Strict):
    """`POST /nodes/register`. Only the address is needed; the rest is unknown if it is left out."""

    address = text(
        255,
        required=True,
        **says("the name that people know the machine by, up to 255 characters; the only one needed"),
    )
    id = StrictString(
        load_default=None,
        validate=is_id,
        **says("up to 64 letters, digits and dashes; the master makes one if it is left out"),
    )
    credential = StrictString(
        load_default=None,
        validate=validate.Length(32, 256),
        **says("a secret of 32 to 256 characters, of the node's own making"),
    )
    type = OneOf(NodeType, load_default=None, allow_none=True, **says("`laptop`, `server` or `desktop`"))
    cpu_threads = StrictInteger(
        load_default=None, allow_none=True, validate=validate.Range(1, 65_536), **says("1 to 65,536")
    )
    cpu_model = text(255, load_default=None, allow_none=True, **says("text"))
    has_gpu = StrictBoolean(load_default=None, allow_none=True, **says("true or false"))
    gpu_model = text(255, load_default=None, allow_none=True, **says("text"))
    has_battery = StrictBoolean(load_default=None, allow_none=True, **says("true or false"))
    ram_bytes = StrictInteger(
        load_default=None, allow_none=True, validate=validate.Range(0, MAX_NUMBER), **says("bytes")
    )
    labels = labels_field(
        load_default=dict, **says("up to 64 names and values, of letters, digits and `._/-`")
    )
    encoders = encoders_field(
        load_default=None,
        allow_none=True,
        **says("ffmpeg's names of the encoders that passed a trial; left out: any encoder is assumed"),
    )
    encoder_failures = ShortDict(
        most=64,
        keys=StrictString(validate=is_encoder),
        values=text(MAX_REASON),
        load_default=None,
        allow_none=True,
        **says(f"by encoder that failed its trial: why, in up to {MAX_REASON} characters"),
    )
    ffmpeg_version = text(255, load_default=None, allow_none=True, **says("text"))
    max_concurrent_jobs = StrictInteger(
        load_default=1, validate=validate.Range(1, 1024), **says("slots, 1 to 1024; 1 if left out")
    )
    run_unlabeled = StrictBoolean(
        load_default=True, **says("false: take only jobs that ask for one of its labels; true if left out")
    )
    agent_version = text(64, load_default=None, allow_none=True, **says("text"))
    instance = StrictString(
        load_default=None, allow_none=True, validate=is_id, **says("names the agent's process")
    )
    media_roots = _roots("names of the media roots that it reads inputs from; left out: it reads none")
    input_hosts = _hosts(
        "hosts that it fetches inputs from, as `example.com`, `*.example.com`, "
        "`http://example.com:8000`; left out: none"
    )
    output_roots = _roots("names of the media roots that it writes outputs to; left out: it writes to none")
    output_hosts = _hosts("hosts that it streams to, as `rtmp://live.example.com`; left out: none")
    energy_source = OneOf(
        EnergySource,
        load_default=None,
        allow_none=True,
        **says("what tells the energy of an encode: `rapl`, `gpu`, `rapl+gpu`, `model`; left out: nothing"),
    )


class CredentialSchema(Strict):
    """`POST /nodes/{id}/credential`."""

    credential = StrictString(
        required=True,
        validate=validate.Length(32, 256),
        **says("a new secret of 32 to 256 characters, of the node's own making; needed"),
    )


def _share(what: str) -> StrictFloat:
    return StrictFloat(load_default=None, allow_none=True, validate=validate.Range(0, 1), **says(what))


class LoadSchema(Strict):
    """How busy a machine is."""

    cpu = _share("the part of all CPUs' time that was used since the heartbeat before, 0 to 1")
    memory = _share("the part of the memory that is used, 0 to 1")

    @post_load
    def _load(self, data: dict[str, Any], **_: Any) -> Load:
        return Load(**data)


class HeartbeatSchema(Strict):
    """`POST /nodes/{id}/heartbeat`; the body may be left out."""

    leases = ShortList(
        StrictString(validate=is_id),
        most=1024,
        load_default=None,
        **says("the `lease_id` of each job it works on; left out, or without a body: all are renewed"),
    )
    stopping = StrictBoolean(
        load_default=False,
        **says("true: its agent is about to end, and gets nothing new until it registers again"),
    )
    load = fields.Nested(  # type: ignore[assignment]  # the metaclass takes it out of the class
        LoadSchema,
        load_default=None,
        allow_none=True,
        **says("how busy the machine is: `cpu` and `memory`, each 0 to 1 or null"),
    )


class LeaveSchema(Strict):
    """`POST /nodes/{id}/leave`; the body may be left out."""

    instance = StrictString(
        load_default=None,
        validate=is_id,
        **says("the agent's process as registered: the late goodbye of an earlier one changes nothing"),
    )

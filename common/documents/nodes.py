"""What is answered of nodes."""

from __future__ import annotations

from marshmallow import fields

from common.documents.parts import a_count, a_flag, a_number, a_text, a_time, many, texts
from common.fields import OneOf, StrictFloat, StrictString, says
from common.model import EnergySource, NodeStatus, NodeType
from common.schema import Strict


class LoadDocumentSchema(Strict):
    """How busy a machine was at its last heartbeat. Unknown is null."""

    cpu = a_number("the part of all CPUs' time that was used, 0 to 1", allow_none=True)
    memory = a_number("the part of the memory that was used, 0 to 1", allow_none=True)


class NodeSchema(Strict):
    """A node: a machine whose agent runs jobs."""

    id = a_text("the node's id")
    address = a_text("the name that people know the machine by")
    type = OneOf(NodeType, required=True, allow_none=True)
    cpu_threads = a_count(allow_none=True)
    cpu_model = a_text(allow_none=True)
    has_gpu = a_flag(allow_none=True)
    ram_bytes = a_count("bytes", allow_none=True)
    labels = fields.Dict(keys=StrictString(), values=StrictString(), required=True)
    status = OneOf(NodeStatus, required=True, **says("what it can be given now"))
    last_heartbeat = a_time("its last sign of life; null after a restart of the master", allow_none=True)
    registered_at = a_time("when it registered first")
    running_jobs = a_count("jobs that it runs now")
    max_concurrent_jobs = a_count("its slots")
    load = fields.Nested(  # type: ignore[assignment]  # the metaclass takes it out of the class
        LoadDocumentSchema,
        required=True,
        allow_none=True,
        **says("how busy the machine is; null: nobody said since the master started"),
    )
    run_unlabeled = a_flag("false: it takes only jobs that ask for one of its labels")
    encoders = texts("ffmpeg's names of encoders that passed a trial; null: nobody tried", allow_none=True)
    encoder_failures = fields.Dict(
        keys=StrictString(),
        values=StrictString(),
        required=True,
        allow_none=True,
        **says("by encoder that failed its trial: why; null: its agent does not say"),
    )
    ffmpeg_version = a_text(allow_none=True)
    gpu_model = a_text(allow_none=True)
    has_battery = a_flag(allow_none=True)
    agent_version = a_text(allow_none=True)
    quarantined = a_text("why it was set aside; null: it was not", allow_none=True)
    media_roots = texts("media roots that it reads inputs from; null: it does not say", allow_none=True)
    input_hosts = texts("hosts that it fetches inputs from; null: it does not say", allow_none=True)
    output_roots = texts("media roots that it writes outputs to; null: it does not say", allow_none=True)
    output_hosts = texts("hosts that it streams to; null: it does not say", allow_none=True)
    energy_source = OneOf(
        EnergySource,
        required=True,
        allow_none=True,
        **says("what tells the energy of an encode; null: nothing"),
    )
    protocol = a_count("the protocol that its agent speaks; 0: it does not say")
    credential_expires_at = a_time(
        "until when its credential is valid; null: for ever, or it has none", allow_none=True
    )


class TermsSchema(Strict):
    """How long the master waits for signs of life, and when the agent must replace its credential."""

    heartbeat_timeout = a_number("seconds of silence that make a node offline")
    lease = a_number("seconds of silence that end a lease")
    credential_ttl = a_number("seconds that a new credential is valid")
    credential_expires_in = StrictFloat(
        required=True,
        allow_none=True,
        **says("seconds that its credential is still valid; null: for ever"),
    )
    max_claims = a_count("jobs that one poll may ask for, with `max`")


class RegisteredSchema(NodeSchema, TermsSchema):
    """The node, and how often the master wants to hear of it."""


class NodesSchema(Strict):
    """All nodes, in the order of their registration."""

    nodes = many(NodeSchema)
    count = a_count()


class HeardSchema(TermsSchema):
    """The answer to a heartbeat."""

    status = OneOf(NodeStatus, required=True)
    leases = texts("the leases that hold; an agent ends the attempt of one that is missing")

"""The version of all parts, and of the language that agents and masters speak with each other."""

VERSION = "0.1.0"

PROTOCOL = 6
"""Raised when agents and masters must know of each other's change. Neighbours work together: a
master takes agents from one below to one above its own; see docs/reliability.md.

1: the first. 2: agents say in headers (`common.client`) who they are and what they have heard.
3: agents replace their credential before it expires; that of an older agent never does. Nodes say
which inputs they can read, and jobs may name one. 4: outputs, streams, families of jobs, and jobs that are
measured. 5: heartbeats tell the node's load, and nodes say why an encoder failed its trial. 6: files that
are encoded in chunks, by several nodes.
"""

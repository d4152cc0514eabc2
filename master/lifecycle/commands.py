"""The wishes: what callers and the reaper ask for. `decide` grants or refuses them.

Ids and lease ids are made at the edge and handed in, so that deciding stays pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from common.history import History
from common.model import Failure, Job, Node, Report, Token, Webhook, WebhookStatus


@dataclass(frozen=True, slots=True)
class Submit:
    """Queue these jobs, all or none."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Lease the view's job to the view's node."""

    lease_id: str


@dataclass(frozen=True, slots=True)
class ClaimTwin:
    """Run the view's job, which runs elsewhere, once more on the view's node: with a twin of it."""

    lease_id: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Take this report of the view's job."""

    report: Report


@dataclass(frozen=True, slots=True)
class Release:
    """The node hands the view's job back unharmed."""

    node_id: str
    lease_id: str | None


@dataclass(frozen=True, slots=True)
class Expire:
    """End the running attempt that holds `lease_id`: nothing was heard of it."""

    lease_id: str
    error: Failure


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the view's job, wherever it stands."""


@dataclass(frozen=True, slots=True)
class PauseJob:
    """Hold the view's job back."""


@dataclass(frozen=True, slots=True)
class ResumeJob:
    """Let the view's job wait for a node again."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Look whether all that the view's job waits for can still come: it may be lost with the journal."""


@dataclass(frozen=True, slots=True)
class Disappoint:
    """The view's job cannot begin: what another job made for it is not to be had."""

    dependency_id: str
    reason: str
    """A sentence."""


@dataclass(frozen=True, slots=True)
class Register:
    """Make this node known, or known again; the view's node is its old record.

    The view's token is the join token that was shown.
    """

    node: Node
    replaces: str | None = None
    """The instance that is known to have ended, where the agent can tell."""
    exclusive: bool = False
    """Whether the agent could tell. Only then a second one can be told from a restarted one."""
    rotates: bool = False
    """Whether the agent can replace its credential. Only then that may expire."""


@dataclass(frozen=True, slots=True)
class Hear:
    """A node gave a sign of life."""

    stopping: bool = False
    """It said that its agent is ending."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Let the view's node take jobs."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Give the view's node nothing new."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Give the view's node jobs again, whether it drains or was set aside."""


@dataclass(frozen=True, slots=True)
class Lose:
    """Declare the view's node offline, and send its jobs back."""

    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Leave:
    """The agent of the view's node ends, and runs nothing any more."""

    instance: str | None
    """Which of the node's agents says so; None if it does not say."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the view's node out of the registry."""


@dataclass(frozen=True, slots=True)
class ReplaceCredential:
    """The agent of the view's node made itself a new credential."""

    shown: str | None
    """SHA-256 of the one that it still shows; None: it is an operator who asks."""
    new: str
    """SHA-256 of the new one."""


@dataclass(frozen=True, slots=True)
class ConfirmCredential:
    """The newest credential of the view's node was used."""


@dataclass(frozen=True, slots=True)
class Revoke:
    """Turn the view's node away from now on."""


@dataclass(frozen=True, slots=True)
class CreateToken:
    """Make this token."""

    token: Token


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """End the view's token."""


@dataclass(frozen=True, slots=True)
class ForgetToken:
    """Remove the view's token if it ended long ago."""


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """Make this webhook."""

    webhook: Webhook


@dataclass(frozen=True, slots=True)
class StopWebhook:
    """Tell the view's webhook nothing more until it is resumed."""

    status: WebhookStatus
    """`paused` or `disabled`."""
    reason: str


@dataclass(frozen=True, slots=True)
class ResumeWebhook:
    """Tell the view's webhook what it was not told yet."""


@dataclass(frozen=True, slots=True)
class RotateWebhook:
    """Give the view's webhook another secret; the one before holds on for `overlap` seconds."""

    overlap: float


@dataclass(frozen=True, slots=True)
class ReplayWebhook:
    """Tell the view's webhook everything anew that has a number above `after`."""

    after: int


@dataclass(frozen=True, slots=True)
class RemoveWebhook:
    """Remove the view's webhook."""


@dataclass(frozen=True, slots=True)
class PauseQueue:
    """Give no job to any node."""


@dataclass(frozen=True, slots=True)
class ResumeQueue:
    """Give jobs to nodes again."""


@dataclass(frozen=True, slots=True)
class Start:
    """The master begins to serve."""

    start: str
    history: int


@dataclass(frozen=True, slots=True)
class Rewind:
    """An agent was told of this history: perhaps by a start of which this state is an older copy."""

    heard: History
    history: int
    """How long this state's own history is."""


JobCommand = (
    Submit
    | Claim
    | ClaimTwin
    | Finish
    | Release
    | Expire
    | Cancel
    | PauseJob
    | ResumeJob
    | Settle
    | Disappoint
)
NodeCommand = (
    Register
    | Hear
    | Approve
    | Drain
    | Resume
    | Lose
    | Leave
    | Remove
    | ReplaceCredential
    | ConfirmCredential
    | Revoke
)
TokenCommand = CreateToken | RevokeToken | ForgetToken
WebhookCommand = CreateWebhook | StopWebhook | ResumeWebhook | RotateWebhook | ReplayWebhook | RemoveWebhook
FarmCommand = PauseQueue | ResumeQueue | Start | Rewind
Command = JobCommand | NodeCommand | TokenCommand | WebhookCommand | FarmCommand

-- What masters tell others, each other and people: how far, and of what.

create table webhook_standings (
    webhook_id text primary key,
    told bigint not null,
    replays bigint not null default 0,
    failures bigint not null default 0,
    failing_since double precision,  -- seconds since 1970, as the others
    next_try double precision
) with (fillfactor = 50);

create table webhook_wishes (
    id bigint generated always as identity primary key,
    webhook_id text not null,
    message_id text not null,
    seq bigint
);
create index webhook_wishes_of on webhook_wishes (webhook_id, id);

create table webhook_tries (
    id bigint generated always as identity primary key,
    webhook_id text not null,
    message_id text not null,
    seq bigint,
    event text not null,
    number bigint not null,
    at double precision not null,
    duration double precision not null,
    status bigint,
    error text,
    next_try double precision
);
create index webhook_tries_of on webhook_tries (webhook_id, id);

-- What follows is not logged: after a crash of the database it is empty, and comes anew.

-- Logs that a master is about to write to, though their jobs may be finished already.
create unlogged table logs_to_come (
    id bigint generated always as identity primary key,
    job_id text not null,
    since timestamptz not null default clock_timestamp()
);
create index logs_to_come_of on logs_to_come (job_id);

-- How busy nodes are: the newest of each, and some of each that are kept.
create unlogged table newest_samples (
    node_id text primary key,
    sample text not null
) with (fillfactor = 50);

create unlogged table samples (
    node_id text not null,
    mono double precision not null,  -- on the clock that leases run on
    sample text not null,
    primary key (node_id, mono)
);

-- Who is signed in with a browser.
create unlogged table sessions (
    name text primary key,  -- SHA-256 of the cookie's value
    credential text not null,  -- SHA-256 of the secret that was shown
    ends timestamptz not null
);
create index sessions_ends on sessions (ends);

-- Whose turn it is: the round of the next job of each submitter ('' is nobody's own), for each priority.
create unlogged table rounds (
    priority smallint not null,
    lane text not null,
    next bigint not null,
    now bigint not null,  -- the round that was under way when it was given its last
    primary key (priority, lane)
) with (fillfactor = 50);

drop index jobs_queue;
create index jobs_queue on jobs (kind, priority, (coalesce(owner, '')), place, seq)
    where waits and ready_at is null;

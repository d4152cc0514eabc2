-- The records, the history, and what is counted of them. Times are the database's.

create table farm (
    one boolean primary key default true check (one),
    version bigint not null default 1,
    format smallint not null,
    record text not null
);

-- Each job has the number of its kind: of what it asks of a node.
create table kinds (
    id bigint generated always as identity primary key,
    wanted text not null unique
);

create table jobs (
    id text collate "C" primary key,
    version bigint not null,
    seq bigint not null unique,
    status text not null,
    final boolean not null,
    listed bigint not null,  -- the place in listings among the unfinished, or the finished
    owner text,
    parent_id text,
    head_id text not null,  -- the job that its whole family belongs to
    linked boolean not null,  -- a rule about it looks at other jobs, too
    priority smallint not null,
    place bigint not null,
    kind bigint not null,
    waits boolean not null,  -- for a node
    ready_at timestamptz,  -- when its backoff ends
    node_id text,  -- where it runs
    finished_at timestamptz,
    has_result boolean not null,
    idempotency_key text,
    retry_of text,
    format smallint not null,
    record text not null
) with (fillfactor = 70);

create index jobs_queue on jobs (kind, priority, place, seq) where waits and ready_at is null;
create index jobs_backoff on jobs (ready_at) where waits and ready_at is not null;
create index jobs_waiting on jobs (priority, seq) where waits;
create index jobs_held on jobs (node_id) where node_id is not null;
create index jobs_all on jobs (final, listed);
create index jobs_whole on jobs (final, listed) where parent_id is null;
create index jobs_by_status on jobs (status, listed);
create index jobs_whole_by_status on jobs (status, listed) where parent_id is null;
create index jobs_of_owner on jobs (owner, final, listed) where owner is not null;
create index jobs_of_owner_by_status on jobs (owner, status, listed) where owner is not null;
create index jobs_with_result on jobs (listed) where has_result;
create index jobs_finished on jobs (finished_at, seq) where finished_at is not null and parent_id is null;
create index jobs_of_parent on jobs (parent_id) where parent_id is not null;
create index jobs_of_family on jobs (head_id) where parent_id is not null;
create index jobs_by_key on jobs (idempotency_key) where idempotency_key is not null;
create index jobs_retries on jobs (retry_of) where retry_of is not null;

create table dependencies (
    job_id text not null,
    on_id text not null,
    primary key (job_id, on_id)
);
create index dependencies_on on dependencies (on_id);

create table job_files (
    sha256 text not null,
    job_id text not null,
    primary key (sha256, job_id)
);
create index job_files_of on job_files (job_id);

create table ended (
    node_id text not null,
    ended_at timestamptz not null,
    job_id text not null,
    number bigint not null,
    scenario text not null,
    started_at timestamptz not null,
    outcome text not null,
    code text,
    message text,
    primary key (node_id, ended_at, job_id, number)
);

create table nodes (
    id text primary key,
    version bigint not null,
    place bigint generated always as identity,
    format smallint not null,
    record text not null
) with (fillfactor = 70);

create table credentials (
    digest text not null,
    node_id text not null,
    place bigint generated always as identity,
    primary key (digest, node_id)
);
create index credentials_of on credentials (node_id);

create table tokens (
    id text primary key,
    version bigint not null,
    place bigint generated always as identity,
    secret_hash text not null unique,
    format smallint not null,
    record text not null
);

create table webhooks (
    id text primary key,
    version bigint not null,
    place bigint generated always as identity,
    format smallint not null,
    record text not null
);

-- Places in the queue: who queues jobs takes as many in a row as it needs.
create sequence places;
create function take_places(wanted bigint) returns bigint language plpgsql as $$
declare
    first bigint;
begin
    perform pg_advisory_lock(hashtext(current_schema()), 5);
    first := nextval('places');
    if wanted > 1 then
        perform setval('places', first + wanted - 1);
    end if;
    perform pg_advisory_unlock(hashtext(current_schema()), 5);
    return first;
end
$$;

-- How many jobs are of a sort: what was added, and taken away. Now and then it is summed up.
create table tally (
    name text not null,
    n bigint not null
);
create index tally_of on tally (name);

-- The history. An event gets its number (seq) when it is committed: then no reader can miss it.
create table happened (
    id bigint generated always as identity primary key,
    deal bigint not null default (pg_current_xact_id()::text::bigint),  -- what was recorded together
    seq bigint unique,
    heard bigint,  -- how long a history was that was lost
    at timestamptz not null,
    by text not null,
    address text,
    event text not null,
    job_id text,
    node_id text,
    token_id text,
    owner text,
    details text not null,
    format smallint not null,
    fact text not null
);
create index happened_unnumbered on happened (id) where seq is null;
create index happened_to_job on happened (job_id, seq) where job_id is not null;
create index happened_to_node on happened (node_id, seq) where node_id is not null;
create index happened_by on happened (by, seq);
create index happened_at on happened (at);

-- Signs of life. After a crash of the database they are empty: then each lease and node has a full term.
create unlogged table heard_nodes (
    node_id text primary key,
    since timestamptz not null,  -- its silence is counted from here
    heard_at timestamptz
) with (fillfactor = 50);

create unlogged table heard_leases (
    lease_id text primary key,
    since timestamptz not null,
    told_at timestamptz,
    progress text
) with (fillfactor = 50);

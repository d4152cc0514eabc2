-- The directory that the masters share has this id in it, too: so that all name the same one.
alter table farm add column id uuid not null default gen_random_uuid();
alter table farm add column has_directory boolean not null default false;  -- it has been written there

-- What is in the file store. The content lies in the farm's directory, and what is said of it beside it, too.
-- Whoever refers to a file in a transaction locks its row (for key share), whoever removes it as well (for update).
create table files (
    sha256 text collate "C" primary key,
    size bigint not null,
    job_id text,  -- the job that a node put it for last
    fresh boolean not null,  -- a node has put it, and nobody has looked yet whether it may go
    record text not null
) with (fillfactor = 70);
create index files_fresh on files (sha256) where fresh;
create index files_for on files (job_id) where job_id is not null;

-- When it was used last: apart from the rest, so that a reader need not wait for whoever refers to it.
create table file_uses (
    sha256 text collate "C" primary key,
    used_at timestamptz not null
) with (fillfactor = 70);
create index file_uses_at on file_uses (used_at);

-- +goose Up

-- Mails of bulk work leave at a pace of their own; what somebody may cause by
-- hand in an hour does not count them.
alter table challenge add column paced boolean not null default false;

-- One step for many rows of a domain, as account asked for it. place is the row
-- up to which it was done, next the moment before which no further mail leaves,
-- seen when a worker last looked, mails how many are still to be caused. reason
-- says why it was cancelled, empty: by hand.
create table bulk (
    id       bigint generated always as identity primary key,
    domain   bigint not null references email_domain,
    account  bigint not null references account,
    token    bigint,
    origin   inet,
    verb     text not null constraint bulk_verb check (verb in ('challenge', 'deactivate', 'activate', 'delete', 'comment')),
    comment  text not null default '',
    state    text collate "C" not null default 'draft' constraint bulk_state check (state in ('draft', 'running', 'done', 'cancelled')),
    reason   text not null default '',
    total    int not null,
    due      int not null,
    left_out int not null,
    done     int not null default 0,
    failed   int not null default 0,
    mails    int not null,
    place    bigint not null default 0,
    next     timestamptz not null,
    seen     timestamptz not null,
    created  timestamptz not null,
    started  timestamptz,
    ended    timestamptz,
    ended_by bigint references account,
    constraint bulk_ended check (case state when 'draft' then started is null and ended is null
        when 'running' then started is not null and ended is null else started is not null and ended is not null end)
);
create index bulk_domain on bulk (domain, id desc);
create index bulk_running on bulk (seen) where state = 'running';
create index bulk_forgotten on bulk (created) where state = 'draft';
create index bulk_over on bulk (ended) where ended is not null;

-- A row of it. There is no foreign key: a row that is gone stays in the list,
-- under the name and address that it had.
create table bulk_item (
    bulk    bigint not null references bulk on delete cascade,
    row_id  bigint not null,
    name    text not null,
    address text not null,
    mails   smallint not null,
    state   text collate "C" not null constraint bulk_item_state check (state in ('due', 'done', 'left_out', 'failed')),
    reason  text collate "C" not null default '',
    until   timestamptz,
    primary key (bulk, row_id)
);
create index bulk_item_by_state on bulk_item (bulk, state, row_id);

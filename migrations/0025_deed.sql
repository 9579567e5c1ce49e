-- +goose Up

-- What somebody asked for under a key of their own and what came of it, for a
-- day: it happens once. digest is that of the request; made is the number of
-- what was made (0: only inside the transaction that makes it).
create table deed (
    account bigint not null references account,
    key     text collate "C" not null,
    digest  bytea not null,
    at      timestamptz not null,
    made    bigint not null,
    primary key (account, key)
);
create index deed_at on deed (at);

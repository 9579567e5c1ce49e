-- +goose Up

-- Forms that were filled in and have not done anything yet, for a day: token is
-- the SHA-256 of what leads there. Those that somebody sent whose session was
-- over are not signed_in; they live for an hour.
create table draft (
    token     bytea primary key check (octet_length(token) = 32),
    account   bigint not null references account,
    signed_in boolean not null,
    path      text not null,
    page      text not null,
    kind      text not null,
    body      bytea not null check (octet_length(body) <= 262144),
    sent      boolean not null,
    refused   jsonb,
    made      timestamptz not null
);
create index draft_account on draft (account, made);
create index draft_made on draft (made);

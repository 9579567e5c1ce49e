-- +goose Up

-- scs's own table; the token is stored hashed.
create table sessions (
    token  text primary key,
    data   bytea not null,
    expiry timestamptz not null
);
create index sessions_expiry on sessions (expiry);

-- One sign-in of one account in one browser. The session holds only its id.
create table login (
    id         bigint generated always as identity primary key,
    account    bigint not null references account,
    started    timestamptz not null,
    seen       timestamptz not null,
    ended      timestamptz,
    refreshed  timestamptz not null,
    origin     inet,
    user_agent text not null default '',
    id_token   bytea,  -- sealed; the hint at the provider's sign-out
    refresh    bytea   -- sealed; renews the claims where the provider can
);
create index login_account on login (account, seen desc) where ended is null;
create index login_seen on login (seen) where ended is null;
create index login_ended on login (ended) where ended is not null;

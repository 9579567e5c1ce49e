-- +goose Up

-- A person as the identity provider knows them: keyed by issuer and subject,
-- never by mail address. Names, address and groups are as of the last sign-in
-- or refresh. Logins that began before void_before count no more.
create table account (
    id             bigint generated always as identity primary key,
    issuer         text not null,
    subject        text not null,
    username       text not null default '',
    name           text not null default '',
    given_name     text not null default '',
    family_name    text not null default '',
    email          text not null default '',
    email_verified boolean not null default false,
    groups         text[] not null default '{}',
    created        timestamptz not null,
    signed_in      timestamptz not null,
    refreshed      timestamptz not null,
    void_before    timestamptz not null default '-infinity',
    locked         timestamptz,
    locked_by      bigint references account,
    locked_why     text not null default '',
    constraint account_subject unique (issuer, subject),
    constraint account_locked_why check ((locked is null) = (locked_why = ''))
);
create extension if not exists pg_trgm;
create index account_search on account using gin (lower(name || ' ' || username || ' ' || email) gin_trgm_ops);
create index account_email on account (lower(email));
create index account_username on account (lower(username));

-- +goose Up

-- A token sleeps while its maker has not signed in for long; not before awake_until,
-- which those get that there are now, so that nobody's programs stop without a word.
-- drowsy_told counts the letters that announced it since the sign-in of drowsy_of:
-- the version before, which writes neither, thereby begins anew.
alter table token
    add awake_until timestamptz,
    add drowsy_told int not null default 0,
    add drowsy_of   timestamptz;
update token set awake_until = now() + interval '8 days' where withdrawn is null and ends > now();

-- What the provider calls the session that a login came from; null where it says
-- nothing of it, and of the logins of the version before.
alter table login add sid text;
create index login_sid on login (sid) where ended is null and sid is not null;

-- Logout tokens of the provider that were carried out, so that each counts once:
-- the SHA-256 of what it calls them. They are kept for as long as one of the same
-- could still be taken for a young one.
create table logout_token (
    jti  bytea primary key check (octet_length(jti) = 32),
    seen timestamptz not null
);
create index logout_token_seen on logout_token (seen);

-- +goose Up

-- As in 0036: all locks at once, or none. Who seals holds audit.seal, so nobody is
-- between reading what waits and taking it away.
-- +goose StatementBegin
create function take_locks(locks text) returns void language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + interval '5 minutes';
    before text := current_setting('lock_timeout');
begin
    loop
        begin
            perform set_config('lock_timeout', '300ms', true);
            perform pg_advisory_xact_lock(hashtext('audit.seal'));
            execute locks;
            perform set_config('lock_timeout', before, true);
            return;
        exception when lock_not_available or deadlock_detected then
            if clock_timestamp() > until then
                raise;
            end if;
        end;
        perform pg_sleep(random() / 5);
    end loop;
end $$;
-- +goose StatementEnd
select take_locks('lock table audit_seal in access exclusive mode; lock table audit_line, audit_about, audit_unsealed in share row exclusive mode');
drop function take_locks;

-- The key that signs seals, from the seal first on; its private half is sealed under
-- the secret. Only the sealing of it may change, when the secret does.
create table audit_key (
    one    boolean primary key default true constraint audit_key_one check (one),
    public bytea not null constraint audit_key_length check (octet_length(public) = 32),
    sealed bytea not null,
    first  bigint not null,
    since  timestamptz not null
);

-- +goose StatementBegin
create function audit_key_fixed() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.one, new.public, new.first, new.since) = (old.one, old.public, old.first, old.since) then
        return new;
    end if;
    raise exception 'the key of the audit record stays' using errcode = '23514', constraint = 'audit_append_only';
end $$;
-- +goose StatementEnd
create trigger audit_key_fixed before update or delete on audit_key for each row execute function audit_key_fixed();

-- A signature is about the number and the hash of its seal, and so about all before.
alter table audit_seal add column signature bytea;

-- What is known of the record: when sealing last looked (ran), up to which seal and
-- line it was checked (at), when from its beginning (whole), and where it is broken
-- (kind and what follows), and which seal left the database (told).
create table audit_watch (
    one     boolean primary key default true constraint audit_watch_one check (one),
    ran     timestamptz,
    seq     bigint not null default 0,
    hash    bytea not null default '',
    line    bigint not null default 0,
    at      timestamptz,
    whole   timestamptz,
    kind    text collate "C" not null default '',
    at_seq  bigint not null default 0,
    at_line bigint not null default 0,
    since   timestamptz,
    told    bigint not null default 0,
    constraint audit_watch_since check ((kind = '') = (since is null))
);
insert into audit_watch default values;

-- Lines that wait for their seal. The version before looks into audit_unsealed, which
-- stays empty: its seals would carry no signature. What it writes there comes here.
create table audit_waiting (
    line bigint primary key
);
insert into audit_waiting (line) select line from audit_unsealed;
delete from audit_unsealed;

-- +goose StatementBegin
create function audit_unsealed_waits() returns trigger language plpgsql as $$
begin
    insert into audit_waiting (line) values (new.line);
    return null;
end $$;
-- +goose StatementEnd
create trigger audit_unsealed_waits before insert on audit_unsealed for each row execute function audit_unsealed_waits();

-- Triggers of rows do not see a truncate.
create trigger audit_line_whole before truncate on audit_line for each statement execute function audit_fixed();
create trigger audit_about_whole before truncate on audit_about for each statement execute function audit_fixed();
create trigger audit_seal_whole before truncate on audit_seal for each statement execute function audit_fixed();
create trigger audit_key_whole before truncate on audit_key for each statement execute function audit_fixed();

-- The pages of the record: by person, by action, by time, by a text of the detail.
create index audit_line_account on audit_line (account, id desc);
create index audit_line_action on audit_line (action text_pattern_ops, id desc);
create index audit_line_at on audit_line (at);
create index audit_line_text on audit_line using gin (lower(detail::text) gin_trgm_ops);

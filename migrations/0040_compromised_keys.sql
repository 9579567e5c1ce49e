-- +goose Up

-- As in 0036: all locks at once, or none.
-- +goose StatementBegin
create function take_locks(locks text) returns void language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + interval '5 minutes';
    before text := current_setting('lock_timeout');
begin
    loop
        begin
            perform set_config('lock_timeout', '300ms', true);
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
select take_locks('lock table certificate, revocation_list in access exclusive mode; lock table account in share row exclusive mode');
drop function take_locks;

-- Keys that fell into other hands, by the SHA-256 of their SubjectPublicKeyInfo:
-- none is ever certified again. how is who said so: an officer, or whoever proved to
-- hold the private key (by a request of the portal's wording, or to an authority's
-- protocol). note is an officer's. A row is never changed nor deleted.
create table blocked_key (
    id    bigint generated always as identity primary key,
    key   bytea not null constraint blocked_key_once unique constraint blocked_key_digest check (octet_length(key) = 32),
    since timestamptz not null,
    how   text collate "C" not null constraint blocked_key_how check (how in ('officer', 'proof')),
    by    bigint references account,
    note  text not null default '' constraint blocked_key_note check (length(note) <= 2000),
    constraint blocked_key_officer check (how <> 'officer' or by is not null)
);
create index blocked_key_newest on blocked_key (id desc);

-- +goose StatementBegin
create function blocked_key_fixed() returns trigger language plpgsql as $$
begin
    raise exception 'a blocked key stays blocked' using errcode = '23514', constraint = 'blocked_key_fixed';
end $$;
-- +goose StatementEnd
create trigger blocked_key_fixed before update or delete on blocked_key for each row execute function blocked_key_fixed();

-- No certificate of a blocked key comes in that is not revoked for it, whichever
-- version records it. Who records one while the key is being blocked waits for that
-- (who blocks it takes the same lock alone, before it looks for the last time), and
-- begins anew: then there is no right to it any more.
-- +goose StatementBegin
create function certificate_key_blocked() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('blocked_key'), hashtext(encode(new.key, 'hex')));
    if exists (select from blocked_key where key = new.key) then
        raise exception 'the key of certificate % is blocked', new.reference using errcode = '40001', constraint = 'certificate_key_blocked';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger certificate_key_blocked after insert on certificate
    for each row when (new.imported is null and coalesce(new.reason, new.revoking_reason, 0) <> 1) execute function certificate_key_blocked();

-- How many entries of a list say keyCompromise: a reason that is raised to it makes
-- the next list due. The version before does not count them.
alter table revocation_list add compromised int;

-- What registration officers are to look at within 24 hours: a certificate that
-- somebody reported, or the other certificates of a key that a holder or contact says
-- fell into other hands (word). origin is forgotten after a week.
create table key_report (
    id          bigint generated always as identity primary key,
    reference   text collate "C" not null constraint key_report_reference unique,
    key         bytea not null,
    certificate bigint references certificate,
    word        boolean not null,
    reason      smallint not null,
    words       text not null default '' constraint key_report_words check (length(words) <= 4000),
    email       text not null default '' constraint key_report_email check (length(email) <= 254),
    account     bigint references account,
    origin      inet,
    created     timestamptz not null,
    due         timestamptz not null,
    ended       timestamptz,
    ended_by    bigint references account,
    answer      text not null default '' constraint key_report_answer check (length(answer) <= 2000),
    fell        boolean not null default false,
    constraint key_report_ended check (ended is not null or (ended_by is null and answer = '' and not fell))
);
create unique index key_report_word on key_report (key) where word and ended is null;
create index key_report_open on key_report (due, id) where ended is null;
create index key_report_key on key_report (key) where ended is null;
create index key_report_created on key_report (created);
create index key_report_origin on key_report (origin, created) where origin is not null;

-- Values by which somebody proves to hold a private key: given out once, good for an
-- hour and for one key. Only their SHA-256 is kept.
create table key_challenge (
    hash   bytea primary key,
    key    bytea not null,
    origin inet,
    given  timestamptz not null,
    until  timestamptz not null,
    used   timestamptz
);
create index key_challenge_given on key_challenge (given);

-- Whoever reports a certificate names it by its fingerprint or its serial number,
-- a mailbox's, too.
drop index certificate_fingerprint;
create index certificate_fingerprint on certificate (fingerprint);
drop index certificate_serial;
create index certificate_serial on certificate (serial);

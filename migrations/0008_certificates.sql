-- +goose Up

-- What the table page, the rule who may apply and the rule which addresses are
-- free need to know of certificates: one line each, written by the cert room
-- through the mailbox room's steps. addresses are folded.
create table address_certificate (
    certificate bigint primary key,
    row_id      bigint not null references address_row,
    account     bigint not null references account,
    issued      timestamptz not null,
    ends        timestamptz not null,
    revoked     timestamptz,
    addresses   text[] not null
);
create index address_certificate_row on address_certificate (row_id, account, certificate desc);

-- A certificate is identified by issuer and serial, never by the serial alone,
-- and is never deleted. account is whom it was issued to, for ever.
create table certificate (
    id          bigint generated always as identity primary key,
    reference   text collate "C" not null constraint certificate_reference unique,
    authority   text not null,
    issuer      bytea not null,
    serial      bytea not null,
    der         bytea not null,
    fingerprint bytea not null,
    key         bytea not null default '',  -- SHA-256 of its SubjectPublicKeyInfo
    account     bigint not null references account,
    row_id      bigint not null references address_row,
    subject     text not null,
    emails      text[] not null,
    search      text not null,
    not_before  timestamptz not null,
    not_after   timestamptz not null,
    issued      timestamptz not null,
    revoked     timestamptz,
    revoked_by  bigint references account,
    reason      smallint,
    constraint certificate_issuer_serial unique (issuer, serial),
    constraint certificate_revoked check ((revoked is null) = (reason is null))
);
create index certificate_account on certificate (account, id desc);
create index certificate_row on certificate (row_id, id desc);
create index certificate_revoked_at on certificate (authority, revoked) where revoked is not null;
create index certificate_ends on certificate (not_after) where revoked is null;
create index certificate_compromised on certificate (key) where reason = 1;
create index certificate_search on certificate using gin (search gin_trgm_ops);

-- +goose StatementBegin
create function certificate_fixed() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.id, new.reference, new.authority, new.issuer, new.serial, new.der, new.fingerprint, new.key, new.account,
                new.row_id, new.subject, new.emails, new.not_before, new.not_after, new.issued)
            is not distinct from (old.id, old.reference, old.authority, old.issuer, old.serial, old.der, old.fingerprint, old.key, old.account,
                old.row_id, old.subject, old.emails, old.not_before, old.not_after, old.issued)
        and (old.revoked is null
            or (new.revoked, new.revoked_by, new.reason) is not distinct from (old.revoked, old.revoked_by, old.reason)) then
        return new;
    end if;
    raise exception 'certificates stay' using errcode = '23514', constraint = 'certificate_fixed';
end $$;
-- +goose StatementEnd
create trigger certificate_fixed before update or delete on certificate
    for each row execute function certificate_fixed();

-- Revocation lists as signed: every process serves the same bytes.
create table revocation_list (
    authority   text not null,
    number      bigint not null,
    der         bytea not null,
    this_update timestamptz not null,
    next_update timestamptz not null,
    entries     int not null,
    primary key (authority, number)
);

-- An application for a client certificate. serial, not_before and the names are
-- the intent: written before the authority is called, so that a call whose
-- answer was lost is made again for the same certificate.
create table application (
    id          bigint generated always as identity primary key,
    reference   text collate "C" not null constraint application_reference unique,
    row_id      bigint not null references address_row,
    account     bigint not null references account,
    spki        bytea not null,
    key_kind    text not null,
    terms       text not null,
    state       text not null default 'queued' constraint application_state
                check (state in ('queued', 'issuing', 'issued', 'refused', 'failed')),
    reason      text not null default '',
    attempts    int not null default 0,
    profile     text not null default '',
    common_name text not null default '',
    given_name  text not null default '',
    surname     text not null default '',
    emails      text[] not null default '{}',
    serial      bytea,
    not_before  timestamptz,
    answer      bytea,
    certificate bigint references certificate,
    created     timestamptz not null,
    ended       timestamptz,
    constraint application_intent check ((state = 'issuing') <= (serial is not null and not_before is not null)),
    constraint application_issued check ((state = 'issued') = (certificate is not null)),
    constraint application_ended check ((state in ('queued', 'issuing')) = (ended is null))
);
create unique index application_one_open on application (row_id) where ended is null;
create index application_account on application (account, id desc);
create index application_failed on application (ended desc) where state = 'failed';

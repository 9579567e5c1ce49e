-- +goose Up

-- One value sealed under PETSCHAFT_SECRET, so that a wrong secret is noticed at
-- the start and not at the first thing it cannot open.
create table sealed_probe (
    one    boolean primary key default true constraint sealed_probe_one check (one),
    sealed bytea not null
);

-- Who did what. A line is written in the transaction of what it tells; a job
-- seals committed lines into a chain of hashes seconds later. detail is covered
-- through digest = sha256(salt || detail) only, so that personal data can be
-- erased (detail and salt set to null) without breaking the chain.
create table audit_line (
    id      bigint generated always as identity primary key,
    at      timestamptz not null,
    account bigint,
    token   bigint,
    origin  inet,
    action  text not null,
    detail  json,  -- json keeps the bytes that digest covers
    salt    bytea,
    digest  bytea not null
);

-- The things a line is about, so that the history of one thing is one index scan.
-- No foreign key: one statement writes line and things, and neither ever changes.
create table audit_about (
    line bigint not null,
    kind text not null,
    id   bigint not null,
    primary key (kind, id, line)
);

-- For pages that show lines rather than things.
create index audit_about_line on audit_about (line);

create table audit_seal (
    seq  bigint primary key,
    line bigint not null constraint audit_seal_once unique references audit_line,
    hash bytea not null
);

-- Lines that wait for their seal: small, so the job never looks at the rest.
create table audit_unsealed (
    line bigint primary key
);

-- +goose StatementBegin
create function audit_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.detail is null and new.salt is null
       and (new.id, new.at, new.account, new.token, new.origin, new.action, new.digest)
           is not distinct from (old.id, old.at, old.account, old.token, old.origin, old.action, old.digest) then
        return new;
    end if;
    raise exception 'audit lines are never changed' using errcode = '23514', constraint = 'audit_append_only';
end $$;
-- +goose StatementEnd
create trigger audit_line_append_only before update or delete on audit_line
    for each row execute function audit_append_only();

-- +goose StatementBegin
create function audit_fixed() returns trigger language plpgsql as $$
begin
    raise exception 'audit lines are never changed' using errcode = '23514', constraint = 'audit_append_only';
end $$;
-- +goose StatementEnd
create trigger audit_about_fixed before update or delete on audit_about
    for each row execute function audit_fixed();
create trigger audit_seal_fixed before update or delete on audit_seal
    for each row execute function audit_fixed();

-- +goose Up

-- A certificate is for a mailbox (account, row_id, emails) or for servers
-- (organisation and what follows). Of a server's: phase is what the list filters
-- by, turns is when it becomes the next one by time alone, and a job keeps both
-- true; renewable is where the time for a renewal begins; renewal is the
-- reference of the order that renews it now; remind is when the next reminder is
-- due. renewal, phase, turns and remind change, the rest is written once.
alter table certificate
    alter account drop not null,
    alter row_id drop not null,
    add organisation bigint references organisation,
    add common_name  text collate "C",
    add names        text[],
    add product      text,
    add server_order bigint,
    add renewable    timestamptz,
    add phase        text collate "C" constraint certificate_phase check (phase in ('valid', 'ending', 'over')),
    add turns        timestamptz,
    add remind       timestamptz,
    add renewal      text collate "C",
    add replaced_by  bigint references certificate,
    add replaced_at  timestamptz;
alter table certificate
    add constraint certificate_kind check (case when organisation is null
        then num_nulls(account, row_id) = 0
            and num_nonnulls(common_name, names, product, server_order, renewable, phase, turns, remind, renewal, replaced_by, replaced_at) = 0
        else num_nonnulls(account, row_id) = 0 and emails = '{}' and coalesce(cardinality(names), 0) > 0
            and num_nulls(common_name, product, server_order, renewable, phase) = 0 end),
    add constraint certificate_replaced check ((replaced_by is null) = (replaced_at is null) and replaced_by <> id),
    add constraint certificate_over check (organisation is null
        or (phase = 'over') = (turns is null) and (phase = 'over' or num_nonnulls(revoked, replaced_by) = 0));

-- Every order of the list of one organisation, and of all for officers.
create index certificate_org_end on certificate (organisation, phase, not_after, id) where organisation is not null;
create index certificate_org_name on certificate (organisation, phase, common_name, id) where organisation is not null;
create index certificate_org_issued on certificate (organisation, phase, issued, id) where organisation is not null;
create index certificate_org_reference on certificate (organisation, phase, reference, id) where organisation is not null;
create index certificate_server_end on certificate (phase, not_after, id) where organisation is not null;
create index certificate_server_name on certificate (phase, common_name, id) where organisation is not null;
create index certificate_server_issued on certificate (phase, issued, id) where organisation is not null;
create index certificate_server_reference on certificate (phase, reference, id) where organisation is not null;
create index certificate_search_live on certificate using gin (search gin_trgm_ops) where phase <> 'over';
alter table certificate alter column search set statistics 1000;
create index certificate_turns on certificate (turns) where turns is not null;
create index certificate_remind on certificate (remind) where remind is not null;
create index certificate_replaced_by on certificate (replaced_by) where replaced_by is not null;
create index certificate_fingerprint on certificate (fingerprint) where organisation is not null;
create index certificate_serial on certificate (serial) where organisation is not null;

-- +goose StatementBegin
create or replace function certificate_fixed() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.id, new.reference, new.authority, new.issuer, new.serial, new.der, new.fingerprint, new.key, new.account,
                new.row_id, new.subject, new.emails, new.not_before, new.not_after, new.issued,
                new.organisation, new.common_name, new.names, new.product, new.server_order, new.renewable)
            is not distinct from (old.id, old.reference, old.authority, old.issuer, old.serial, old.der, old.fingerprint, old.key, old.account,
                old.row_id, old.subject, old.emails, old.not_before, old.not_after, old.issued,
                old.organisation, old.common_name, old.names, old.product, old.server_order, old.renewable)
        and (old.revoked is null
            or (new.revoked, new.revoked_by, new.reason) is not distinct from (old.revoked, old.revoked_by, old.reason))
        and (old.replaced_by is null
            or (new.replaced_by, new.replaced_at) is not distinct from (old.replaced_by, old.replaced_at)) then
        return new;
    end if;
    raise exception 'certificates stay' using errcode = '23514', constraint = 'certificate_fixed';
end $$;
-- +goose StatementEnd

-- What was reminded of whom: a night that was missed is caught up, a second run
-- says nothing. threshold is "28d", "14d", "third" or "sixth".
create table reminder (
    certificate bigint not null references certificate,
    threshold   text not null constraint reminder_threshold check (threshold in ('28d', '14d', 'third', 'sixth')),
    recipient   text collate "C" not null,
    at          timestamptz not null,
    primary key (certificate, threshold, recipient)
);

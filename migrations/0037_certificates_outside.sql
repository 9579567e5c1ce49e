-- +goose Up

select take_locks('lock table certificate, address_certificate in access exclusive mode; lock table account, address_row, organisation in share row exclusive mode');

-- external certificates were signed by an authority that is not the portal's:
-- revoked through it, on no list and in no answer of ours. unexpected is how a
-- certificate differs from what was asked for ([{code, wanted, came}]); such a one
-- is nobody's: meant_… says whose it would have been, and account, row_id and
-- organisation stay empty, so that no list of theirs can show it, neither of this
-- version nor of the one before.
--
-- revoking is since when an authority outside is asked to revoke, by whom and for
-- which reason; revoking_answered is when it last said whether it did, and
-- revoking_refused its words when it will not: then revoking is taken back. What
-- does not come back: compromised is that somebody wanted one outside revoked because
-- its key fell into other hands, whatever the authority says to it. unwanted is what
-- came when nobody wanted it any more, over from the beginning.
--
--   valid ── revoking ── answered ──▶ revoked
--     ▲          └── refused ──┐
--     └────────────────────────┘
alter table certificate
    add external           boolean not null default false,
    add unexpected         jsonb,
    add meant_account      bigint references account,
    add meant_row          bigint references address_row,
    add meant_organisation bigint references organisation,
    add revoking           timestamptz,
    add revoking_by        bigint references account,
    add revoking_reason    smallint,
    add revoking_answered  timestamptz,
    add revoking_refused   text,
    add compromised        boolean not null default false,
    add unwanted           boolean not null default false,
    drop constraint certificate_kind;
alter table certificate
    add constraint certificate_kind check (case
        when unexpected is not null
        then num_nonnulls(account, row_id, organisation, common_name, names, product, server_order, renewable, phase, turns, renewal,
                replaced_by, replaced_at, imported) = 0
            and emails = '{}' and num_nonnulls(meant_account, meant_organisation) = 1 and (meant_account is null) = (meant_row is null)
        when num_nonnulls(meant_account, meant_row, meant_organisation) > 0 then false
        when organisation is null
        then num_nulls(account, row_id) = 0
            and num_nonnulls(common_name, names, product, server_order, renewable, phase, turns, renewal, replaced_by, replaced_at) = 0
        else num_nonnulls(account, row_id) = 0 and emails = '{}' and coalesce(cardinality(names), 0) > 0
            and num_nulls(common_name, product, renewable, phase) = 0 and (server_order is null) = (imported is not null) end),
    add constraint certificate_external check (not (external and imported is not null)),
    add constraint certificate_unexpected check (jsonb_typeof(unexpected) = 'array'),
    -- A process of the version before, which revokes at once, gets a conflict.
    add constraint certificate_revoking check (
        (revoking is null) = (revoking_reason is null) and (revoking is not null or revoking_by is null)
        and (revoking_refused is null or (revoking is null and revoking_answered is not null))
        and (external or num_nonnulls(revoking, revoking_answered) = 0)
        and (not external or revoked is null or num_nulls(revoking, revoking_answered) = 0));
create index certificate_revoking_since on certificate (revoking) where revoking is not null and revoked is null;
create index certificate_unexpected_newest on certificate (id desc) where unexpected is not null;
drop index certificate_compromised;
create index certificate_compromised on certificate (key) where reason = 1 or compromised;
create index certificate_refused_revocation on certificate (revoking_answered) where revoking_refused is not null;

-- Written once, but: chain goes from empty to something once; a reason becomes
-- keyCompromise once, a key compromised; what is revoking is revoked or, if the
-- authority will not, taken back.
-- +goose StatementBegin
create or replace function certificate_fixed() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.id, new.reference, new.authority, new.issuer, new.serial, new.der, new.fingerprint, new.key, new.account,
                new.row_id, new.subject, new.emails, new.not_before, new.not_after, new.issued, new.imported, new.external, new.unexpected,
                new.organisation, new.common_name, new.names, new.product, new.server_order, new.renewable,
                new.meant_account, new.meant_row, new.meant_organisation)
            is not distinct from (old.id, old.reference, old.authority, old.issuer, old.serial, old.der, old.fingerprint, old.key, old.account,
                old.row_id, old.subject, old.emails, old.not_before, old.not_after, old.issued, old.imported, old.external, old.unexpected,
                old.organisation, old.common_name, old.names, old.product, old.server_order, old.renewable,
                old.meant_account, old.meant_row, old.meant_organisation)
        and (old.chain = '{}' or new.chain = old.chain) and new.unwanted = old.unwanted and new.compromised >= old.compromised
        and (old.revoked is null
            or (new.revoked, new.revoked_by) is not distinct from (old.revoked, old.revoked_by) and new.reason in (old.reason, 1))
        and (old.revoking is null
            or (new.revoking, new.revoking_by, new.revoking_reason) is not distinct from (old.revoking, old.revoking_by, old.revoking_reason)
            or num_nonnulls(old.revoked, new.revoked, new.revoking) = 0)
        and (old.replaced_by is null
            or (new.replaced_by, new.replaced_at) is not distinct from (old.replaced_by, old.replaced_at)) then
        return new;
    end if;
    raise exception 'certificates stay' using errcode = '23514', constraint = 'certificate_fixed';
end $$;
-- +goose StatementEnd

-- Certificates may come late or in another order than they were signed: the newest
-- one is the one whose validity begins last. A process of the version before does
-- not say when that is. What is being revoked keeps nobody from the next one; what
-- was unwanted is never the newest.
alter table address_certificate
    add begins   timestamptz,
    add revoking timestamptz,
    add unwanted boolean not null default false;
update address_certificate a set begins = c.not_before from certificate c where c.id = a.certificate;
update address_certificate set begins = issued where begins is null;
alter table address_certificate alter begins set not null;

-- +goose StatementBegin
create function address_certificate_begins() returns trigger language plpgsql as $$
begin
    new.begins := coalesce((select not_before from certificate where id = new.certificate), new.issued);
    return new;
end $$;
-- +goose StatementEnd
create trigger address_certificate_begins before insert on address_certificate
    for each row when (new.begins is null) execute function address_certificate_begins();

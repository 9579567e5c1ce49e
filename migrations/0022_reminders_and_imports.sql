-- +goose Up

-- language is the one in which somebody wants letters; empty until they choose
-- one: then letters come in both.
alter table account add language text not null default '' constraint account_language check (language in ('', 'de', 'en'));

-- Certificates from before the portal, as an officer uploaded them. authorities
-- are those that were among them.
create table certificate_import (
    id          bigint generated always as identity primary key,
    created     timestamptz not null,
    created_by  bigint not null references account,
    authorities bytea[] not null default '{}'
);

-- What is remembered of each: where it stood, why it cannot be taken (a word of
-- the catalogs), and who it belongs to as far as somebody said so. What the
-- portal finds out by itself is looked up anew each time. A line of the owners'
-- file that no certificate belongs to has no bytes.
create table certificate_import_line (
    import       bigint not null references certificate_import,
    line         int not null,
    source       text not null,
    der          bytea not null default '',
    fault        text not null default '',
    address      text not null default '' constraint certificate_import_address check (length(address) <= 254),
    holder       text not null default '' constraint certificate_import_holder check (length(holder) <= 254),
    organisation text not null default '' constraint certificate_import_organisation check (length(organisation) <= 150),
    certificate  bigint references certificate,
    primary key (import, line)
);
create index certificate_import_line_certificate on certificate_import_line (certificate) where certificate is not null;

-- imported certificates come from an authority that the portal knows nothing of;
-- chain is what was given of those above it, the issuer first. remind is when a
-- certificate is looked at next; one that was inserted without a word about it
-- is looked at in the next run.
alter table certificate
    alter remind set default '-infinity',
    add imported bigint references certificate_import,
    add chain bytea[] not null default '{}',
    drop constraint certificate_kind;
alter table certificate
    add constraint certificate_kind check (case when organisation is null
        then num_nulls(account, row_id) = 0
            and num_nonnulls(common_name, names, product, server_order, renewable, phase, turns, renewal, replaced_by, replaced_at) = 0
        else num_nonnulls(account, row_id) = 0 and emails = '{}' and coalesce(cardinality(names), 0) > 0
            and num_nulls(common_name, product, renewable, phase) = 0 and (server_order is null) = (imported is not null) end);
create index certificate_imported on certificate (imported) where imported is not null;
update certificate set remind = '-infinity' where organisation is null and revoked is null;

-- +goose StatementBegin
create or replace function certificate_fixed() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.id, new.reference, new.authority, new.issuer, new.serial, new.der, new.fingerprint, new.key, new.account,
                new.row_id, new.subject, new.emails, new.not_before, new.not_after, new.issued, new.imported, new.chain,
                new.organisation, new.common_name, new.names, new.product, new.server_order, new.renewable)
            is not distinct from (old.id, old.reference, old.authority, old.issuer, old.serial, old.der, old.fingerprint, old.key, old.account,
                old.row_id, old.subject, old.emails, old.not_before, old.not_after, old.issued, old.imported, old.chain,
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

-- Whether an imported certificate lets its holder apply: it never keeps them
-- from it, and it is not the newest one because it came last.
alter table address_certificate add imported boolean not null default false;

-- Thresholds are names like "28d", or "third" and "sixth" of a short life.
-- reminder_days are the days of the setting that remind was reckoned by.
alter table reminder drop constraint reminder_threshold;
alter table reminder add constraint reminder_threshold check (threshold ~ '^([1-9][0-9]{0,2}d|third|sixth)$');
create table reminder_days (
    one  boolean primary key default true constraint reminder_days_one check (one),
    days int[] not null
);
insert into reminder_days (days) values ('{28,14}');

-- Who wants to hear once a week which certificates of their e-mail domains end.
create table digest (
    account bigint primary key references account,
    next    timestamptz not null
);
create index digest_next on digest (next);

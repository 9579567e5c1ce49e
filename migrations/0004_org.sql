-- +goose Up

-- The people who look after some e-mail domains: named accounts, and whoever
-- carries one of the identity provider's group names.
create table contact_group (
    id      bigint generated always as identity primary key,
    name    text not null constraint contact_group_name_length check (length(name) between 1 and 100),
    notify  text not null default '',  -- mailbox told of declines and conflicts
    created timestamptz not null
);
create unique index contact_group_name on contact_group (lower(name));

create table contact_group_member (
    contact_group bigint not null references contact_group,
    account       bigint not null references account,
    added         timestamptz not null,
    added_by      bigint not null references account,
    primary key (contact_group, account)
);
create index contact_group_member_account on contact_group_member (account);

create table contact_group_idp (
    contact_group bigint not null references contact_group,
    idp_group     text not null constraint contact_group_idp_length check (length(idp_group) between 1 and 200),
    primary key (contact_group, idp_group)
);
create index contact_group_idp_group on contact_group_idp (idp_group);

-- An e-mail domain and how it is validated. 'domain': the domain itself, with
-- the proof's record; 'mailbox': each challenge mail is the validation (S/MIME
-- BR 3.2.2.2).
create table email_domain (
    id              bigint generated always as identity primary key,
    name            text not null constraint email_domain_name unique
                    constraint email_domain_lower check (name = lower(name collate "C")),
    contact_group   bigint not null references contact_group,
    validation      text not null constraint email_domain_validation check (validation in ('domain', 'mailbox')),
    proof_method    text not null default '',
    proof_by        text not null default '',
    proof_from      timestamptz,
    proof_until     timestamptz,
    created         timestamptz not null,
    constraint email_domain_proof check (
        case validation when 'domain' then proof_method <> '' and proof_from is not null and proof_until is not null
             else proof_method = '' and proof_from is null and proof_until is null end),
    constraint email_domain_proof_398 check (proof_until > proof_from and proof_until <= proof_from + interval '398 days')
);
create index email_domain_contact_group on email_domain (contact_group);

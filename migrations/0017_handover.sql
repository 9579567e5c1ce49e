-- +goose Up

-- Further addresses that the contact before had entered: the new contact keeps
-- or removes each, and until then nobody writes to them. With the others they
-- are five at most, so a change of contact never loses one.
alter table organisation
    add unconfirmed text[] not null default '{}',
    add constraint organisation_unconfirmed_few check (cardinality(reminders) + cardinality(unconfirmed) <= 5);

-- An offer of an organisation by its technical contact to a successor. hash is
-- the session password's (argon2id); form is the one that made the offer.
create table handover (
    id           bigint generated always as identity primary key,
    organisation bigint not null references organisation,
    giver        bigint not null references account,
    successor    bigint not null references account,
    form         text collate "C" not null,
    hash         text not null,
    state        text not null constraint handover_state check (state in ('offered', 'accepted', 'done', 'declined', 'cancelled',
                     'expired', 'locked', 'replaced')),
    wrong        int not null default 0,
    created      timestamptz not null,
    ends         timestamptz not null,
    accepted     timestamptz,
    reminded     timestamptz,
    ended        timestamptz,
    constraint handover_form unique (organisation, form),
    constraint handover_self check (giver <> successor),
    constraint handover_wrong check (wrong between 0 and 5 and (wrong = 5) = (state = 'locked')),
    constraint handover_order check (accepted is not null or state not in ('accepted', 'done', 'locked') and wrong = 0),
    constraint handover_ended check ((ended is null) = (state in ('offered', 'accepted')))
);
create unique index handover_one_open on handover (organisation) where ended is null;
create index handover_organisation on handover (organisation, id desc);
create index handover_giver on handover (giver, created);
create index handover_successor on handover (successor) where ended is null;
create index handover_ends on handover (ends) where ended is null;

-- What the registration office appoints when a contact is gone. contact is who
-- it was when this was asked for; confirmed_by is null where nobody has to.
create table reassignment (
    id           bigint generated always as identity primary key,
    organisation bigint not null references organisation,
    contact      bigint not null references account,
    successor    bigint not null references account,
    reason       text not null constraint reassignment_reason check (length(reason) between 1 and 2000),
    asked_by     bigint not null references account,
    asked        timestamptz not null,
    state        text not null constraint reassignment_state check (state in ('asked', 'done', 'dropped')),
    ended_by     bigint references account,
    ended        timestamptz,
    constraint reassignment_parties check (asked_by not in (contact, successor) and contact <> successor),
    constraint reassignment_second check (state <> 'done' or ended_by is null or ended_by not in (asked_by, contact, successor)),
    constraint reassignment_ended check ((ended is null) = (state = 'asked'))
);
create unique index reassignment_one_open on reassignment (organisation) where ended is null;

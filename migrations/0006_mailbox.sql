-- +goose Up

-- The words of a row that a search looks at, in lower case, each after a blank:
-- the display name and the local parts. array_to_string is only stable, hence a
-- function that promises more for text.
-- +goose StatementBegin
create function address_row_words(name text, primary_address text, aliases text[]) returns text
    language sql immutable parallel safe as $$
    select ' ' || translate(lower((name || ' ' || split_part(primary_address, '@', 1)
        || ' ' || split_part(coalesce(aliases[1], ''), '@', 1)
        || ' ' || split_part(coalesce(aliases[2], ''), '@', 1)) collate "de-x-icu"),
        '.,;:-_+/()"''', '            ')
$$;
-- +goose StatementEnd

-- An address row: a mailbox that may have S/MIME certificates. status is what
-- the table page filters by; the mailbox room keeps it true (see its package
-- comment). certificate_end is the end of the newest certificate, infinity
-- while there is none. What a search and the sorting read stands in front: a
-- thousand hits are looked at, and a column costs the reading of all before it.
create table address_row (
    id              bigint generated always as identity primary key,
    domain          bigint not null references email_domain,
    certificate_end timestamptz not null default 'infinity',
    version         bigint not null default 1,
    created         timestamptz not null,
    changed         timestamptz not null,
    active          boolean not null default true,
    challenged      boolean not null default false,
    status          text collate "C" not null default 'none'
                    constraint address_row_status check (status in ('none', 'open', 'confirmed', 'undeliverable', 'inactive')),
    search          text not null generated always as (address_row_words(name, primary_address, aliases)) stored,
    name            text collate "de-x-icu" not null constraint address_row_name check (name <> '' and octet_length(name) <= 1024),
    primary_address text collate "C" not null,
    comment         text collate "de-x-icu" not null default '' constraint address_row_comment check (octet_length(comment) <= 1024),
    kind            text not null constraint address_row_kind check (kind in ('personal', 'functional')),
    aliases         text[] not null default '{}' constraint address_row_two_aliases check (cardinality(aliases) <= 2),
    applicant       text not null default '',
    constraint address_row_inactive check (active = (status <> 'inactive')),
    constraint address_row_applicant check (kind = 'functional' or applicant = '')
);
create index address_row_by_name on address_row (domain, status, name, id);
create index address_row_by_primary on address_row (domain, status, primary_address, id);
create index address_row_by_end on address_row (domain, status, certificate_end, id);
create index address_row_by_comment on address_row (domain, status, comment, id);
create index address_row_search on address_row using gin (search gin_trgm_ops);
alter table address_row alter column search set statistics 1000;

-- +goose StatementBegin
create function address_row_fixed() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.challenged then
            raise exception 'row was challenged' using errcode = '23514', constraint = 'address_row_delete_challenged';
        end if;
        return old;
    end if;
    if new.primary_address <> old.primary_address or new.domain <> old.domain then
        raise exception 'primary never changes' using errcode = '23514', constraint = 'address_row_primary_fixed';
    end if;
    if new.kind <> old.kind and old.challenged then
        raise exception 'kind is fixed by the first challenge' using errcode = '23514', constraint = 'address_row_kind_fixed';
    end if;
    if old.challenged and not new.challenged then
        raise exception 'a challenge cannot be unsent' using errcode = '23514', constraint = 'address_row_challenged_fixed';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger address_row_fixed before update or delete on address_row
    for each row execute function address_row_fixed();

-- Every address of every row, kept by triggers from address_row: here live the
-- rules of uniqueness. Compared without ASCII case; only ASCII comes in.
create table address (
    row_id  bigint not null references address_row on delete cascade,
    place   smallint not null constraint address_place check (place between 0 and 2),
    address text not null constraint address_ascii check (address ~ '^[\x21-\x7e]+@[a-z0-9.-]+$' and length(address) <= 254),
    folded  text collate "C" not null generated always as (lower(address collate "C")) stored,
    active  boolean not null,
    primary key (row_id, place)
);
create unique index address_primary_once on address (folded) where place = 0;
create unique index address_active_once on address (folded) where active;
create index address_folded on address (folded);

-- +goose StatementBegin
create function address_added() returns trigger language plpgsql as $$
begin
    insert into address (row_id, place, address, active)
        select id, 0, primary_address, active from added
        union all
        select r.id, a.place, a.address, r.active from added r, unnest(r.aliases) with ordinality a (address, place);
    return null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create function address_changed() returns trigger language plpgsql as $$
begin
    if not exists (select from before b join after r using (id) where b.aliases <> r.aliases or b.active <> r.active) then
        return null; -- most updates touch neither
    end if;
    delete from address a using before b, after r
        where b.id = r.id and a.row_id = r.id and a.place > 0
          and (b.aliases <> r.aliases or b.active <> r.active);
    update address a set active = r.active from before b, after r
        where b.id = r.id and a.row_id = r.id and a.place = 0 and b.active <> r.active;
    insert into address (row_id, place, address, active)
        select r.id, a.place, a.address, r.active
        from before b, after r, unnest(r.aliases) with ordinality a (address, place)
        where b.id = r.id and (b.aliases <> r.aliases or b.active <> r.active);
    return null;
end $$;
-- +goose StatementEnd
create trigger address_added after insert on address_row
    referencing new table as added for each statement execute function address_added();
create trigger address_changed after update on address_row
    referencing old table as before new table as after for each statement execute function address_changed();

-- How many rows a domain has in each status, as differences: statement triggers
-- append, a job folds, a reader sums. So no writer waits for another.
create table address_row_count (
    domain bigint not null,
    status text collate "C" not null,
    n      bigint not null
);
create index address_row_count_domain on address_row_count (domain);

-- +goose StatementBegin
create function address_row_counted() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into address_row_count select domain, status, count(*) from after group by domain, status;
    elsif tg_op = 'DELETE' then
        insert into address_row_count select domain, status, -count(*) from before group by domain, status;
    else
        insert into address_row_count
            select domain, status, sum(n) from (
                select domain, status, 1 as n from after union all select domain, status, -1 from before) d
            group by domain, status having sum(n) <> 0;
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger address_row_counted_insert after insert on address_row
    referencing new table as after for each statement execute function address_row_counted();
create trigger address_row_counted_update after update on address_row
    referencing old table as before new table as after for each statement execute function address_row_counted();
create trigger address_row_counted_delete after delete on address_row
    referencing old table as before for each statement execute function address_row_counted();

-- A round asks for every address of a row at once.
create table challenge_round (
    id         bigint generated always as identity primary key,
    row_id     bigint not null references address_row,
    started    timestamptz not null,
    started_by bigint not null references account,
    outcome    text not null default 'open' constraint challenge_round_outcome
               check (outcome in ('open', 'complete', 'declined', 'replaced', 'invalidated', 'expired', 'undeliverable')),
    ended      timestamptz,
    constraint challenge_round_ended check ((outcome = 'open') = (ended is null))
);
create unique index challenge_round_one_open on challenge_round (row_id) where outcome = 'open';
create index challenge_round_row on challenge_round (row_id, id desc);

-- One mail to one address. covers are the folded addresses that its
-- confirmation speaks for. answer is what the mail server said last.
create table challenge (
    id        bigint generated always as identity primary key,
    round     bigint not null references challenge_round,
    row_id    bigint not null references address_row,
    recipient text collate "C" not null,
    covers    text[] not null,
    asked_by  bigint not null references account,
    state     text not null default 'queued' constraint challenge_state
              check (state in ('queued', 'deferred', 'sent', 'failed', 'confirmed', 'declined', 'replaced', 'invalidated', 'expired')),
    queued    timestamptz not null,
    sent      timestamptz,
    expires   timestamptz,
    ended     timestamptz,
    account   bigint references account,
    conflict  bigint references account,
    attempts  int not null default 0,
    answer    text not null default '',
    token     bytea,
    constraint challenge_ended check ((state in ('queued', 'deferred', 'sent')) = (ended is null)),
    constraint challenge_answered check ((state in ('confirmed', 'declined')) = (account is not null))
);
create unique index challenge_once on challenge (round, recipient);
create index challenge_row on challenge (row_id);
create index challenge_due on challenge (expires) where state = 'sent';
create index challenge_unsent on challenge (queued) where state in ('queued', 'deferred');
create index challenge_failed on challenge (ended) where state = 'failed';
create index challenge_asked_by on challenge (asked_by, queued);
create index challenge_recipient on challenge (lower(recipient collate "C"), queued);
create index challenge_account on challenge (account) where account is not null;

-- SHA-256 of every token ever mailed, so that an older link can say that a newer
-- mail replaced it. challenge.token is the one that counts.
create table challenge_token (
    hash      bytea primary key,
    challenge bigint not null references challenge,
    made      timestamptz not null
);

-- The account that confirmed all of a row's addresses. suspended by any edit of
-- the aliases until the next round completes.
create table link (
    row_id    bigint primary key references address_row on delete cascade,
    account   bigint not null references account,
    addresses text[] not null,
    round     bigint not null references challenge_round,
    since     timestamptz not null,
    suspended boolean not null default false
);
create index link_account on link (account);

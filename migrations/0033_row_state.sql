-- +goose Up

-- A round in which one address expired can never be complete: it is over as a
-- whole.
with over as (
    update challenge_round n set outcome = 'expired', ended = e.ended
    from (select round, max(ended) as ended from challenge where state = 'expired' group by round) e
    where e.round = n.id and n.outcome = 'open'
        and not exists (select from challenge c where c.round = n.id and c.state = 'failed' and not c.unsent)
    returning n.id, n.ended
)
update challenge c set state = 'expired', ended = o.ended from over o
where c.round = o.id and c.state in ('queued', 'deferred', 'sent');

-- Where a row stands, from the facts beside it. What a person said (declined,
-- conflict) comes before a link that it puts into question; a round that nobody
-- answered leaves a link alone. What was asked of an address that is no longer
-- asked says nothing any more.
-- +goose StatementBegin
create function address_row_state(r address_row) returns text language sql stable as $$
    select case
        when not r.active then 'inactive'
        when n.outcome = 'declined' and f.declined then 'declined'
        when n.outcome in ('open', 'expired', 'undeliverable', 'unsent') and f.conflict then 'conflict'
        when n.outcome in ('open', 'undeliverable') and f.failed then 'undeliverable'
        when n.outcome = 'open' then 'open'
        when exists (select from link l where l.row_id = r.id and not l.suspended) then 'confirmed'
        when n.outcome = 'expired' and f.expired then 'expired'
        else 'none' end
    from (values (1)) v
    left join lateral (select id, outcome from challenge_round where row_id = r.id order by id desc limit 1) n on true
    left join lateral (
        select bool_or(c.state = 'failed' and not c.unsent) as failed, bool_or(c.state = 'declined' and s.asked) as declined,
            bool_or(c.state = 'expired' and s.asked) as expired, bool_or(c.conflict is not null and s.asked) as conflict
        from challenge c, lateral (
            select exists (select from unnest(array[r.primary_address, r.applicant] || r.aliases) a
                where lower(a collate "C") = lower(c.recipient collate "C")) as asked) s
        where c.round = n.id) f on true
$$;
-- +goose StatementEnd

-- state is what lists, filters and counts go by. status stays what the version
-- before reads and writes, which knows five values and loses rows that have
-- another: from state it is made coarser here, and where that version writes it,
-- state is found out anew. A later migration drops it.
alter table address_row add column state text collate "C";
update address_row r set state = address_row_state(r);
alter table address_row alter column state set not null,
    add constraint address_row_state
        check (state in ('none', 'open', 'confirmed', 'declined', 'expired', 'conflict', 'undeliverable', 'inactive'));

-- +goose StatementBegin
create function address_row_stands() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        new.state := coalesce(new.state, new.status);
    elsif new.state = old.state then
        new.state := address_row_state(new);
        return new;
    end if;
    new.status := case when new.state in ('declined', 'expired') then 'none' when new.state = 'conflict' then 'open' else new.state end;
    return new;
end $$;
-- +goose StatementEnd
create trigger address_row_stands_insert before insert on address_row
    for each row execute function address_row_stands();
create trigger address_row_stands_update before update on address_row
    for each row when (old.status <> new.status or old.state <> new.state) execute function address_row_stands();

drop index address_row_by_name, address_row_by_primary, address_row_by_end, address_row_by_comment, address_row_doubtful;
create index address_row_by_name on address_row (domain, state, name, id);
create index address_row_by_primary on address_row (domain, state, primary_address, id);
create index address_row_by_end on address_row (domain, state, certificate_end, id);
create index address_row_by_comment on address_row (domain, state, comment_key, id);
create index address_row_doubtful on address_row (domain, state, name, id) where doubtful;

-- How many rows a domain has in each state, as differences, as
-- address_row_count has them by status.
create table address_row_tally (
    domain bigint not null,
    state  text collate "C" not null,
    n      bigint not null
);
create index address_row_tally_domain on address_row_tally (domain);
insert into address_row_tally select domain, state, count(*) from address_row group by domain, state;

-- +goose StatementBegin
create function address_row_tallied() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into address_row_tally select domain, state, count(*) from after group by domain, state;
    elsif tg_op = 'DELETE' then
        insert into address_row_tally select domain, state, -count(*) from before group by domain, state;
    else
        insert into address_row_tally
            select domain, state, sum(n) from (
                select domain, state, 1 as n from after union all select domain, state, -1 from before) d
            group by domain, state having sum(n) <> 0;
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger address_row_tallied_insert after insert on address_row
    referencing new table as after for each statement execute function address_row_tallied();
create trigger address_row_tallied_update after update on address_row
    referencing old table as before new table as after for each statement execute function address_row_tallied();
create trigger address_row_tallied_delete after delete on address_row
    referencing old table as before for each statement execute function address_row_tallied();

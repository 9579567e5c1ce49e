-- +goose Up

-- A file that somebody uploaded, the plan made of it, and what became of it.
-- state and since say where it stands; ordered_… who asked for the work that is
-- under way, trouble (a message id) why it could not be done. contact_group and
-- validation are those of the domain that the plan was made for; last_round is
-- the newest round of challenges when it was applied; records is how many lines
-- there are below the header, done how many of them the plan has read.
create table import (
    id            bigint generated always as identity primary key,
    domain        bigint not null references email_domain,
    account       bigint not null references account,
    file_name     text not null constraint import_file_name check (octet_length(file_name) <= 255),
    bytes         bigint not null default 0,
    created       timestamptz not null,
    state         text collate "C" not null default 'uploading' constraint import_state check (state in
                  ('uploading', 'uploaded', 'planning', 'planned', 'applying', 'applied', 'undoing', 'undone', 'discarded')),
    since         timestamptz not null,
    tries         int not null default 0,
    trouble       text not null default '',
    encoding      text not null default '',
    separator     text not null default ';',
    header        text[] not null default '{}',
    columns       text[] not null default '{}',
    records       int not null default 0,
    done          int not null default 0,
    new           int not null default 0,
    changed       int not null default 0,
    unchanged     int not null default 0,
    skipped       int not null default 0,
    faulty        int not null default 0,
    missing       int not null default 0,
    existing      int not null default 0,
    contact_group bigint,
    validation    text,
    ordered_by    bigint references account,
    ordered_token bigint,
    ordered_from  inet,
    planned       timestamptz,
    applied       timestamptz,
    applied_by    bigint references account,
    last_round    bigint,
    undone        timestamptz,
    undone_by     bigint references account,
    stays         int not null default 0,
    constraint import_applied check ((applied is null) = (applied_by is null)),
    constraint import_undone check ((undone is null) = (undone_by is null))
);
create index import_domain on import (domain, id desc);
create index import_unfinished on import (since) where state in ('uploading', 'uploaded', 'planning', 'planned', 'applying', 'undoing');

-- The file as it came, in pieces, until it is applied or thrown away.
create table import_chunk (
    import bigint not null references import on delete cascade,
    place  int not null,
    bytes  bytea not null,
    primary key (import, place)
);

-- What a line of the file means. row_id is the row it is about; a new row's
-- number is reserved when the plan is made. version, challenged and active are
-- the row as the plan saw it, before_… its values, the others those of the file.
-- Only what the class needs is filled in. No foreign keys: two hundred thousand
-- checks of one import, and rows that are gone or still to come.
create table import_line (
    import           bigint not null,
    line             int not null,
    class            text collate "C" not null,
    row_id           bigint,
    version          bigint,
    challenged       boolean,
    active           boolean,
    kind             text,
    name             text,
    primary_address  text collate "C",
    aliases          text[],
    applicant        text,
    comment          text,
    before_kind      text,
    before_name      text,
    before_aliases   text[],
    before_applicant text,
    before_comment   text,
    new_aliases      boolean not null default false,
    new_applicant    boolean not null default false,
    faults           json,
    hints            json,
    cells            text[],
    stays            text not null default '',
    primary key (import, class, line)
);
-- Lines come in one go and many in number; the plan of the next is read at once.
alter table import_line set (autovacuum_analyze_scale_factor = 0.02);

-- An undone import deletes many rows; without this, each looks through all
-- applications.
create index application_row on application (row_id);

-- As before, but planned anew for every statement that changes addresses: the
-- plan for one row, kept by a session, would compare a hundred thousand with a
-- hundred thousand. The first look costs every update: a full join is never
-- done by nested loops, whatever was planned for.
-- +goose StatementBegin
create or replace function address_changed() returns trigger language plpgsql as $$
begin
    if not exists (select from before b full join after r using (id) where b.aliases <> r.aliases or b.active <> r.active) then
        return null; -- most updates touch neither
    end if;
    execute 'delete from address a using before b, after r
        where b.id = r.id and a.row_id = r.id and a.place > 0
          and (b.aliases <> r.aliases or b.active <> r.active)';
    execute 'update address a set active = r.active from before b, after r
        where b.id = r.id and a.row_id = r.id and a.place = 0 and b.active <> r.active';
    execute 'insert into address (row_id, place, address, active)
        select r.id, a.place, a.address, r.active
        from before b, after r, unnest(r.aliases) with ordinality a (address, place)
        where b.id = r.id and (b.aliases <> r.aliases or b.active <> r.active)';
    return null;
end $$;
-- +goose StatementEnd

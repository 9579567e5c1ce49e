-- +goose Up

-- What ended lately and was not replaced, and may be renewed for some time yet:
-- lists show it beside what counts.
create index certificate_lapsed on certificate (not_after)
    where phase = 'over' and revoked is null and replaced_by is null and organisation is not null;
create index certificate_lapsed_organisation on certificate (organisation, not_after)
    where phase = 'over' and revoked is null and replaced_by is null and organisation is not null;

-- +goose Up

-- How often in a row the work met a trouble that may pass and may as well lie in
-- the row that is next: a bulk gives up such a row after some tries.
alter table bulk add column tries int not null default 0;

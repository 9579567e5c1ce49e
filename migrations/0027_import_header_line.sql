-- +goose Up

-- On which line of the file the headings stand: there may be a title above them.
-- 0: on the first one that is not blank.
alter table import add header_line int not null default 0;

-- +goose Up

-- When officers were told of a report. null: they are told of it together with others,
-- once an hour has passed since they were told the last time.
alter table key_report add told timestamptz;
update key_report set told = created;
create index key_report_told on key_report (told) where told is not null;
create index key_report_untold on key_report (due) where told is null and ended is null;

-- From where a report or a wish for a value came is counted by brakes and written
-- down nowhere. The columns origin go in the release after, since a job of the
-- version before empties them.

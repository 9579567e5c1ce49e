-- +goose Up

-- The letters that are to be sent are looked for each minute, for one whose job
-- was lost.
create index letter_unsent on letter (id) where state in ('queued', 'deferred');

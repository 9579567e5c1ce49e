-- +goose Up

-- Answers whose thisUpdate is not a whole minute are taken for revocations by
-- NSS. The version before signs such ones, also beside this version; the job
-- finds them here and signs them anew.
create index ocsp_answer_seconds on ocsp_answer (certificate)
    where extract(second from this_update at time zone 'UTC') <> 0;

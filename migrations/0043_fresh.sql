-- +goose Up

-- When the person of a login proved to the provider who they are, and what that proof
-- reached (OpenID Connect Core 1.0, 2: auth_time and acr). null where the provider says
-- nothing of it, and of the logins of the version before: such a login is not fresh, and
-- reached nothing.
alter table login
    add auth_time timestamptz,
    add acr       text;

-- Models, as their accounts have them: nothing but the account is needed to show one, and none is ever closed. Price lists are
-- `members` of their model.
create table models (
    address    blob    not null primary key,
    creator    blob    not null,
    -- Null when it derives from nothing.
    base       blob,
    status     text    not null,
    created_at integer not null,
    slot       integer not null,
    -- The whole `Model` of the API as JSON.
    body       text    not null
) without rowid;
create index models_newest on models (created_at desc, address);
create index models_by_status on models (status, created_at desc, address);
create index models_by_creator on models (creator, created_at desc, address);
create index models_by_base on models (base, created_at desc, address);

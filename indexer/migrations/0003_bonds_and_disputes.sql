-- Bonds, bids and disputes.
--
-- With them the layouts of accounts and events changed: what was stored under the old ones means nothing any more, and is
-- read again from the chain.
delete from accounts;
delete from events;
delete from event_accounts;
delete from jobs;
delete from providers;
delete from clients;
delete from aggregates;
delete from dead_letters;
delete from protocol;
delete from accepted_mints;
delete from checkpoint;

-- Which accounts are listed under what: bids under a job, bonds under an owner, claims under a bond. A row says where to
-- look; whether the account lives and still belongs there, its bytes in `accounts` say.
create table members (
    kind    text not null,
    parent  blob not null,
    address blob not null,
    primary key (kind, parent, address)
) without rowid;

-- What the API answers for a dispute: rebuilt from its account and its events whenever one of them changes.
create table disputes (
    address   blob    not null primary key,
    job       blob    not null unique,
    status    text    not null,
    opened_at integer not null,
    slot      integer not null,
    -- The whole `Dispute` of the API as JSON.
    body      text    not null
) without rowid;
create index disputes_newest on disputes (opened_at desc, address);
create index disputes_by_status on disputes (status, opened_at desc, address);

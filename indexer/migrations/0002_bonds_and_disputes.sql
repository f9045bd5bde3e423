-- Bonds, bids, disputes; and jobs, protocol and tokens as the programs have them since then.
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
delete from checkpoint;
drop table protocol;
drop table accepted_mints;

create table protocol (
    address      blob    not null primary key,
    authority    blob    not null,
    guardian     blob    not null,
    -- By service number, as JSON lists: fees in basis points, and the Unix time at which the last pause ends or ended.
    fee_bps      text    not null,
    paused_until text    not null,
    slot         integer not null
) without rowid;

create table accepted_mints (
    address        blob    not null primary key,
    mint           blob    not null unique,
    fee_vault      blob    not null,
    decimals       integer not null,
    -- Base units, decimal, like the limit.
    min_amount     text    not null,
    -- The most that may leave the fee vault in a window of seconds.
    outflow_limit  text    not null,
    outflow_window integer not null,
    enabled        integer not null,
    slot           integer not null
) without rowid;

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

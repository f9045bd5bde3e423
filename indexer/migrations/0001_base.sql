-- The confirmed state: accounts as the chain has them, events as the programs stated them, and what follows from both.
--
-- Addresses and signatures are blobs of 32 and 64 bytes. u64 values are stored as SQLite integers with the same bits,
-- amounts that are summed as decimal text, so that no digit is lost.

-- Every account of our programs that was ever seen, as its newest write left it.
create table accounts (
    address       blob    not null primary key,
    program       blob    not null,
    -- Of the last live state; a closed account keeps its last bytes for reading, with `closed` set.
    data          blob    not null,
    lamports      integer not null,
    closed        integer not null default 0,
    slot          integer not null,
    write_version integer not null,
    -- The version of the last live state: older than the above once it is closed. Kept apart so that the row is the
    -- same in whatever order writes arrive.
    live_slot     integer not null,
    live_write    integer not null,
    -- job, client, provider, protocol, accepted_mint, or undecodable
    kind          text    not null
) without rowid;
create index accounts_by_program on accounts (program, closed);

-- Every event once, whatever the number of times it was delivered.
create table events (
    signature   blob    not null,
    instruction integer not null,
    inner       integer not null,
    slot        integer not null,
    tx_index    integer not null,
    block_time  integer,
    program     blob    not null,
    name        text    not null,
    subject     blob,
    -- What follows the event tag: discriminator and body.
    data        blob    not null,
    primary key (signature, instruction, inner)
) without rowid;

-- Which accounts an event is about: its subject and everybody it names.
create table event_accounts (
    address     blob    not null,
    slot        integer not null,
    tx_index    integer not null,
    instruction integer not null,
    inner       integer not null,
    signature   blob    not null,
    primary key (address, slot, tx_index, instruction, inner, signature)
) without rowid;

-- What the API answers for a job: rebuilt from its account and its events whenever one of them changes.
create table jobs (
    address            blob    not null primary key,
    client             blob    not null,
    provider           blob,
    mint               blob    not null,
    status             text    not null,
    opened_at          integer not null,
    slot               integer not null,
    -- The whole `Job` of the API as JSON.
    body               text    not null
) without rowid;
create index jobs_newest on jobs (opened_at desc, address);
create index jobs_by_status on jobs (status, opened_at desc, address);
create index jobs_by_client on jobs (client, opened_at desc, address);
create index jobs_by_provider on jobs (provider, opened_at desc, address);

create table providers (
    address       blob    not null primary key,
    authority     blob    not null,
    status        text    not null,
    registered_at integer not null,
    slot          integer not null,
    -- The `Provider` of the API as JSON, without its counters.
    body          text    not null
) without rowid;
create index providers_by_age on providers (registered_at, address);
create index providers_by_authority on providers (authority);

create table clients (
    address  blob    not null primary key,
    client   blob    not null,
    next_job integer not null,
    slot     integer not null
) without rowid;

create table protocol (
    address   blob    not null primary key,
    authority blob    not null,
    guardian  blob    not null,
    paused    integer not null,
    -- Fees in basis points by service number, as a JSON list.
    fee_bps   text    not null,
    slot      integer not null
) without rowid;

create table accepted_mints (
    address    blob    not null primary key,
    mint       blob    not null unique,
    fee_vault  blob    not null,
    decimals   integer not null,
    -- Base units, decimal.
    min_amount text    not null,
    enabled    integer not null,
    slot       integer not null
) without rowid;

-- Sums over `jobs`, kept by adding what a row's change adds. scope is `mint` or `provider`, value a decimal.
create table aggregates (
    scope text not null,
    key   blob not null,
    name  text not null,
    value text not null,
    primary key (scope, key, name)
) without rowid;

-- What could not be decoded, with the reason; `joule-indexer redecode` tries again.
create table dead_letters (
    -- `account`: the address. `event`: signature, instruction and inner as big-endian bytes.
    key     blob    not null primary key,
    kind    text    not null,
    program blob    not null,
    slot    integer not null,
    data    blob    not null,
    reason  text    not null
) without rowid;

-- One row: everything up to `slot` is in the tables above, without a gap.
create table checkpoint (
    id        integer not null primary key check (id = 1),
    slot      integer not null,
    finalized integer not null
);

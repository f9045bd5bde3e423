-- Rows as columns, instead of JSON in one. What was there is kept beside them until they are filled.
--
-- Addresses and hashes are blobs of 32 bytes, signatures of 64. Counts and amounts (`any`) are integers up to 2^63 - 1 and decimal text
-- beyond. A list within a row is a table of its own, by the row's address and the place in the list.

alter table jobs rename to old_jobs;
alter table providers rename to old_providers;
alter table disputes rename to old_disputes;
alter table models rename to old_models;
alter table channels rename to old_channels;
alter table plans rename to old_plans;
alter table distributions rename to old_distributions;
drop index jobs_newest;
drop index jobs_by_status;
drop index jobs_by_client;
drop index jobs_by_provider;
drop index providers_by_age;
drop index providers_by_authority;
drop index disputes_newest;
drop index disputes_by_status;
drop index models_newest;
drop index models_by_status;
drop index models_by_creator;
drop index models_by_base;
drop index channels_newest;
drop index channels_by_status;
drop index channels_by_payer;
drop index channels_by_provider;
drop index channels_by_model;
drop index plans_newest;
drop index plans_by_status;
drop index plans_by_payer;
drop index distributions_newest;
drop index distributions_by_channel;
drop index jobs_by_mint;
drop index jobs_by_client_and_status;
drop index jobs_by_provider_and_status;
drop index jobs_by_mint_and_status;
drop index providers_by_status;
drop index models_by_creator_and_status;
drop index models_by_base_and_status;
drop index channels_by_payer_and_status;
drop index channels_by_provider_and_status;
drop index channels_by_model_and_status;
drop index plans_by_channel;
drop index plans_by_payer_and_status;
drop index channels_lost_by_provider;
drop index channels_lost_by_payer;
drop index channels_lost_by_both;
drop index distributions_by_payer;
drop index distributions_by_provider;
drop index distributions_by_model;

create table jobs (
    address blob not null,
    client blob not null,
    id any not null,
    status text not null,
    provider blob,
    provider_authority blob,
    mint blob not null,
    budget any not null,
    pricing text not null,
    price any not null,
    rate any not null,
    max_rate any not null,
    reported integer not null,
    fee_bps integer not null,
    bond_bps integer not null,
    exposure any not null,
    requirements blob,
    verification text not null,
    jurors integer not null,
    vote_window integer not null,
    spec_hash blob not null,
    input_hash blob not null,
    result_hash blob,
    opened_at integer not null,
    accept_by integer not null,
    bid_until integer,
    best_bid blob,
    best_price any not null,
    work_window integer not null,
    deliver_by integer,
    review_window integer not null,
    settle_after integer,
    challenger blob,
    dispute blob,
    verdict text,
    disputed integer not null,
    deposited any not null,
    slashed any not null,
    escrowed any not null,
    closed integer not null,
    slot any not null,
    paid_provider any not null,
    paid_fee any not null,
    paid_challenger any not null,
    paid_jurors any not null,
    paid_client any not null,
    owed_provider any not null,
    owed_fee any not null,
    owed_challenger any not null,
    owed_jurors any not null,
    owed_client any not null,
    primary key (address)
) strict, without rowid;

create table providers (
    address blob not null,
    authority blob not null,
    payout_owner blob not null,
    status text not null,
    capacity integer not null,
    endpoint_hash blob not null,
    metadata_hash blob not null,
    registered_at integer not null,
    updated_at integer not null,
    slot any not null,
    attributes_gpu_model integer not null,
    attributes_gpu_count integer not null,
    attributes_vram_mib integer not null,
    attributes_cpu_cores integer not null,
    attributes_region integer not null,
    attributes_memory_mib integer not null,
    attributes_disk_gib integer not null,
    attributes_bandwidth_mbps integer not null,
    primary key (address)
) strict, without rowid;

create table disputes (
    address blob not null,
    job blob not null,
    status text not null,
    mode text not null,
    challenger blob not null,
    result_hash blob,
    counter_result blob not null,
    deposit any not null,
    round integer not null,
    appellant text,
    appeal_deposit any not null,
    panel blob,
    draw_slot any not null,
    opened_at integer not null,
    draw_by integer,
    commit_by integer,
    reveal_by integer,
    final_at integer,
    resolved_at integer,
    verdict text,
    slot any not null,
    primary key (address)
) strict, without rowid;
create table disputes_tallies (
    of blob not null,
    place integer not null,
    stands any not null,
    counter any not null,
    neither any not null,
    revealed integer not null,
    primary key (of, place)
) strict, without rowid;
create table disputes_members (
    of blob not null,
    place integer not null,
    seat integer not null,
    resolver blob not null,
    committed integer not null,
    punished integer not null,
    primary key (of, place)
) strict, without rowid;
create table disputes_votes (
    of blob not null,
    place integer not null,
    address blob not null,
    juror blob not null,
    round integer not null,
    commitment blob not null,
    stake any not null,
    output blob,
    choice text,
    paid any not null,
    slashed any not null,
    closed integer not null,
    primary key (of, place)
) strict, without rowid;

create table models (
    address blob not null,
    creator blob not null,
    id any not null,
    payout_owner blob not null,
    status text not null,
    base blob,
    depth integer not null,
    royalty_bps integer not null,
    version integer not null,
    endpoint_hash blob not null,
    metadata_hash blob not null,
    created_at integer not null,
    updated_at integer not null,
    slot any not null,
    primary key (address)
) strict, without rowid;
create table models_lineage (
    of blob not null,
    place integer not null,
    owner blob not null,
    bps integer not null,
    primary key (of, place)
) strict, without rowid;

create table channels (
    address blob not null,
    payer blob not null,
    owner blob not null,
    number any not null,
    status text not null,
    provider blob not null,
    authority blob not null,
    payout blob,
    model blob not null,
    prices blob not null,
    mint blob not null,
    cap any not null,
    settled any not null,
    accrued any not null,
    requests any not null,
    units any not null,
    backed any not null,
    paid any not null,
    collected any not null,
    held any not null,
    returned any not null,
    opened_at integer not null,
    closes_at integer,
    grace integer not null,
    fee_bps integer not null,
    share_bps integer not null,
    backing_bps integer not null,
    claim blob,
    has_plan integer not null,
    slot any not null,
    session_signer blob not null,
    session_limit any not null,
    session_expires_at integer not null,
    paid_out_shares any not null,
    paid_out_fee any not null,
    paid_out_provider any not null,
    staged_holds_at integer,
    staged_session_signer blob,
    staged_session_limit any,
    staged_session_expires_at integer,
    dispute_against text,
    dispute_slashed any,
    dispute_returned any,
    dispute_forfeited any,
    dispute_at integer,
    primary key (address)
) strict, without rowid;
create table channels_owed (
    of blob not null,
    place integer not null,
    party integer not null,
    amount any not null,
    primary key (of, place)
) strict, without rowid;

create table plans (
    address blob not null,
    channel blob not null,
    payer blob not null,
    status text not null,
    rate any not null,
    lockup any not null,
    period integer not null,
    started_at integer not null,
    settled_until integer not null,
    ends_at integer,
    slot any not null,
    primary key (address)
) strict, without rowid;

create table distributions (
    address blob not null,
    channel blob not null,
    payer blob,
    provider blob,
    model blob,
    signature blob not null,
    instruction integer not null,
    inner integer not null,
    settled any not null,
    accrued any not null,
    collected any not null,
    returned any not null,
    at integer not null,
    slot any not null,
    paid_shares any not null,
    paid_fee any not null,
    paid_provider any not null,
    primary key (address)
) strict, without rowid;

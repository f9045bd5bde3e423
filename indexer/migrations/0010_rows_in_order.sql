-- Large rows lie in the order in which they came, and are found by the index of their keys: what is written together lies together. A
-- list of any status is merged of those of each, so that half of the indexes go. Amounts beyond 2^63 - 1 are text everywhere, as
-- 0009 says, and sums numbers; what was JSON in a column of `protocol` is a table.

alter table jobs rename to old_jobs;
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
) strict;
insert into jobs select * from old_jobs order by opened_at;
drop table old_jobs;

alter table providers rename to old_providers;
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
) strict;
insert into providers select * from old_providers order by registered_at;
drop table old_providers;

alter table disputes rename to old_disputes;
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
) strict;
insert into disputes select * from old_disputes order by opened_at;
drop table old_disputes;

alter table models rename to old_models;
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
) strict;
insert into models select * from old_models order by created_at;
drop table old_models;

alter table channels rename to old_channels;
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
) strict;
insert into channels select * from old_channels order by opened_at;
drop table old_channels;

alter table plans rename to old_plans;
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
) strict;
insert into plans select * from old_plans order by started_at;
drop table old_plans;

alter table distributions rename to old_distributions;
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
) strict;
insert into distributions select * from old_distributions order by at;
drop table old_distributions;

alter table accounts rename to old_accounts;
create table accounts (
    address blob not null,
    program blob not null,
    kind text not null,
    closed integer not null,
    lamports any not null,
    since any not null,
    data blob not null,
    slot any not null,
    write_version any not null,
    live_slot any,
    live_write_version any,
    primary key (address)
) strict;
insert into accounts select address, program, kind, closed, iif(lamports < 0, printf('%u', lamports), lamports), since, data, slot, iif(write_version < 0, printf('%u', write_version), write_version),
    iif(live_slot < 0, null, live_slot), iif(live_slot < 0, null, iif(live_write < 0, printf('%u', live_write), live_write)) from old_accounts order by live_slot, address;
drop table old_accounts;

alter table events rename to old_events;
create table events (
    signature blob not null,
    instruction integer not null,
    inner integer not null,
    slot any not null,
    tx_index any not null,
    block_time integer,
    program blob not null,
    data blob not null,
    name text not null,
    subject blob,
    primary key (signature, instruction, inner)
) strict;
insert into events select signature, instruction, inner, slot, tx_index, block_time, program, data, name, subject from old_events order by slot, tx_index;
drop table old_events;

alter table event_accounts rename to old_event_accounts;
create table event_accounts (
    address blob not null,
    slot any not null,
    tx_index any not null,
    instruction integer not null,
    inner integer not null,
    signature blob not null,
    primary key (address, slot, tx_index, instruction, inner, signature)
) strict, without rowid;
insert into event_accounts select * from old_event_accounts;
drop table old_event_accounts;

alter table row_events rename to old_row_events;
create table row_events (
    address blob not null,
    slot any not null,
    tx_index any not null,
    instruction integer not null,
    inner integer not null,
    signature blob not null,
    primary key (address, slot, tx_index, instruction, inner, signature)
) strict, without rowid;
insert into row_events select * from old_row_events;
drop table old_row_events;

alter table members rename to old_members;
create table members (
    kind text not null,
    parent blob not null,
    address blob not null,
    primary key (kind, parent, address)
) strict, without rowid;
insert into members select * from old_members;
drop table old_members;

alter table payers rename to old_payers;
create table payers (
    address blob not null,
    owner blob not null,
    mint blob not null,
    balance any not null,
    slot any not null,
    primary key (address)
) strict, without rowid;
insert into payers select address, owner, mint, iif(length(balance) < 19, cast(balance as integer), balance), slot from old_payers;
drop table old_payers;

alter table channel_days rename to old_channel_days;
create table channel_days (
    channel blob not null,
    day integer not null,
    settled any not null,
    sequence any not null,
    units any not null,
    amount any not null,
    collected any not null,
    returned any not null,
    paid_shares any not null,
    paid_fee any not null,
    paid_provider any not null,
    primary key (channel, day)
) strict, without rowid;
insert into channel_days select channel, day,
    iif(settled < 0, printf('%u', settled), settled),
    iif(sequence < 0, printf('%u', sequence), sequence),
    iif(units < 0, printf('%u', units), units),
    iif(amount < 0, printf('%u', amount), amount),
    iif(collected < 0, printf('%u', collected), collected),
    iif(returned < 0, printf('%u', returned), returned),
    iif(paid_shares < 0, printf('%u', paid_shares), paid_shares),
    iif(paid_fee < 0, printf('%u', paid_fee), paid_fee),
    iif(paid_provider < 0, printf('%u', paid_provider), paid_provider) from old_channel_days;
drop table old_channel_days;

alter table revenue rename to old_revenue;
create table revenue (
    day integer not null,
    mint blob not null,
    model blob not null,
    provider blob not null,
    requests any not null,
    units any not null,
    amount any not null,
    collected any not null,
    paid_shares any not null,
    paid_fee any not null,
    paid_provider any not null,
    returned any not null,
    primary key (day, mint, model, provider)
) strict, without rowid;
insert into revenue select day, mint, model, provider,
    iif(length(requests) < 19, cast(requests as integer), requests),
    iif(length(units) < 19, cast(units as integer), units),
    iif(length(amount) < 19, cast(amount as integer), amount),
    iif(length(collected) < 19, cast(collected as integer), collected),
    iif(length(paid_shares) < 19, cast(paid_shares as integer), paid_shares),
    iif(length(paid_fee) < 19, cast(paid_fee as integer), paid_fee),
    iif(length(paid_provider) < 19, cast(paid_provider as integer), paid_provider),
    iif(length(returned) < 19, cast(returned as integer), returned) from old_revenue;
drop table old_revenue;

alter table aggregates rename to old_aggregates;
create table aggregates (
    scope text not null,
    key blob not null,
    name text not null,
    value any not null,
    primary key (scope, key, name)
) strict, without rowid;
insert into aggregates select scope, key, name, iif(length(value) < 19, cast(value as integer), value) from old_aggregates;
drop table old_aggregates;

alter table dead_letters rename to old_dead_letters;
create table dead_letters (
    key blob not null,
    kind text not null,
    program blob not null,
    slot any not null,
    data blob not null,
    reason text not null,
    tx_index any,
    primary key (key)
) strict;
insert into dead_letters select * from old_dead_letters;
drop table old_dead_letters;

alter table clients rename to old_clients;
create table clients (
    address blob not null,
    client blob not null,
    next_job any not null,
    slot any not null,
    primary key (address)
) strict, without rowid;
insert into clients select address, client, iif(next_job < 0, printf('%u', next_job), next_job), slot from old_clients;
drop table old_clients;

alter table accepted_mints rename to old_accepted_mints;
create table accepted_mints (
    address blob not null,
    mint blob not null,
    fee_vault blob not null,
    decimals integer not null,
    min_amount any not null,
    enabled integer not null,
    kept any not null,
    owed_rewards any not null,
    outflow_limit any not null,
    outflow_window integer not null,
    reward_vault blob,
    reward_bps integer not null,
    slot any not null,
    primary key (address)
) strict, without rowid;
insert into accepted_mints select address, mint, fee_vault, decimals, iif(length(min_amount) < 19, cast(min_amount as integer), min_amount), enabled, iif(length(kept) < 19, cast(kept as integer), kept), iif(length(owed_rewards) < 19, cast(owed_rewards as integer), owed_rewards),
    iif(length(outflow_limit) < 19, cast(outflow_limit as integer), outflow_limit), outflow_window, reward_vault, reward_bps, slot from old_accepted_mints;
drop table old_accepted_mints;

alter table protocol rename to old_protocol;
create table protocol (
    address blob not null,
    authority blob not null,
    guardian blob not null,
    slot any not null,
    primary key (address)
) strict, without rowid;
create table protocol_services (
    of blob not null,
    place integer not null,
    fee_bps integer not null,
    staged_fee_bps integer not null,
    staged_fee_at integer not null,
    paused_until integer not null,
    primary key (of, place)
) strict, without rowid;
insert into protocol select address, authority, guardian, slot from old_protocol;
insert into protocol_services
    select address, fee.key, fee.value,
        coalesce(staged_fee_bps ->> fee.key, 0), coalesce(staged_fee_at ->> fee.key, 0), coalesce(paused_until ->> fee.key, 0)
    from old_protocol, json_each(old_protocol.fee_bps) fee;
drop table old_protocol;

alter table checkpoint rename to old_checkpoint;
create table checkpoint (
    id integer not null,
    slot any not null,
    finalized any not null,
    primary key (id)
) strict, without rowid;
insert into checkpoint select * from old_checkpoint;
drop table old_checkpoint;

alter table chain rename to old_chain;
create table chain (
    id integer not null,
    genesis text not null,
    primary key (id)
) strict, without rowid;
insert into chain select * from old_chain;
drop table old_chain;

create index jobs_by_status on jobs (status, opened_at desc, address);
create index jobs_by_client on jobs (client, status, opened_at desc, address);
create index jobs_by_provider on jobs (provider, status, opened_at desc, address);
create index jobs_by_mint on jobs (mint, status, opened_at desc, address);
create index providers_by_status on providers (status, registered_at, address);
create index disputes_by_status on disputes (status, opened_at desc, address);
create index models_by_status on models (status, created_at desc, address);
create index models_by_creator on models (creator, status, created_at desc, address);
create index models_by_base on models (base, status, created_at desc, address);
create index channels_by_status on channels (status, opened_at desc, address);
create index channels_by_payer on channels (payer, status, opened_at desc, address);
create index channels_by_provider on channels (provider, status, opened_at desc, address);
create index channels_by_model on channels (model, status, opened_at desc, address);
create index channels_lost_by_provider on channels (opened_at desc, address) where dispute_against in ('provider', 'both');
create index channels_lost_by_payer on channels (opened_at desc, address) where dispute_against in ('payer', 'both');
create index channels_lost_by_both on channels (opened_at desc, address) where dispute_against in ('both');
create index plans_by_status on plans (status, started_at desc, address);
create index plans_by_payer on plans (payer, status, started_at desc, address);
create index plans_by_channel on plans (channel, status, started_at desc, address);
create index distributions_newest on distributions (at desc, address);
create index distributions_by_channel on distributions (channel, at desc, address);
create index distributions_by_payer on distributions (payer, at desc, address);
create index distributions_by_provider on distributions (provider, at desc, address);
create index distributions_by_model on distributions (model, at desc, address);

create table jobs (
    "address" bytea not null,
    "client" bytea not null,
    "id" numeric(20) not null,
    "status" text not null,
    "provider" bytea,
    "provider_authority" bytea,
    "mint" bytea not null,
    "budget" numeric(20) not null,
    "pricing" text not null,
    "price" numeric(20) not null,
    "rate" numeric(20) not null,
    "max_rate" numeric(20) not null,
    "reported" bigint not null,
    "fee_bps" bigint not null,
    "bond_bps" bigint not null,
    "exposure" numeric(20) not null,
    "requirements" bytea,
    "verification" text not null,
    "jurors" bigint not null,
    "vote_window" bigint not null,
    "spec_hash" bytea not null,
    "input_hash" bytea not null,
    "result_hash" bytea,
    "opened_at" bigint not null,
    "accept_by" bigint not null,
    "bid_until" bigint,
    "best_bid" bytea,
    "best_price" numeric(20) not null,
    "work_window" bigint not null,
    "deliver_by" bigint,
    "review_window" bigint not null,
    "settle_after" bigint,
    "challenger" bytea,
    "dispute" bytea,
    "verdict" text,
    "disputed" boolean not null,
    "deposited" numeric(20) not null,
    "slashed" numeric(20) not null,
    "escrowed" numeric(20) not null,
    "closed" boolean not null,
    "slot" numeric(20) not null,
    "paid_provider" numeric(20) not null,
    "paid_fee" numeric(20) not null,
    "paid_challenger" numeric(20) not null,
    "paid_jurors" numeric(20) not null,
    "paid_client" numeric(20) not null,
    "owed_provider" numeric(20) not null,
    "owed_fee" numeric(20) not null,
    "owed_challenger" numeric(20) not null,
    "owed_jurors" numeric(20) not null,
    "owed_client" numeric(20) not null,
    primary key ("address")
);
create table providers (
    "address" bytea not null,
    "authority" bytea not null,
    "payout_owner" bytea not null,
    "status" text not null,
    "capacity" bigint not null,
    "endpoint_hash" bytea not null,
    "metadata_hash" bytea not null,
    "registered_at" bigint not null,
    "updated_at" bigint not null,
    "slot" numeric(20) not null,
    "attributes_gpu_model" bigint not null,
    "attributes_gpu_count" bigint not null,
    "attributes_vram_mib" bigint not null,
    "attributes_cpu_cores" bigint not null,
    "attributes_region" bigint not null,
    "attributes_memory_mib" bigint not null,
    "attributes_disk_gib" bigint not null,
    "attributes_bandwidth_mbps" bigint not null,
    primary key ("address")
);
create table disputes (
    "address" bytea not null,
    "job" bytea not null,
    "status" text not null,
    "mode" text not null,
    "challenger" bytea not null,
    "result_hash" bytea,
    "counter_result" bytea not null,
    "deposit" numeric(20) not null,
    "round" bigint not null,
    "appellant" text,
    "appeal_deposit" numeric(20) not null,
    "panel" bytea,
    "draw_slot" numeric(20) not null,
    "opened_at" bigint not null,
    "draw_by" bigint,
    "commit_by" bigint,
    "reveal_by" bigint,
    "final_at" bigint,
    "resolved_at" bigint,
    "verdict" text,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table disputes_tallies (
    "of" bytea not null,
    "place" bigint not null,
    "stands" numeric(20) not null,
    "counter" numeric(20) not null,
    "neither" numeric(20) not null,
    "revealed" bigint not null,
    primary key ("of", "place")
);
create table disputes_members (
    "of" bytea not null,
    "place" bigint not null,
    "seat" bigint not null,
    "resolver" bytea not null,
    "committed" boolean not null,
    "punished" boolean not null,
    primary key ("of", "place")
);
create table disputes_votes (
    "of" bytea not null,
    "place" bigint not null,
    "address" bytea not null,
    "juror" bytea not null,
    "round" bigint not null,
    "commitment" bytea not null,
    "stake" numeric(20) not null,
    "output" bytea,
    "choice" text,
    "paid" numeric(20) not null,
    "slashed" numeric(20) not null,
    "closed" boolean not null,
    primary key ("of", "place")
);
create table models (
    "address" bytea not null,
    "creator" bytea not null,
    "id" numeric(20) not null,
    "payout_owner" bytea not null,
    "status" text not null,
    "base" bytea,
    "depth" bigint not null,
    "royalty_bps" bigint not null,
    "version" bigint not null,
    "endpoint_hash" bytea not null,
    "metadata_hash" bytea not null,
    "created_at" bigint not null,
    "updated_at" bigint not null,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table models_lineage (
    "of" bytea not null,
    "place" bigint not null,
    "owner" bytea not null,
    "bps" bigint not null,
    primary key ("of", "place")
);
create table channels (
    "address" bytea not null,
    "payer" bytea not null,
    "owner" bytea not null,
    "number" numeric(20) not null,
    "status" text not null,
    "provider" bytea not null,
    "authority" bytea not null,
    "payout" bytea,
    "model" bytea not null,
    "prices" bytea not null,
    "mint" bytea not null,
    "cap" numeric(20) not null,
    "settled" numeric(20) not null,
    "accrued" numeric(20) not null,
    "requests" numeric(20) not null,
    "units" numeric(20) not null,
    "backed" numeric(20) not null,
    "paid" numeric(20) not null,
    "collected" numeric(20) not null,
    "held" numeric(20) not null,
    "returned" numeric(20) not null,
    "opened_at" bigint not null,
    "closes_at" bigint,
    "grace" bigint not null,
    "fee_bps" bigint not null,
    "share_bps" bigint not null,
    "backing_bps" bigint not null,
    "claim" bytea,
    "has_plan" boolean not null,
    "slot" numeric(20) not null,
    "session_signer" bytea not null,
    "session_limit" numeric(20) not null,
    "session_expires_at" bigint not null,
    "paid_out_shares" numeric(20) not null,
    "paid_out_fee" numeric(20) not null,
    "paid_out_provider" numeric(20) not null,
    "staged_holds_at" bigint,
    "staged_session_signer" bytea,
    "staged_session_limit" numeric(20),
    "staged_session_expires_at" bigint,
    "dispute_against" text,
    "dispute_slashed" numeric(20),
    "dispute_returned" numeric(20),
    "dispute_forfeited" numeric(20),
    "dispute_at" bigint,
    primary key ("address")
);
create table channels_owed (
    "of" bytea not null,
    "place" bigint not null,
    "party" bigint not null,
    "amount" numeric(20) not null,
    primary key ("of", "place")
);
create table plans (
    "address" bytea not null,
    "channel" bytea not null,
    "payer" bytea not null,
    "status" text not null,
    "rate" numeric(20) not null,
    "lockup" numeric(20) not null,
    "period" bigint not null,
    "started_at" bigint not null,
    "settled_until" bigint not null,
    "ends_at" bigint,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table distributions (
    "address" bytea not null,
    "channel" bytea not null,
    "payer" bytea,
    "provider" bytea,
    "model" bytea,
    "signature" bytea not null,
    "instruction" bigint not null,
    "inner" bigint not null,
    "settled" numeric(20) not null,
    "accrued" numeric(20) not null,
    "collected" numeric(20) not null,
    "returned" numeric(20) not null,
    "at" bigint not null,
    "slot" numeric(20) not null,
    "paid_shares" numeric(20) not null,
    "paid_fee" numeric(20) not null,
    "paid_provider" numeric(20) not null,
    primary key ("address")
);
create table accounts (
    "address" bytea not null,
    "program" bytea not null,
    "kind" text not null,
    "closed" boolean not null,
    "lamports" numeric(20) not null,
    "since" numeric(20) not null,
    "data" bytea not null,
    "slot" numeric(20) not null,
    "write_version" numeric(20) not null,
    "live_slot" numeric(20),
    "live_write_version" numeric(20),
    primary key ("address")
);
create table events (
    "signature" bytea not null,
    "instruction" bigint not null,
    "inner" bigint not null,
    "slot" numeric(20) not null,
    "tx_index" numeric(20) not null,
    "block_time" bigint,
    "program" bytea not null,
    "data" bytea not null,
    "name" text not null,
    "subject" bytea,
    primary key ("signature", "instruction", "inner")
);
create table event_accounts (
    "address" bytea not null,
    "slot" numeric(20) not null,
    "tx_index" numeric(20) not null,
    "instruction" bigint not null,
    "inner" bigint not null,
    "signature" bytea not null,
    primary key ("address", "slot", "tx_index", "instruction", "inner", "signature")
);
create table row_events (
    "address" bytea not null,
    "slot" numeric(20) not null,
    "tx_index" numeric(20) not null,
    "instruction" bigint not null,
    "inner" bigint not null,
    "signature" bytea not null,
    primary key ("address", "slot", "tx_index", "instruction", "inner", "signature")
);
create table members (
    "kind" text not null,
    "parent" bytea not null,
    "address" bytea not null,
    primary key ("kind", "parent", "address")
);
create table payers (
    "address" bytea not null,
    "owner" bytea not null,
    "mint" bytea not null,
    "balance" numeric(20) not null,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table channel_days (
    "channel" bytea not null,
    "day" bigint not null,
    "settled" numeric(20) not null,
    "sequence" numeric(20) not null,
    "units" numeric(20) not null,
    "amount" numeric(20) not null,
    "collected" numeric(20) not null,
    "returned" numeric(20) not null,
    "paid_shares" numeric(20) not null,
    "paid_fee" numeric(20) not null,
    "paid_provider" numeric(20) not null,
    primary key ("channel", "day")
);
create table revenue (
    "day" bigint not null,
    "mint" bytea not null,
    "model" bytea not null,
    "provider" bytea not null,
    "requests" numeric(39) not null,
    "units" numeric(39) not null,
    "amount" numeric(39) not null,
    "collected" numeric(39) not null,
    "paid_shares" numeric(39) not null,
    "paid_fee" numeric(39) not null,
    "paid_provider" numeric(39) not null,
    "returned" numeric(39) not null,
    primary key ("day", "mint", "model", "provider")
);
create table aggregates (
    "scope" text not null,
    "key" bytea not null,
    "name" text not null,
    "value" numeric(39) not null,
    primary key ("scope", "key", "name")
);
create table dead_letters (
    "key" bytea not null,
    "kind" text not null,
    "program" bytea not null,
    "slot" numeric(20) not null,
    "data" bytea not null,
    "reason" text not null,
    "tx_index" numeric(20),
    primary key ("key")
);
create table clients (
    "address" bytea not null,
    "client" bytea not null,
    "next_job" numeric(20) not null,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table protocol (
    "address" bytea not null,
    "authority" bytea not null,
    "guardian" bytea not null,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table protocol_services (
    "of" bytea not null,
    "place" bigint not null,
    "fee_bps" bigint not null,
    "staged_fee_bps" bigint not null,
    "staged_fee_at" bigint not null,
    "paused_until" bigint not null,
    primary key ("of", "place")
);
create table accepted_mints (
    "address" bytea not null,
    "mint" bytea not null,
    "fee_vault" bytea not null,
    "decimals" bigint not null,
    "min_amount" numeric(20) not null,
    "enabled" boolean not null,
    "kept" numeric(20) not null,
    "owed_rewards" numeric(20) not null,
    "outflow_limit" numeric(20) not null,
    "outflow_window" bigint not null,
    "reward_vault" bytea,
    "reward_bps" bigint not null,
    "slot" numeric(20) not null,
    primary key ("address")
);
create table checkpoint (
    "id" bigint not null,
    "slot" numeric(20) not null,
    "finalized" numeric(20) not null,
    primary key ("id")
);
create table chain (
    "id" bigint not null,
    "genesis" text not null,
    primary key ("id")
);

-- What can be asked for has an index to begin at, in the order of the answer.
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

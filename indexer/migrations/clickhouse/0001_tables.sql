create table if not exists jobs (
    `address` FixedString(32),
    `client` FixedString(32),
    `id` UInt64,
    `status` String,
    `provider` Nullable(FixedString(32)),
    `provider_authority` Nullable(FixedString(32)),
    `mint` FixedString(32),
    `budget` UInt64,
    `pricing` String,
    `price` UInt64,
    `rate` UInt64,
    `max_rate` UInt64,
    `reported` Int64,
    `fee_bps` Int64,
    `bond_bps` Int64,
    `exposure` UInt64,
    `requirements` Nullable(FixedString(32)),
    `verification` String,
    `jurors` Int64,
    `vote_window` Int64,
    `spec_hash` FixedString(32),
    `input_hash` FixedString(32),
    `result_hash` Nullable(FixedString(32)),
    `opened_at` Int64,
    `accept_by` Int64,
    `bid_until` Nullable(Int64),
    `best_bid` Nullable(FixedString(32)),
    `best_price` UInt64,
    `work_window` Int64,
    `deliver_by` Nullable(Int64),
    `review_window` Int64,
    `settle_after` Nullable(Int64),
    `challenger` Nullable(FixedString(32)),
    `dispute` Nullable(FixedString(32)),
    `verdict` Nullable(String),
    `disputed` UInt8,
    `deposited` UInt64,
    `slashed` UInt64,
    `escrowed` UInt64,
    `closed` UInt8,
    `slot` UInt64,
    `paid_provider` UInt64,
    `paid_fee` UInt64,
    `paid_challenger` UInt64,
    `paid_jurors` UInt64,
    `paid_client` UInt64,
    `owed_provider` UInt64,
    `owed_fee` UInt64,
    `owed_challenger` UInt64,
    `owed_jurors` UInt64,
    `owed_client` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists providers (
    `address` FixedString(32),
    `authority` FixedString(32),
    `payout_owner` FixedString(32),
    `status` String,
    `capacity` Int64,
    `endpoint_hash` FixedString(32),
    `metadata_hash` FixedString(32),
    `registered_at` Int64,
    `updated_at` Int64,
    `slot` UInt64,
    `attributes_gpu_model` Int64,
    `attributes_gpu_count` Int64,
    `attributes_vram_mib` Int64,
    `attributes_cpu_cores` Int64,
    `attributes_region` Int64,
    `attributes_memory_mib` Int64,
    `attributes_disk_gib` Int64,
    `attributes_bandwidth_mbps` Int64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists disputes (
    `address` FixedString(32),
    `job` FixedString(32),
    `status` String,
    `mode` String,
    `challenger` FixedString(32),
    `result_hash` Nullable(FixedString(32)),
    `counter_result` FixedString(32),
    `deposit` UInt64,
    `round` Int64,
    `appellant` Nullable(String),
    `appeal_deposit` UInt64,
    `panel` Nullable(FixedString(32)),
    `draw_slot` UInt64,
    `opened_at` Int64,
    `draw_by` Nullable(Int64),
    `commit_by` Nullable(Int64),
    `reveal_by` Nullable(Int64),
    `final_at` Nullable(Int64),
    `resolved_at` Nullable(Int64),
    `verdict` Nullable(String),
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists disputes_tallies (
    `of` FixedString(32),
    `place` Int64,
    `stands` UInt64,
    `counter` UInt64,
    `neither` UInt64,
    `revealed` Int64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`of`, `place`) settings index_granularity = 1024;
create table if not exists disputes_members (
    `of` FixedString(32),
    `place` Int64,
    `seat` Int64,
    `resolver` FixedString(32),
    `committed` UInt8,
    `punished` UInt8,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`of`, `place`) settings index_granularity = 1024;
create table if not exists disputes_votes (
    `of` FixedString(32),
    `place` Int64,
    `address` FixedString(32),
    `juror` FixedString(32),
    `round` Int64,
    `commitment` FixedString(32),
    `stake` UInt64,
    `output` Nullable(FixedString(32)),
    `choice` Nullable(String),
    `paid` UInt64,
    `slashed` UInt64,
    `closed` UInt8,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`of`, `place`) settings index_granularity = 1024;
create table if not exists models (
    `address` FixedString(32),
    `creator` FixedString(32),
    `id` UInt64,
    `payout_owner` FixedString(32),
    `status` String,
    `base` Nullable(FixedString(32)),
    `depth` Int64,
    `royalty_bps` Int64,
    `version` Int64,
    `endpoint_hash` FixedString(32),
    `metadata_hash` FixedString(32),
    `created_at` Int64,
    `updated_at` Int64,
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists models_lineage (
    `of` FixedString(32),
    `place` Int64,
    `owner` FixedString(32),
    `bps` Int64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`of`, `place`) settings index_granularity = 1024;
create table if not exists channels (
    `address` FixedString(32),
    `payer` FixedString(32),
    `owner` FixedString(32),
    `number` UInt64,
    `status` String,
    `provider` FixedString(32),
    `authority` FixedString(32),
    `payout` Nullable(FixedString(32)),
    `model` FixedString(32),
    `prices` FixedString(32),
    `mint` FixedString(32),
    `cap` UInt64,
    `settled` UInt64,
    `accrued` UInt64,
    `requests` UInt64,
    `units` UInt64,
    `backed` UInt64,
    `paid` UInt64,
    `collected` UInt64,
    `held` UInt64,
    `returned` UInt64,
    `opened_at` Int64,
    `closes_at` Nullable(Int64),
    `grace` Int64,
    `fee_bps` Int64,
    `share_bps` Int64,
    `backing_bps` Int64,
    `claim` Nullable(FixedString(32)),
    `has_plan` UInt8,
    `slot` UInt64,
    `session_signer` FixedString(32),
    `session_limit` UInt64,
    `session_expires_at` Int64,
    `paid_out_shares` UInt64,
    `paid_out_fee` UInt64,
    `paid_out_provider` UInt64,
    `staged_holds_at` Nullable(Int64),
    `staged_session_signer` Nullable(FixedString(32)),
    `staged_session_limit` Nullable(UInt64),
    `staged_session_expires_at` Nullable(Int64),
    `dispute_against` Nullable(String),
    `dispute_slashed` Nullable(UInt64),
    `dispute_returned` Nullable(UInt64),
    `dispute_forfeited` Nullable(UInt64),
    `dispute_at` Nullable(Int64),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists channels_owed (
    `of` FixedString(32),
    `place` Int64,
    `party` Int64,
    `amount` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`of`, `place`) settings index_granularity = 1024;
create table if not exists plans (
    `address` FixedString(32),
    `channel` FixedString(32),
    `payer` FixedString(32),
    `status` String,
    `rate` UInt64,
    `lockup` UInt64,
    `period` Int64,
    `started_at` Int64,
    `settled_until` Int64,
    `ends_at` Nullable(Int64),
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists distributions (
    `address` FixedString(32),
    `channel` FixedString(32),
    `payer` Nullable(FixedString(32)),
    `provider` Nullable(FixedString(32)),
    `model` Nullable(FixedString(32)),
    `signature` FixedString(64),
    `instruction` Int64,
    `inner` Int64,
    `settled` UInt64,
    `accrued` UInt64,
    `collected` UInt64,
    `returned` UInt64,
    `at` Int64,
    `slot` UInt64,
    `paid_shares` UInt64,
    `paid_fee` UInt64,
    `paid_provider` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists accounts (
    `address` FixedString(32),
    `program` FixedString(32),
    `kind` String,
    `closed` UInt8,
    `lamports` UInt64,
    `since` UInt64,
    `data` String,
    `slot` UInt64,
    `write_version` UInt64,
    `live_slot` Nullable(UInt64),
    `live_write_version` Nullable(UInt64),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists events (
    `signature` FixedString(64),
    `instruction` Int64,
    `inner` Int64,
    `slot` UInt64,
    `tx_index` UInt64,
    `block_time` Nullable(Int64),
    `program` FixedString(32),
    `data` String,
    `name` String,
    `subject` Nullable(FixedString(32)),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`signature`, `instruction`, `inner`) settings index_granularity = 1024;
create table if not exists event_accounts (
    `address` FixedString(32),
    `slot` UInt64,
    `tx_index` UInt64,
    `instruction` Int64,
    `inner` Int64,
    `signature` FixedString(64),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`, `slot`, `tx_index`, `instruction`, `inner`, `signature`) settings index_granularity = 1024;
create table if not exists row_events (
    `address` FixedString(32),
    `slot` UInt64,
    `tx_index` UInt64,
    `instruction` Int64,
    `inner` Int64,
    `signature` FixedString(64),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`, `slot`, `tx_index`, `instruction`, `inner`, `signature`) settings index_granularity = 1024;
create table if not exists members (
    `kind` String,
    `parent` FixedString(32),
    `address` FixedString(32),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`kind`, `parent`, `address`) settings index_granularity = 1024;
create table if not exists payers (
    `address` FixedString(32),
    `owner` FixedString(32),
    `mint` FixedString(32),
    `balance` UInt64,
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists channel_days (
    `channel` FixedString(32),
    `day` Int64,
    `settled` UInt64,
    `sequence` UInt64,
    `units` UInt64,
    `slot` UInt64,
    `amount` UInt64,
    `collected` UInt64,
    `returned` UInt64,
    `paid_shares` UInt64,
    `paid_fee` UInt64,
    `paid_provider` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`channel`, `day`) settings index_granularity = 1024;
create table if not exists revenue (
    `day` Int64,
    `mint` FixedString(32),
    `model` FixedString(32),
    `provider` FixedString(32),
    `requests` Decimal(38, 0),
    `units` Decimal(38, 0),
    `amount` Decimal(38, 0),
    `collected` Decimal(38, 0),
    `paid_shares` Decimal(38, 0),
    `paid_fee` Decimal(38, 0),
    `paid_provider` Decimal(38, 0),
    `returned` Decimal(38, 0),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`day`, `mint`, `model`, `provider`) settings index_granularity = 1024;
create table if not exists aggregates (
    `scope` String,
    `key` FixedString(32),
    `name` String,
    `value` Decimal(38, 0),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`scope`, `key`, `name`) settings index_granularity = 1024;
create table if not exists dead_letters (
    `key` String,
    `kind` String,
    `program` FixedString(32),
    `slot` UInt64,
    `data` String,
    `reason` String,
    `tx_index` Nullable(UInt64),
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`key`) settings index_granularity = 1024;
create table if not exists clients (
    `address` FixedString(32),
    `client` FixedString(32),
    `next_job` UInt64,
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists protocol (
    `address` FixedString(32),
    `authority` FixedString(32),
    `guardian` FixedString(32),
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists protocol_services (
    `of` FixedString(32),
    `place` Int64,
    `fee_bps` Int64,
    `staged_fee_bps` Int64,
    `staged_fee_at` Int64,
    `paused_until` Int64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`of`, `place`) settings index_granularity = 1024;
create table if not exists accepted_mints (
    `address` FixedString(32),
    `mint` FixedString(32),
    `fee_vault` FixedString(32),
    `decimals` Int64,
    `min_amount` UInt64,
    `enabled` UInt8,
    `kept` UInt64,
    `owed_rewards` UInt64,
    `outflow_limit` UInt64,
    `outflow_window` Int64,
    `reward_vault` Nullable(FixedString(32)),
    `reward_bps` Int64,
    `slot` UInt64,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`address`) settings index_granularity = 1024;
create table if not exists checkpoint (
    `id` Int64,
    `slot` UInt64,
    `finalized` UInt64,
    `listed` UInt8,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`id`) settings index_granularity = 1024;
create table if not exists chain (
    `id` Int64,
    `genesis` String,
    _version UInt64,
    _gone UInt8
) engine = ReplacingMergeTree(_version)
  order by (`id`) settings index_granularity = 1024;

-- What the store itself needs. A batch is one insert into the journal before it is written to the tables.
create table if not exists journal (
    id UInt8,
    part UInt32,
    parts UInt32,
    statement UInt32,
    target String,
    body String,
    _version UInt64
) engine = ReplacingMergeTree(_version)
  order by (id, part);
create table if not exists applied (
    id UInt8,
    _version UInt64
) engine = ReplacingMergeTree(_version)
  order by (id);
-- Who writes, and the last sign of life; 2^64 - 1 says that it writes no more.
create table if not exists lease (
    id UInt8,
    holder String,
    beat UInt64,
    at DateTime default now()
) engine = ReplacingMergeTree(beat)
  order by (id, holder);
create table if not exists schema_version (
    id UInt8,
    version UInt64
) engine = ReplacingMergeTree(version)
  order by (id);

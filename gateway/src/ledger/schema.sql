-- Numbers of 64 bits are stored as the signed number with the same bits.
create table if not exists channels (
    address blob primary key,
    -- The newest voucher and its signature, 160 bytes; null before the first.
    voucher blob,
    sequence integer not null default 0,
    cumulative integer not null default 0,
    -- Unix seconds: since when some of it is not settled on chain.
    since integer not null default 0,
    -- What the chain says is settled, when it was last asked.
    settled integer not null default 0,
    -- The frontier of the tree over all receipts.
    peaks blob not null default x'',
    -- Who pays; null before the first receipt.
    owner blob,
    -- Unix seconds: since when the chain has it no more; 0 while it does.
    gone integer not null default 0
) without rowid;

create table if not exists receipts (
    channel blob not null,
    sequence integer not null,
    -- The receipt and its signature, 216 bytes.
    receipt blob not null,
    -- What the channel's receipts come to with this one: base units, input and output tokens, images, milliseconds.
    billed integer not null,
    input_tokens integer not null,
    output_tokens integer not null,
    images integer not null,
    milliseconds integer not null,
    root blob not null,
    primary key (channel, sequence)
) without rowid;

-- Orders that were begun; without a sequence they were never billed.
create table if not exists orders (
    channel blob not null,
    -- The nonce, its highest bit flipped, so that signed numbers sort as it does.
    rank integer not null,
    sequence integer,
    primary key (channel, rank)
) without rowid;

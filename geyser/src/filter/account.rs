//! Conditions on one account write.

use base64::{engine::general_purpose::STANDARD, Engine};
use yellowstone_grpc_proto::geyser::{
    subscribe_request_filter_accounts_filter::Filter as WireState,
    subscribe_request_filter_accounts_filter_lamports::Cmp,
    subscribe_request_filter_accounts_filter_memcmp::Data as WireData, SubscribeRequestFilterAccounts,
    SubscribeRequestFilterAccountsFilterMemcmp, SubscribeUpdateAccountInfo,
};

use super::{parse_keys, FilterError, Key, KeySet};

/// Most conditions on data and lamports in one filter.
const MAX_STATES: usize = 4;
/// Longest memcmp, in bytes, and as text.
const MAX_MEMCMP: usize = 128;
const MAX_MEMCMP_BASE58: usize = 175;
const MAX_MEMCMP_BASE64: usize = 172;

#[derive(Debug)]
pub(super) struct AccountFilter {
    accounts: KeySet,
    owners: std::collections::HashSet<Key>,
    states: Vec<State>,
    with_transaction: Option<bool>,
}

#[derive(Debug)]
enum State {
    Memcmp { offset: usize, bytes: Vec<u8> },
    DataSize(usize),
    TokenAccount,
    Lamports(Cmp),
}

impl AccountFilter {
    pub fn new(request: &SubscribeRequestFilterAccounts) -> Result<Self, FilterError> {
        if request.filters.len() > MAX_STATES {
            return Err(FilterError::TooManyStates { max: MAX_STATES });
        }
        let states =
            request.filters.iter().map(|filter| State::new(filter.filter.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if states.iter().filter(|state| matches!(state, State::DataSize(_))).count() > 1 {
            return Err(FilterError::State("datasize used more than once"));
        }
        Ok(Self {
            accounts: KeySet::new(&request.account, request.cuckoo_accounts_filter.as_ref())?,
            owners: parse_keys(&request.owner)?,
            states,
            with_transaction: request.nonempty_txn_signature,
        })
    }

    pub fn matches(&self, account: &SubscribeUpdateAccountInfo) -> bool {
        self.with_transaction.is_none_or(|wanted| wanted == account.txn_signature.is_some())
            && (self.accounts.is_empty() || self.accounts.contains_bytes(&account.pubkey))
            && (self.owners.is_empty()
                || Key::try_from(account.owner.as_slice()).is_ok_and(|owner| self.owners.contains(&owner)))
            && self.states.iter().all(|state| state.matches(&account.data, account.lamports))
    }
}

impl State {
    fn new(wire: Option<&WireState>) -> Result<Self, FilterError> {
        match wire {
            Some(WireState::Memcmp(memcmp)) => Self::memcmp(memcmp),
            Some(WireState::Datasize(size)) => {
                // Larger than any address space: no account can have it.
                Ok(State::DataSize(usize::try_from(*size).unwrap_or(usize::MAX)))
            }
            Some(WireState::TokenAccountState(true)) => Ok(State::TokenAccount),
            Some(WireState::TokenAccountState(false)) => {
                Err(FilterError::State("token_account_state only allowed to be true"))
            }
            Some(WireState::Lamports(lamports)) => {
                lamports.cmp.map(State::Lamports).ok_or(FilterError::State("cmp for lamports should be defined"))
            }
            None => Err(FilterError::State("filter should be defined")),
        }
    }

    fn memcmp(wire: &SubscribeRequestFilterAccountsFilterMemcmp) -> Result<Self, FilterError> {
        const TOO_LARGE: FilterError = FilterError::State("data too large");
        let bytes = match &wire.data {
            Some(WireData::Bytes(bytes)) => bytes.clone(),
            Some(WireData::Base58(text)) if text.len() > MAX_MEMCMP_BASE58 => return Err(TOO_LARGE),
            Some(WireData::Base58(text)) => {
                bs58::decode(text).into_vec().map_err(|_| FilterError::State("invalid base58"))?
            }
            Some(WireData::Base64(text)) if text.len() > MAX_MEMCMP_BASE64 => return Err(TOO_LARGE),
            Some(WireData::Base64(text)) => STANDARD.decode(text).map_err(|_| FilterError::State("invalid base64"))?,
            None => return Err(FilterError::State("data for memcmp should be defined")),
        };
        if bytes.len() > MAX_MEMCMP {
            return Err(TOO_LARGE);
        }
        Ok(State::Memcmp { offset: usize::try_from(wire.offset).unwrap_or(usize::MAX), bytes })
    }

    fn matches(&self, data: &[u8], lamports: u64) -> bool {
        match self {
            State::Memcmp { offset, bytes } => data.get(*offset..).is_some_and(|rest| rest.starts_with(bytes)),
            State::DataSize(size) => data.len() == *size,
            State::TokenAccount => is_token_account(data),
            State::Lamports(Cmp::Eq(n)) => lamports == *n,
            State::Lamports(Cmp::Ne(n)) => lamports != *n,
            State::Lamports(Cmp::Lt(n)) => lamports < *n,
            State::Lamports(Cmp::Gt(n)) => lamports > *n,
        }
    }
}

/// An initialised SPL Token or Token-2022 account, by its layout: 165 bytes with the state at 108;
/// with extensions it is longer, never the size of a multisig, and its type byte says "account".
fn is_token_account(data: &[u8]) -> bool {
    const LEN: usize = 165;
    const STATE: usize = 108;
    const MULTISIG_LEN: usize = 355;
    const TYPE_ACCOUNT: u8 = 2;
    let initialised = data.get(STATE).is_some_and(|state| *state != 0);
    let shape = data.len() == LEN || (data.len() > LEN && data.len() != MULTISIG_LEN && data[LEN] == TYPE_ACCOUNT);
    initialised && shape
}

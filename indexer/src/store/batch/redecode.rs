//! Dead letters, decoded again.

use super::{history, Work};
use crate::{
    decode::State,
    row::{
        dead_letter::{Letter, LetterRow},
        record::Kept as _,
    },
    store::{Redecoded, Result},
};

impl Work<'_> {
    pub(super) fn redecode(mut self) -> Result<Redecoded> {
        let mut redecoded = Redecoded::default();
        let letters = self.tables.all(LetterRow::table(), &[])?;
        let mut letters = letters.into_iter().map(LetterRow::of_cells).collect::<std::result::Result<Vec<_>, _>>()?;
        letters.sort_by_key(|row| row.slot);
        for letter in letters.into_iter().map(|row| row.letter) {
            let decoded = match &letter {
                // Its bytes do not tell more than before: whoever has it must be asked.
                Letter::Transaction(_) => continue,
                Letter::Account(address) => {
                    let known = self.accounts.get(self.tables, address)?;
                    match known.and_then(|row| Some((row.state()?, row.clone()))) {
                        Some((state, mut row)) => {
                            let (since, closed) = (row.since, row.closed);
                            row.kind = state.kind().into();
                            self.accounts.put(self.tables, *address, row)?;
                            if let State::Channel(channel) = &state {
                                self.saw(address, channel, since, None)?;
                            }
                            self.state(address, &state, since, closed)?;
                            true
                        }
                        None => false,
                    }
                }
                Letter::Event(key) => {
                    let row = history::rows(self.tables, &[*key])?.remove(key);
                    match row.and_then(|row| Some((row.fact().ok()?, row))) {
                        Some((fact, row)) => {
                            self.events.name(self.tables, &row, &fact)?;
                            self.happened(&row, &fact)?;
                            self.rows.extend(fact.rows());
                            true
                        }
                        None => false,
                    }
                }
            };
            redecoded.tried += 1;
            if decoded {
                self.letters.remove(self.tables, letter)?;
                redecoded.decoded += 1;
            }
        }
        self.rebuild()?;
        self.flush()?;
        Ok(redecoded)
    }
}

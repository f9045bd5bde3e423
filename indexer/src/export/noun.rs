//! A noun's table, as it is stored.

use super::{
    sheet::{Line, Sheet},
    Source, Wanted,
};
use crate::{
    query::Condition,
    row::record::Table,
    schema,
    store::{Between, Scan, Scanned},
};

pub struct Nouns {
    table: &'static Table,
    sheet: Sheet,
    conditions: Vec<Condition>,
    time: Between,
}

impl Nouns {
    pub fn new(table: &'static Table, time: Between, wanted: &[String]) -> anyhow::Result<Self> {
        let sheet = schema::sheet(table);
        let wanted = Wanted::all(&sheet, wanted, |column| schema::names(table, &column.name))?;
        let condition = |Wanted { place, cell }| Condition::Is(table.columns[place].name.as_str(), cell);
        Ok(Self { table, sheet, conditions: wanted.into_iter().map(condition).collect(), time })
    }
}

impl Source for Nouns {
    fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    fn scan(&self) -> Scan {
        Scan::Rows { table: self.table, conditions: self.conditions.clone(), time: self.time }
    }

    fn lines(&mut self, scanned: Scanned) -> anyhow::Result<Vec<Line>> {
        let Scanned::Rows(rows) = scanned else { return Ok(Vec::new()) };
        Ok(rows.into_iter().map(Line::from).collect())
    }
}

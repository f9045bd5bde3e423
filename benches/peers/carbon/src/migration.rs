//! Makes the tables, the way Carbon's decoders do.

use crate::accounts::{each_kind, Kept};
use sqlx::{PgConnection, Postgres};
use sqlx_migrator::{error::Error, Migration, Operation};

pub struct JouleAccountsMigration;

struct Make(String);

#[async_trait::async_trait]
impl Operation<Postgres> for Make {
    async fn up(&self, connection: &mut PgConnection) -> Result<(), Error> {
        sqlx::query(&self.0).execute(connection).await?;
        Ok(())
    }
}

impl Migration<Postgres> for JouleAccountsMigration {
    fn app(&self) -> &str {
        "joule"
    }

    fn name(&self) -> &str {
        "joule_accounts"
    }

    fn operations(&self) -> Vec<Box<dyn Operation<Postgres>>> {
        let mut operations: Vec<Box<dyn Operation<Postgres>>> = Vec::new();
        macro_rules! make {
            ($name:ident) => {
                operations.push(Box::new(Make(crate::accounts::$name::table_sql())));
            };
        }
        each_kind!(make);
        operations
    }

    fn parents(&self) -> Vec<Box<dyn Migration<Postgres>>> {
        Vec::new()
    }
}

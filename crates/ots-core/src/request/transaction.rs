//! StartLocalTransaction, CommitTransaction, AbortTransaction: several requests about one partition key
//! that happen together or not at all.

use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{PrimaryKey, PrimaryKeyValue, messages, operation};

use super::Request;
use crate::call::Reply;
use crate::error::Error;

/// Begins a local transaction: reads and writes of the rows of one partition key, seen by others when
/// it is committed, or never.
///
/// The partition key is locked until the transaction ends, at most 60 seconds; writes of it from
/// elsewhere are refused with `OTSRowOperationConflict`. The requests of the transaction name it by
/// their `transaction` method.
///
/// Limits: 4 MB of changes. The table must have been created with
/// [`local_transactions`](super::CreateTable::local_transactions).
///
/// # Errors
/// `OTSRowOperationConflict` when another transaction holds the partition key, which the client
/// repeats; `OTSParameterInvalid` for a table without local transactions.
///
/// Source: the service's documentation of StartLocalTransaction.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::{CommitTransaction, PutRow, StartLocalTransaction};
/// use ots_core::{PrimaryKey, Row};
///
/// let start = StartLocalTransaction::new("orders", "shop", "west");
/// let transaction = client.send(start).await?.into_inner();
/// let row = Row::new(PrimaryKey::new().column("shop", "west").column("number", 7));
/// client.send(PutRow::new("orders", row).transaction(&transaction)).await?;
/// client.send(CommitTransaction::new(transaction)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct StartLocalTransaction {
    table: String,
    partition_key: PrimaryKey,
}

impl StartLocalTransaction {
    /// A transaction over the rows of `table` whose first key column, `column`, has this value.
    pub fn new(
        table: impl Into<String>,
        column: impl Into<String>,
        value: impl Into<PrimaryKeyValue>,
    ) -> Self {
        let column: String = column.into();
        Self {
            table: table.into(),
            partition_key: PrimaryKey::new().column(column, value),
        }
    }
}

impl Request for StartLocalTransaction {
    type Operation = operation::StartLocalTransaction;
    /// The transaction's id.
    type Output = String;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::StartLocalTransactionRequest, Error> {
        Ok(messages::StartLocalTransactionRequest {
            table_name: self.table,
            key: write_primary_key(&self.partition_key),
        })
    }

    fn read(reply: Reply<messages::StartLocalTransactionResponse>) -> Result<String, Error> {
        let id = reply.into_inner().transaction_id;
        if id.is_empty() {
            let problem = "StartLocalTransaction answered without the transaction's id";
            return Err(Error::body(problem));
        }
        Ok(id)
    }
}

macro_rules! end {
    (
        $(#[$doc:meta])*
        $name:ident, $request:ident, $response:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[must_use]
        pub struct $name {
            transaction_id: String,
        }

        impl $name {
            /// The transaction with this id.
            pub fn new(transaction_id: impl Into<String>) -> Self {
                Self {
                    transaction_id: transaction_id.into(),
                }
            }
        }

        impl Request for $name {
            type Operation = operation::$name;
            type Output = ();

            fn into_message(self) -> Result<messages::$request, Error> {
                Ok(messages::$request {
                    transaction_id: self.transaction_id,
                })
            }

            fn read(_: Reply<messages::$response>) -> Result<(), Error> {
                Ok(())
            }
        }
    };
}

end! {
    /// Lets a local transaction happen.
    ///
    /// # Errors
    /// `OTSSessionNotExist` when it has ended already or took too long. When the answer is lost, nobody
    /// knows whether it happened ([`Error::may_have_run`]): read the rows to find out.
    ///
    /// Source: the service's documentation of CommitTransaction.
    CommitTransaction, CommitTransactionRequest, CommitTransactionResponse
}

end! {
    /// Drops a local transaction: nothing of it happens. One that is neither committed nor aborted is
    /// dropped by the service after 60 seconds.
    ///
    /// # Errors
    /// `OTSSessionNotExist` when it has ended already or took too long.
    ///
    /// Source: the service's documentation of AbortTransaction.
    AbortTransaction, AbortTransactionRequest, AbortTransactionResponse
}

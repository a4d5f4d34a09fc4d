//! What a device stores of a group: opaque keys and values.

use std::collections::BTreeMap;

/// All rows of one room's group, or of one key package. Keys and values are opaque and secret.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A row to write (`Some`) or to delete (`None`).
pub type RowChange = (Vec<u8>, Option<Vec<u8>>);

//! What a device stores of a group: opaque keys and values, which are wiped wherever they are dropped.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// All rows of one room's group, or of one key package. Keys and values are opaque and secret.
pub type Rows = BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>;

/// A row to write (`Some`) or to delete (`None`).
pub type RowChange = (Vec<u8>, Option<Zeroizing<Vec<u8>>>);

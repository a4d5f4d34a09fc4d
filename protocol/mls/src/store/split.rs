//! Stores the message secrets in parts. Every message changes those of the current epoch; those of
//! past epochs hold a list of all members each, and to write them again with every message would make
//! its cost grow with the room.

use serde::{
    Serialize,
    de::DeserializeOwned,
    ser::{Error as _, Impossible, SerializeSeq, SerializeStruct, Serializer},
};
use zeroize::Zeroizing;

use super::{Damaged, Store, row};

// Parts of the row group MESSAGE_SECRETS.
const LIMIT: u8 = 0;
const PAST: u8 = 1;
const CURRENT: u8 = 2;

type Failed = rmp_serde::encode::Error;

impl Store {
    /// Writes the secrets; those of past epochs only if they may have changed.
    pub(super) fn put_secrets<T: Serialize>(&self, value: &T) -> Result<(), Damaged> {
        let past = !self.current_epoch_only.get();
        value.serialize(Fields { store: self, past }).map_err(|_| Damaged)
    }

    /// Reads what [`Store::put_secrets`] wrote: the parts, put together as the array of three that the
    /// structure is.
    pub(super) fn get_secrets<T: DeserializeOwned>(&self) -> Result<Option<T>, Damaged> {
        let inner = self.inner.borrow();
        let part = |part| inner.rows.get([row::MESSAGE_SECRETS, part].as_slice());
        let (Some(limit), Some(current)) = (part(LIMIT), part(CURRENT)) else { return Ok(None) };
        let prefix = [row::MESSAGE_SECRETS, PAST];
        let past: Vec<_> = inner.rows.iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        let count = u16::try_from(past.len()).map_err(|_| Damaged)?.to_be_bytes();
        let mut whole = Zeroizing::new(vec![0x93]);
        whole.extend_from_slice(limit);
        whole.push(0xdc);
        whole.extend_from_slice(&count);
        for (_, epoch) in past {
            whole.extend_from_slice(epoch);
        }
        whole.extend_from_slice(current);
        rmp_serde::from_slice(&whole).map(Some).map_err(|_| Damaged)
    }

    pub(super) fn delete_secrets(&self) {
        self.forget_or_delete(&[row::MESSAGE_SECRETS], &[]);
    }

    // Deletes the rows under a prefix, but for some.
    fn forget_or_delete(&self, prefix: &[u8], keep: &[Vec<u8>]) {
        let under = |key: &Vec<u8>| key.starts_with(prefix) && !keep.contains(key);
        let gone: Vec<Vec<u8>> = self.inner.borrow().rows.keys().filter(|key| under(key)).cloned().collect();
        for key in gone {
            self.delete(&key);
        }
    }
}

fn fault(_: Damaged) -> Failed {
    Failed::custom("not stored")
}

/// Takes a structure field by field.
struct Fields<'a> {
    store: &'a Store,
    past: bool,
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        let part = match name {
            "max_epochs" => LIMIT,
            "message_secrets" => CURRENT,
            "past_epoch_trees" if self.past => {
                return value.serialize(Epochs { store: self.store, kept: Vec::new() });
            }
            "past_epoch_trees" => return Ok(()),
            // A field that this does not know must not be lost in silence.
            _ => return Err(Failed::custom("unknown field")),
        };
        self.store.put(vec![row::MESSAGE_SECRETS, part], value).map_err(fault)
    }

    fn end(self) -> Result<(), Failed> {
        Ok(())
    }
}

/// Takes the past epochs one by one; each has a row that is named by its number.
struct Epochs<'a> {
    store: &'a Store,
    kept: Vec<Vec<u8>>,
}

impl SerializeSeq for Epochs<'_> {
    type Ok = ();
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let encoded = Zeroizing::new(rmp_serde::to_vec(value)?);
        // An array of three whose first is the epoch.
        let number: u64 = rmp_serde::from_slice(encoded.get(1..).unwrap_or_default())
            .map_err(|_| Failed::custom("no epoch"))?;
        let mut key = vec![row::MESSAGE_SECRETS, PAST];
        key.extend_from_slice(&number.to_be_bytes());
        self.store.put_encoded(key.clone(), encoded);
        self.kept.push(key);
        Ok(())
    }

    fn end(self) -> Result<(), Failed> {
        self.store.forget_or_delete(&[row::MESSAGE_SECRETS, PAST], &self.kept);
        Ok(())
    }
}

macro_rules! refuse {
    ($($method:ident($($argument:ident: $kind:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $($argument: $kind),*) -> Result<$ok, Failed> {
            let _ = ($($argument,)*);
            Err(Failed::custom("not the shape of message secrets"))
        }
    )*};
}

macro_rules! refuse_the_rest {
    () => {
        type Ok = ();
        type Error = Failed;
        type SerializeTuple = Impossible<(), Failed>;
        type SerializeTupleStruct = Impossible<(), Failed>;
        type SerializeTupleVariant = Impossible<(), Failed>;
        type SerializeMap = Impossible<(), Failed>;
        type SerializeStructVariant = Impossible<(), Failed>;

        refuse! {
            serialize_bool(v: bool) -> ();
            serialize_i8(v: i8) -> ();
            serialize_i16(v: i16) -> ();
            serialize_i32(v: i32) -> ();
            serialize_i64(v: i64) -> ();
            serialize_u8(v: u8) -> ();
            serialize_u16(v: u16) -> ();
            serialize_u32(v: u32) -> ();
            serialize_u64(v: u64) -> ();
            serialize_f32(v: f32) -> ();
            serialize_f64(v: f64) -> ();
            serialize_char(v: char) -> ();
            serialize_str(v: &str) -> ();
            serialize_bytes(v: &[u8]) -> ();
            serialize_none() -> ();
            serialize_unit() -> ();
            serialize_unit_struct(name: &'static str) -> ();
            serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> ();
            serialize_tuple(len: usize) -> Self::SerializeTuple;
            serialize_tuple_struct(name: &'static str, len: usize) -> Self::SerializeTupleStruct;
            serialize_tuple_variant(
                name: &'static str, index: u32, variant: &'static str, len: usize
            ) -> Self::SerializeTupleVariant;
            serialize_map(len: Option<usize>) -> Self::SerializeMap;
            serialize_struct_variant(
                name: &'static str, index: u32, variant: &'static str, len: usize
            ) -> Self::SerializeStructVariant;
        }

        fn serialize_some<T: Serialize + ?Sized>(self, _value: &T) -> Result<(), Failed> {
            self.serialize_none()
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _name: &'static str,
            _value: &T,
        ) -> Result<(), Failed> {
            self.serialize_none()
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _value: &T,
        ) -> Result<(), Failed> {
            self.serialize_none()
        }
    };
}

impl<'a> Serializer for Fields<'a> {
    type SerializeSeq = Impossible<(), Failed>;
    type SerializeStruct = Fields<'a>;

    refuse_the_rest!();
    refuse! { serialize_seq(len: Option<usize>) -> Self::SerializeSeq; }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self, Failed> {
        Ok(self)
    }
}

impl<'a> Serializer for Epochs<'a> {
    type SerializeSeq = Epochs<'a>;
    type SerializeStruct = Impossible<(), Failed>;

    refuse_the_rest!();
    refuse! { serialize_struct(name: &'static str, len: usize) -> Self::SerializeStruct; }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self, Failed> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Epoch(u64, Vec<u8>, Vec<String>);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Secrets {
        max_epochs: usize,
        past_epoch_trees: Vec<Epoch>,
        message_secrets: Vec<u8>,
    }

    fn secrets(epochs: std::ops::Range<u64>) -> Secrets {
        let past = epochs.map(|number| Epoch(number, vec![1], vec!["member".into()])).collect();
        Secrets { max_epochs: 5, past_epoch_trees: past, message_secrets: vec![7; 9] }
    }

    #[test]
    fn the_parts_are_the_whole_and_an_epoch_that_stays_is_not_written_again() {
        let store = Store::default();
        assert_eq!(store.get_secrets::<Secrets>(), Ok(None));
        for epochs in [0..0, 0..1, 0..5, 1..6, 250..255, 254..259, 65_534..65_539] {
            let value = secrets(epochs);
            store.put_secrets(&value).unwrap();
            assert_eq!(store.get_secrets(), Ok(Some(value)));
        }
        store.take_changes();
        store.put_secrets(&secrets(65_535..65_540)).unwrap();
        let keys: Vec<Vec<u8>> = store.take_changes().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 2, "one epoch goes, one comes: {keys:?}");
        store.delete_secrets();
        assert_eq!(store.rows().len(), 0);
    }

    #[test]
    fn past_epochs_are_left_alone_while_only_the_current_one_changes() {
        let store = Store::default();
        let mut value = secrets(3..5);
        store.put_secrets(&value).unwrap();
        store.take_changes();
        store.current_epoch_only.set(true);
        value.message_secrets.push(1);
        store.put_secrets(&value).unwrap();
        assert_eq!(store.take_changes().len(), 1);
        assert_eq!(store.get_secrets(), Ok(Some(value)));
    }

    #[test]
    fn another_shape_is_refused_and_not_half_stored() {
        #[derive(Serialize)]
        struct Other {
            more: u8,
        }
        let store = Store::default();
        assert_eq!(store.put_secrets(&Other { more: 1 }), Err(Damaged));
        assert_eq!(store.put_secrets(&[1, 2, 3]), Err(Damaged));
        assert_eq!(store.put_secrets(&Some(3)), Err(Damaged));
        assert_eq!(store.rows().len(), 0);
    }
}

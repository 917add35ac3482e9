//! Writes an event as JSON: what `serde_json` would write, at half the cost, since names are known not to need escapes
//! and most texts do not need them either.

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer,
};
use serde_json::Error;

/// Appends one value to the bytes.
pub(super) struct Json<'o>(pub(super) &'o mut Vec<u8>);

/// A list or an object that is being written.
pub(super) struct Open<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
    end: u8,
}

/// Numbers are rare and not worth a way of their own.
macro_rules! as_serde_does {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            serde_json::to_writer(self.0, &value)
        })*
    };
}

impl<'o> Serializer for Json<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'o>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Open<'o>;
    type SerializeStruct = Open<'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    as_serde_does! {
        serialize_i8 i8,
        serialize_i16 i16,
        serialize_i32 i32,
        serialize_i64 i64,
        serialize_u8 u8,
        serialize_u16 u16,
        serialize_u32 u32,
        serialize_u64 u64,
        serialize_f32 f32,
        serialize_f64 f64,
        serialize_char char,
        serialize_bytes &[u8],
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.0.extend_from_slice(text);
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if needs_escapes(text.as_bytes()) {
            return serde_json::to_writer(self.0, text);
        }
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(unknown())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'o>, Error> {
        Ok(Open::new(self.0, b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(unknown())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(unknown())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(unknown())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'o>, Error> {
        Ok(Open::new(self.0, b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'o>, Error> {
        Ok(Open::new(self.0, b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(unknown())
    }
}

impl<'o> Open<'o> {
    fn new(out: &'o mut Vec<u8>, begin: u8, end: u8) -> Self {
        out.push(begin);
        Self {
            out,
            first: true,
            end,
        }
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
    }

    fn close(self) -> Result<(), Error> {
        self.out.push(self.end);
        Ok(())
    }
}

impl SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.next();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Json(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    /// No event has a map whose keys are not texts.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next();
        key.serialize(Json(self.out))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Json(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(Json(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

/// Looks at eight bytes at a time, the last eight twice where they do not come out even: texts are short.
fn needs_escapes(text: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below =
        |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word & (EACH << 7);
    let odd = |bytes: &[u8; 8]| {
        let word = u64::from_le_bytes(*bytes);
        let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
        below(word, 0x20) | is(b'"') | is(b'\\') != 0
    };
    if let Some(last) = text.last_chunk() {
        return text.as_chunks().0.iter().any(odd) || odd(last);
    }
    let mut padded = [b' '; 8];
    padded[..text.len()].copy_from_slice(text);
    odd(&padded)
}

/// A shape that nothing in an event has.
fn unknown() -> Error {
    Error::custom("a shape that no event has")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_is_written_as_serde_writes_it() {
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!([true, false, 0, -5, u64::MAX, 1.5, 1e300]),
            json!({"a": {"b": [[], {}]}, "c\"\n": "d"}),
            json!("plain"),
            json!(""),
            json!("größer \u{7f} \u{2028} 🎉"),
            json!("\" \\ / \u{8}\u{c}\n\r\t\u{0}\u{1f}"),
            json!([
                "1234567\"",
                "12345678\"",
                "\"12345678",
                "1234567\n890",
                "1234567",
                "é\u{1}"
            ]),
        ] {
            let mut out = Vec::new();
            value.serialize(Json(&mut out)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}

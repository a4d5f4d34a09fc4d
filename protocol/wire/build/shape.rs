//! Writes the shape of every message as a static table, for the check in `src/shape.rs`.

use std::error::Error;
use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Shapes are indexed by field number, and places by bit: both stay small.
const NUMBER_MAX: i32 = 63;

/// The shapes of all messages as Rust.
pub(crate) fn shapes(descriptors: &FileDescriptorSet) -> Outcome<String> {
    let mut code = String::new();
    for message in descriptors.file.iter().flat_map(|file| &file.message_type) {
        write_shape(&mut code, message)?;
    }
    Ok(code)
}

fn write_shape(code: &mut String, message: &DescriptorProto) -> Outcome<()> {
    if !message.nested_type.is_empty() {
        return Err(format!("{} has nested types, which shapes do not cover", message.name()).into());
    }
    let last = message.field.iter().map(FieldDescriptorProto::number).max().unwrap_or(0);
    if last > NUMBER_MAX {
        return Err(format!("{} has a field number above {NUMBER_MAX}", message.name()).into());
    }
    let name = message.name();
    let table = name.to_uppercase();
    writeln!(code, "impl Frame for proto::{name} {{\n    const SHAPE: &'static Shape = &{table};\n}}")?;
    writeln!(code, "static {table}: Shape = Shape {{ fields: &[")?;
    for number in 1..=last {
        match message.field.iter().find(|field| field.number() == number) {
            Some(field) => writeln!(code, "    {},", field_shape(field)?)?,
            None => writeln!(code, "    None,")?,
        }
    }
    writeln!(code, "] }};")?;
    Ok(())
}

fn field_shape(field: &FieldDescriptorProto) -> Outcome<String> {
    let kind = match field.r#type() {
        Type::Uint64 => "Kind::U64".to_owned(),
        Type::Uint32 => "Kind::U32".to_owned(),
        Type::Bool => "Kind::Bool".to_owned(),
        Type::Enum => "Kind::Enum".to_owned(),
        Type::Bytes => "Kind::Bytes".to_owned(),
        Type::String => "Kind::Text".to_owned(),
        Type::Message => {
            let name = field.type_name().rsplit('.').next().unwrap_or_default();
            format!("Kind::Message(&{})", name.to_uppercase())
        }
        other => return Err(format!("{} has a type without a shape: {other:?}", field.name()).into()),
    };
    // The members of a oneof share a place: two of them in one message are a duplicate.
    let place = match (field.label(), field.oneof_index) {
        (Label::Repeated, _)
            if !kind.contains("Bytes") && !kind.contains("Text") && !kind.contains("Message") =>
        {
            return Err(format!("{} is a repeated number, which shapes do not cover", field.name()).into());
        }
        (Label::Repeated, _) => "None".to_owned(),
        (_, Some(oneof)) => format!("Some({})", NUMBER_MAX - oneof),
        _ => format!("Some({})", field.number() - 1),
    };
    Ok(format!("Some(Field {{ kind: {kind}, place: {place} }})"))
}

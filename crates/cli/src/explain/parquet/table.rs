use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use std::io::{self, Write};
use std::sync::Arc;

/// A column. Those with `Option` may have no value in a row.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) values: Values,
}

#[derive(Debug)]
pub(super) enum Values {
    Flag(Vec<bool>),
    Count(Vec<i64>),
    OptionalCount(Vec<Option<i64>>),
    Real(Vec<f64>),
    Text(Vec<String>),
    OptionalText(Vec<Option<String>>),
}

impl Column {
    /// How a schema declares it.
    fn declaration(&self) -> String {
        let (kind, annotation) = match self.values {
            Values::Flag(_) => ("required boolean", ""),
            Values::Count(_) => ("required int64", ""),
            Values::OptionalCount(_) => ("optional int64", ""),
            Values::Real(_) => ("required double", ""),
            Values::Text(_) => ("required binary", " (STRING)"),
            Values::OptionalText(_) => ("optional binary", " (STRING)"),
        };
        format!("{kind} {}{annotation};", self.name)
    }

    fn write(self, mut out: SerializedColumnWriter<'_>) -> Result<()> {
        match self.values {
            Values::Flag(values) => all::<BoolType>(&mut out, &values),
            Values::Count(values) => all::<Int64Type>(&mut out, &values),
            Values::OptionalCount(values) => some::<Int64Type>(&mut out, values),
            Values::Real(values) => all::<DoubleType>(&mut out, &values),
            Values::Text(values) => {
                let values: Vec<ByteArray> = values.into_iter().map(|text| text.as_str().into()).collect();
                all::<ByteArrayType>(&mut out, &values)
            }
            Values::OptionalText(values) => {
                let values = values.into_iter().map(|text| text.map(|text| text.as_str().into()));
                some::<ByteArrayType>(&mut out, values.collect())
            }
        }?;
        out.close()
    }
}

fn all<T: DataType>(out: &mut SerializedColumnWriter<'_>, values: &[T::T]) -> Result<()> {
    out.typed::<T>().write_batch(values, None, None).map(drop)
}

fn some<T: DataType>(out: &mut SerializedColumnWriter<'_>, values: Vec<Option<T::T>>) -> Result<()> {
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    out.typed::<T>().write_batch(&values, Some(&levels), None).map(drop)
}

/// Writes a table whose rows are called `name`.
pub(super) fn write(out: &mut (impl Write + Send), name: &str, columns: Vec<Column>) -> io::Result<()> {
    let write = || -> Result<()> {
        let declarations: String = columns.iter().map(Column::declaration).collect();
        let schema = parse_message_type(&format!("message {name} {{ {declarations} }}"))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        let mut rows = file.next_row_group()?;
        for column in columns {
            let Some(out) = rows.next_column()? else { break };
            column.write(out)?;
        }
        rows.close()?;
        file.close().map(drop)
    };
    write().map_err(io::Error::other)
}

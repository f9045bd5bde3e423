//! gRPC with answers that are encoded already.

use bytes::{BufMut, Bytes};
use tonic::{
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    Status,
};
use yellowstone_grpc_proto::{prelude::SubscribeRequest, prost::Message};

/// What is written to the connection at a time, in bytes.
const AT_ONCE: usize = 256 * 1024;

/// An update in three parts, which protobuf takes for one message.
pub struct Encoded {
    /// The names of the filters that match.
    pub filters: Bytes,
    pub update: Bytes,
    pub created_at: Bytes,
}

#[derive(Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Encoded;
    type Decode = SubscribeRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Encoded;
    type Error = Status;

    fn encode(&mut self, item: Encoded, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let parts = [item.filters, item.update, item.created_at];
        out.reserve(parts.iter().map(Bytes::len).sum());
        for part in parts {
            out.put_slice(&part);
        }
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(AT_ONCE, AT_ONCE)
    }
}

impl Decoder for Raw {
    type Item = SubscribeRequest;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<SubscribeRequest>, Status> {
        let wrong = |error| Status::internal(format!("the request cannot be read: {error}"));
        SubscribeRequest::decode(from).map(Some).map_err(wrong)
    }
}

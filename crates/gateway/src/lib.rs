//! The guard's doors to the network: a strict reverse proxy, and the admin listener beside it.

mod admin;
mod client_stream;
mod connection;
mod connections;
mod deadline;
mod doors;
mod exchange;
mod forward;
mod handshake;
mod health;
mod http_date;
mod live;
mod metrics;
mod observer;
mod pool;
mod refusal;
mod relay;
mod repeats;
mod request_body;
mod request_id;
mod scratch;
mod server;
mod signals;
mod tls;
mod upload;
mod upstreams;
mod wire;
mod worker;

pub use live::Live;
pub use observer::Observer;
pub use refusal::preview;
pub use server::{Gateway, GatewayError, GatewayOptions};
pub use signals::{Signals, SignalsError, Wish};
pub use tls::{Tls, TlsError};
pub use upstreams::{Instance, Upstreams};

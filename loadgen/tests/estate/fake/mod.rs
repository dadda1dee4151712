//! A small server that speaks the native protocol and as much HTTP as a run needs, and that can lie.

mod house;
mod native;
mod web;

pub use house::{House, Lies};
pub use native::serve as serve_native;

use std::sync::Arc;
use tokio::net::TcpListener;

/// A fake that listens on loopback until the test's runtime ends.
pub struct Fake {
    pub intake: String,
    pub server: String,
}

impl Fake {
    pub async fn start(house: Arc<House>) -> Self {
        let intake = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            intake: intake.local_addr().unwrap().to_string(),
            server: format!("http://{}", web.local_addr().unwrap()),
        };
        let native_house = house.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = intake.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(native::serve(native_house.clone(), stream));
            }
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = web.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(web::serve(house.clone(), stream));
            }
        });
        fake
    }
}

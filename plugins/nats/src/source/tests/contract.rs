//! The contract of sources, in both ways of receiving.

use super::*;
use unifi_herald_plugin::testing::{SourceWorld, assert_source_contract};

struct World {
    server: Server,
    options: Value,
}

#[async_trait]
impl SourceWorld for World {
    async fn build(&mut self) -> Box<dyn Source> {
        Box::new(build(&self.server, &self.options))
    }

    async fn send(&mut self, payloads: &[String]) {
        let client = self.server.client(None).await;
        publish(&client, payloads.iter().cloned()).await;
    }

    async fn cut(&mut self) -> bool {
        self.server.restart("").await;
        true
    }
}

async fn keeps_the_contract(options: Value) {
    let server = Server::start().await;
    stream(&server.client(None).await).await;
    assert_source_contract(&mut World { server, options }).await;
}

#[tokio::test]
async fn what_a_stream_keeps_is_received_by_the_contract() {
    keeps_the_contract(kept()).await;
}

#[tokio::test]
async fn what_is_heard_is_received_by_the_contract() {
    keeps_the_contract(json!({})).await;
}

//! Health checks: every instance of the application is asked from time to time whether it is well.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use portcullis_guard::http1::{HeadBounds, Parsed, parse_response_head};
use portcullis_policy::{HealthCheck, Method};

use crate::live::Live;
use crate::upstreams::Instance;
use crate::worker::Shared;

/// How often the policy is looked at for whether there is anything to check.
const LOOK: Duration = Duration::from_secs(1);

/// Checks until the gateway drains.
pub(crate) async fn run(shared: Arc<Shared>, mut drained: watch::Receiver<bool>) {
    loop {
        let live = shared.live.load_full();
        let pause = match &live.settings.health {
            Some(check) => {
                check_all(&shared, &live, check).await;
                check.every
            }
            None => LOOK,
        };
        if timeout(pause, drained.changed()).await.is_ok() {
            return;
        }
    }
}

/// Asks all at once, so that one that hangs keeps no other from being asked.
async fn check_all(shared: &Arc<Shared>, live: &Arc<Live>, check: &HealthCheck) {
    let mut checks = JoinSet::new();
    for number in 0..live.upstreams.all().len() {
        let (shared, live, check) = (Arc::clone(shared), Arc::clone(live), check.clone());
        checks.spawn(async move {
            if let Some(instance) = live.upstreams.all().get(number) {
                check_one(&shared, instance, &check).await;
            }
        });
    }
    while checks.join_next().await.is_some() {}
}

async fn check_one(shared: &Shared, instance: &Instance, check: &HealthCheck) {
    let passed = matches!(
        timeout(check.timeout, is_well(instance, check)).await,
        Ok(Ok(true))
    );
    let (fails, passes) = (check.fails.get(), check.passes.get());
    if instance.saw(passed, u32::from(fails), u32::from(passes)) {
        shared.observer.upstream_changed(instance, passed);
    }
}

/// Whether an instance answers the check with a status of success or redirection.
async fn is_well(instance: &Instance, check: &HealthCheck) -> io::Result<bool> {
    let mut stream = instance.open().await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: portcullis-health\r\nConnection: close\r\n\r\n",
        check.path, instance.address.host
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Ok(false);
        }
        match parse_response_head(&answer, &HeadBounds::STANDARD, Method::Get) {
            Ok(Parsed::Complete { head, .. }) => return Ok((200..400).contains(&head.status())),
            Ok(Parsed::Incomplete) => {}
            Err(_malformed) => return Ok(false),
        }
    }
}

//! What an intent costs on the disk of a folder, alone and with others waiting: `trail_cost FOLDER`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_state::SystemClock;
use portcullis_state::trail::{Trail, TrailOptions, TrailRecord};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let clock = SystemClock::start();
    let trail = Arc::new(Trail::open(TrailOptions {
        folder: PathBuf::from(folder),
        signing_key: None,
        checkpoints: None,
        clock,
        told: Arc::new(|_| {}),
    })?);
    for waiting in [1, 8, 64, 256] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let times = runtime.block_on(measured(&trail, clock, waiting));
        let mut times = times?;
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0) / 1_000;
        writeln!(
            io::stdout(),
            "{waiting:>4} waiting: median {} us, p95 {} us, max {} us",
            at(50),
            at(95),
            times.last().copied().unwrap_or(0) / 1_000
        )?;
    }
    writeln!(io::stdout(), "{:?}", trail.close())?;
    Ok(())
}

/// How long each intent took, in nanoseconds, with so many at a time.
async fn measured(
    trail: &Arc<Trail>,
    clock: SystemClock,
    waiting: usize,
) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let local = tokio::task::LocalSet::new();
    let mut tasks = Vec::new();
    for _ in 0..waiting {
        let trail = Arc::clone(trail);
        tasks.push(local.spawn_local(async move {
            let mut times = Vec::new();
            for _ in 0..50 {
                let record = TrailRecord::intent()
                    .request("0a1b2c3d4e5f")
                    .user("user_1", trail.names())
                    .action(Some(portcullis_policy::Method::Delete), "/items/{id}")
                    .target("id", "17", trail.names());
                let started = clock.monotonic();
                let intent = trail
                    .intent(record)
                    .await
                    .map_err(|error| error.to_string())?;
                times.push(clock.monotonic() - started);
                intent.outcome(204);
            }
            Ok::<_, String>(times)
        }));
    }
    let joined = async {
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.map_err(|error| error.to_string())??);
        }
        Ok::<_, String>(all)
    };
    Ok(local.run_until(joined).await?)
}

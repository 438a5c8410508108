#![cfg(test)]
//! Every interleaving of the store's locks. Run by
//! `RUSTFLAGS="--cfg portcullis_loom" cargo test -p portcullis-state --test loom --release`.

#[cfg(portcullis_loom)]
mod interleavings {
    use std::convert::Infallible;

    use loom::sync::Arc;
    use loom::thread;
    use portcullis_state::store::shards::{Held, Shards};

    /// Two buckets in two shards; each admits `LIMIT`.
    type Buckets = Shards<u32>;
    const LIMIT: u32 = 2;

    fn buckets() -> Arc<Buckets> {
        Arc::new(Shards::new(2, || 0))
    }

    /// Counts one in each of the places, if all admit it, as the store in memory does.
    fn count(buckets: &Buckets, places: [usize; 2]) -> bool {
        let mut held = buckets.hold(places).unwrap();
        let mut asks = places;
        let check = |held: &mut Held<'_, u32>, place: &mut usize| {
            Ok::<_, Infallible>(*held.part(*place).unwrap() < LIMIT)
        };
        let admit = |held: &mut Held<'_, u32>, place: &mut usize| {
            *held.part(*place).unwrap() += 1;
            Ok(())
        };
        held.all_or_none(&mut asks, check, admit).unwrap()
    }

    fn counted(buckets: &Buckets, place: usize) -> u32 {
        buckets.with(place, |count| *count).unwrap()
    }

    #[test]
    fn three_threads_count_two_buckets_in_any_order() {
        loom::model(|| {
            let buckets = buckets();
            let threads: Vec<_> = [[0, 1], [1, 0], [0, 1]]
                .into_iter()
                .map(|places| {
                    let buckets = Arc::clone(&buckets);
                    thread::spawn(move || count(&buckets, places))
                })
                .collect();
            let admitted = threads
                .into_iter()
                .map(|thread| u32::from(thread.join().unwrap()))
                .sum::<u32>();
            assert_eq!(admitted, LIMIT);
            assert_eq!((counted(&buckets, 0), counted(&buckets, 1)), (LIMIT, LIMIT));
        });
    }

    #[test]
    fn nobody_sees_one_bucket_counted_and_the_other_not() {
        loom::model(|| {
            let buckets = buckets();
            let writers: Vec<_> = [[0, 1], [1, 0]]
                .into_iter()
                .map(|places| {
                    let buckets = Arc::clone(&buckets);
                    thread::spawn(move || count(&buckets, places))
                })
                .collect();
            {
                let mut held = buckets.hold([1, 0, 1]).unwrap();
                let both = [0, 1].map(|place| *held.part(place).unwrap());
                assert_eq!(both[0], both[1]);
            }
            for writer in writers {
                assert!(writer.join().unwrap());
            }
        });
    }

    #[test]
    fn a_bucket_that_refuses_keeps_the_other_uncounted() {
        loom::model(|| {
            let buckets: Arc<Buckets> = Arc::new(Shards::new(4, || 0));
            buckets.with(1, |count| *count = LIMIT - 1).unwrap();
            let [first, second] = [[0, 1], [2, 1]].map(|places| {
                let buckets = Arc::clone(&buckets);
                thread::spawn(move || count(&buckets, places))
            });
            let (first, second) = (first.join().unwrap(), second.join().unwrap());
            assert!(
                first != second,
                "one is left, and whoever comes first has it"
            );
            assert_eq!(counted(&buckets, 0), u32::from(first));
            assert_eq!(counted(&buckets, 2), u32::from(second));
            assert_eq!(counted(&buckets, 1), LIMIT);
        });
    }
}

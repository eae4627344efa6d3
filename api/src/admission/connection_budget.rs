//! How the database pool is divided between the kinds of work that use it.

/// The shares of one connection pool, in connections.
///
/// Each share bounds how many connections one kind of work holds at once, so that no kind can keep the others waiting.
///
/// * A pool of five or more: the shares sum to at most the pool.
/// * A pool of six or more: at least one connection is in no share. Short single statements use it: the readiness probe, the
///   renewal of leases, the schedule, the metrics.
/// * A pool of fewer than five: every share is one, since each kind of work has to go on. They compete for the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionBudget {
    /// Queries: one connection each, and more for reads that can be made at once.
    pub(crate) queries: usize,
    /// Mutations, which may wait for locks: one connection each.
    pub(crate) mutations: usize,
    /// Events of subscriptions: one connection for each event that is resolved.
    pub(crate) events: usize,
    /// Lookups of access tokens that are not cached: one connection each.
    pub(crate) lookups: usize,
    /// Cleanup runs: one connection for each run's batch. Its lease is renewed over the connection that is in no share, by
    /// one statement every few seconds.
    pub(crate) runs: usize,
}

impl ConnectionBudget {
    /// Divides a pool of so many connections.
    ///
    /// Mutations get three sixteenths, events and runs an eighth each, lookups a sixteenth, each at least one. Queries get
    /// half of the pool, or what the others and the spare connection leave of it.
    pub(crate) fn new(pool: u32) -> Self {
        let pool = usize::try_from(pool).unwrap_or(usize::MAX);
        let sixteenths = |count: usize| (pool / 16 * count + pool % 16 * count / 16).max(1);
        let (mutations, events, lookups, runs) = (sixteenths(3), sixteenths(2), sixteenths(1), sixteenths(2));
        let rest = pool.saturating_sub(mutations + events + lookups + runs + SPARE);
        Self { queries: rest.min(pool / 2).max(1), mutations, events, lookups, runs }
    }

    /// The most queries of one client at once: half of all, so that others need not wait for them.
    pub(crate) const fn queries_per_client(&self) -> usize {
        self.queries.div_ceil(2)
    }

    /// The most mutations of one client that wait for locks at once: half of all.
    pub(crate) const fn mutations_per_client(&self) -> usize {
        self.mutations.div_ceil(2)
    }
}

/// The connections that are in no share.
const SPARE: usize = 1;

#[cfg(test)]
mod tests {
    use super::ConnectionBudget;

    fn sum(budget: ConnectionBudget) -> usize {
        let ConnectionBudget { queries, mutations, events, lookups, runs } = budget;
        queries + mutations + events + lookups + runs
    }

    /// Every pool up to well beyond what a server is given, and a few absurd ones.
    fn pools() -> impl Iterator<Item = u32> {
        (0..=20_000).chain([100_000, 1_000_003, u32::MAX - 1, u32::MAX])
    }

    #[test]
    fn the_shares_sum_to_at_most_the_pool() {
        for pool in pools().filter(|pool| *pool >= 5) {
            assert!(sum(ConnectionBudget::new(pool)) <= pool as usize, "{pool}");
        }
    }

    #[test]
    fn a_connection_is_left_over_where_the_pool_allows_it() {
        for pool in pools().filter(|pool| *pool >= 6) {
            assert!(sum(ConnectionBudget::new(pool)) < pool as usize, "{pool}");
        }
    }

    #[test]
    fn every_share_is_at_least_one_and_exactly_one_in_a_small_pool() {
        let ones = ConnectionBudget { queries: 1, mutations: 1, events: 1, lookups: 1, runs: 1 };
        for pool in pools() {
            let ConnectionBudget { queries, mutations, events, lookups, runs } = ConnectionBudget::new(pool);
            assert!([queries, mutations, events, lookups, runs].iter().all(|share| *share >= 1), "{pool}");
        }
        for pool in 0..=6 {
            assert_eq!(ConnectionBudget::new(pool), ones, "{pool}");
        }
    }

    #[test]
    fn queries_have_near_half_of_the_pool() {
        for pool in pools().filter(|pool| *pool >= 9) {
            let queries = ConnectionBudget::new(pool).queries;
            let pool = pool as usize;
            assert!(queries * 20 >= pool * 8 && queries * 2 <= pool, "{queries} of {pool}");
        }
    }

    #[test]
    fn a_larger_pool_makes_no_share_smaller() {
        for pool in 0..20_000 {
            let (small, large) = (ConnectionBudget::new(pool), ConnectionBudget::new(pool + 1));
            assert!(small.queries <= large.queries && small.mutations <= large.mutations, "{pool}");
            assert!(small.events <= large.events && small.lookups <= large.lookups, "{pool}");
            assert!(small.runs <= large.runs, "{pool}");
        }
    }

    #[test]
    fn one_client_leaves_room_for_others() {
        for pool in pools() {
            let budget = ConnectionBudget::new(pool);
            assert!(budget.queries == 1 || budget.queries_per_client() < budget.queries, "{pool}");
            assert!(budget.mutations == 1 || budget.mutations_per_client() < budget.mutations, "{pool}");
        }
    }

    #[test]
    fn the_default_pool_is_divided_as_documented() {
        let expected = ConnectionBudget { queries: 7, mutations: 3, events: 2, lookups: 1, runs: 2 };
        assert_eq!(ConnectionBudget::new(16), expected);
        assert_eq!((expected.queries_per_client(), expected.mutations_per_client()), (4, 2));
    }
}

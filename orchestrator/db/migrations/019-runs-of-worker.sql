-- The runs that a worker has had: a dispatched one takes no second.
create index run_worker on run (worker);

// The reader's lease: while it is renewed, placement gives this reader videos. Control loop only.
#pragma once

struct reader;

// Renews it immediately, and then every READER_LEASE_EVERY_MS.
void reader_lease_start(struct reader *);

// Renews it now, because it has something else to say.
void reader_lease_renew(struct reader *);

// Stops renewing it, so that it lapses.
void reader_lease_abandon(struct reader *);

// Gives the lease up.
void reader_lease_drop(struct reader *);

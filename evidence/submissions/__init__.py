"""Documents that clients push: received in a stream, sealed, answered with a signed receipt, and read by a worker."""

//! The I/O of the controller side: TLS, HTTP, the socket, and the driver that asks `unifi` what to do next.

//! The whole host against simulated controllers, over real TLS with real logins.

mod alerts;
mod delivery;
mod exec;
mod first_push;
mod former_alerts;
mod half_open;
mod heartbeat;
mod hostile;
mod manual;
mod newcomers;
mod readme;
mod reload;
mod repair;
mod sinks;
mod storage;
mod timers;
mod trouble;

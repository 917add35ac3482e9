//! All integration tests, in one binary so that linking happens once.

mod control;
mod e2e;
mod house;
mod support;

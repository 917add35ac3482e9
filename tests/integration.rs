//! All integration tests, in one binary so that linking happens once.

mod e2e;
mod house;
mod support;

//! Whole configurations over days of virtual time: what happens, and who is told what.

mod office;
mod quiet;
mod recipes;
mod timeline;

//! A test kit for plugins.

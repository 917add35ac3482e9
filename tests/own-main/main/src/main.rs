//! Somebody else's herald: the built-in plugins and two more.

fn main() -> std::process::ExitCode {
    let plugins = unifi_herald::builtin().sink::<spool::Spool>();
    unifi_herald::cli(plugins.filter::<spool::Number>())
}

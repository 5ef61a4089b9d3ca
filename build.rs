//! The bundled suites' apps are part of the binary, and cargo does not see that by itself.
fn main() {
    println!("cargo:rerun-if-changed=scenarios");
}

//! How the payload is linked: alone, and where `link.ld` says.

fn main() {
    let script = format!("{}/link.ld", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed={script}");
    for argument in ["-nostdlib", "-static", "-Wl,--build-id=none", &format!("-Wl,-T,{script}")] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}

//! bindgen MODULE FOLDER: writes the module without what only the tool reads, kemstone_bg.wasm, and kemstone.js for it.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder] = &arguments[..] else { return Err("usage: bindgen MODULE FOLDER".into()) };
    Bindgen::new()
        .input_path(module)
        .out_name("kemstone")
        .web(true)?
        .omit_default_module_path(true)
        // Users have js/index.d.ts.
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)?;
    Ok(())
}

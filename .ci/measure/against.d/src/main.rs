//! All of it is in the library, so that another link order compiles nothing but this.

fn main() {
    against::main();
}

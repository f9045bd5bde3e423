#[path = "../idl.rs"]
mod idl;

fn main() {
    idl::write();
}

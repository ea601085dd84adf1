//! See `recipe`; what it is compiled for.

pub mod recipe;

#[test]
fn both_sides_have_the_same_secret() {
    let (client, init) = recipe::Client::start().expect("randomness");
    let (reply, k) = recipe::answer(&init).expect("a good key");
    assert_eq!((init.len(), reply.len()), (1216, 1120));
    assert_eq!(client.finish(&reply).expect("a good reply"), k);
    let zero = [&init[..1184], &[0; 32]].concat();
    assert!(recipe::answer(&zero).is_err() && recipe::answer(&init[1..]).is_err());
    let (client, _) = recipe::Client::start().expect("randomness");
    assert!(client.finish(&reply[1..]).is_err());
}

#[test]
fn the_page_shows_what_is_compiled() {
    let page = include_str!("../../../../docs/recipes.md");
    assert!(page.contains(&format!("```rust\n{}```", include_str!("recipe.rs"))));
}

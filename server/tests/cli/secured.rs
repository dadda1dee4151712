//! Servers that ask who calls.

use crate::support::Home;

#[test]
fn a_token_opens_what_its_role_allows_and_nothing_else() {
    let home = Home::new();
    let token = |role: &str| {
        let made = home.run(["token", "--role", role, "--name", role, "--file", "tokens.toml"]).exits(0);
        made.out.trim().to_owned()
    };
    let (forwarder, viewer) = (token("forwarder"), token("viewer"));
    let server = home.serve("[security]\ntokens_file = 'tokens.toml'\n");
    let url = server.url.as_str();
    home.write("sample", b"content");
    let missing = home.run(["--server", url, "quota"]).exits(4);
    assert!(missing.err.contains("--token"), "{}", missing.err);
    home.run(["--server", url, "--token", "wrong", "quota"]).exits(4);
    home.run(["--server", url, "--token", &viewer, "quota"]).exits(0);
    home.run(["--server", url, "--token", &viewer, "put", "sample"]).exits(4);
    for outcome in ["stored", "duplicate"] {
        let put = home.run(["--server", url, "--token", &forwarder, "--json", "put", "sample"]).exits(0).value();
        assert_eq!(put["outcome"], outcome);
    }
    home.run(["--server", url, "--token", &forwarder, "items", "list"]).exits(4);
    let id = home.run(["--server", url, "--token", &viewer, "--json", "items", "list"]).exits(0).lines()[0]["id"]
        .to_string();
    home.run(["--server", url, "--token", &viewer, "items", "restore", &id, "--to", "back"]).exits(4);
    assert!(!home.path("back").exists());
}

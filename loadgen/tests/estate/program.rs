//! The built program against the fake server: exit codes and files.

use crate::fake::{Fake, House, Lies};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

/// A profile file of a fifth of a second, so that no test waits for a real one.
fn profile(folder: &Path) -> String {
    let text = include_str!("../../profiles/steady.toml")
        .replace("duration_s = 30", "duration_s = 0.2")
        .replace("warm_up_s = 5", "warm_up_s = 0")
        .replace("drain_s = 10", "drain_s = 2");
    let path = folder.join("short.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn loadgen(arguments: Vec<String>) -> Output {
    let command = move || Command::new(env!("CARGO_BIN_EXE_loadgen")).args(arguments).output().unwrap();
    tokio::task::spawn_blocking(command).await.unwrap()
}

async fn against(lies: Lies, folder: &Path) -> Output {
    let fake = Fake::start(Arc::new(House::new(lies, 1 << 40))).await;
    let out = folder.join("result").to_str().unwrap().to_owned();
    let profile = profile(folder);
    let words =
        ["run", &profile, "--server", &fake.server, "--intake", &fake.intake, "--verify-all", "--out", &out, "--json"];
    loadgen(words.map(str::to_owned).to_vec()).await
}

#[tokio::test]
async fn a_good_run_exits_0_and_leaves_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let output = against(Lies::default(), folder.path()).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kept = std::fs::read(folder.path().join("result/result.json")).unwrap();
    assert_eq!(printed, serde_json::from_slice::<serde_json::Value>(&kept).unwrap());
    assert_eq!(printed["conservation"]["ok"], true);
    for name in ["response.hgrm", "service.hgrm", "interval.hlog", "timeseries.csv", "report.html", "env.json"] {
        assert!(folder.path().join("result").join(name).exists(), "{name}");
    }
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_run_that_lost_an_item_exits_1() {
    let folder = tempfile::tempdir().unwrap();
    let output = against(Lies { lose: Some(3), ..Lies::default() }, folder.path()).await;
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_server_that_is_not_there_exits_3_and_a_profile_that_is_not_there_2() {
    let away = loadgen(vec!["run".into(), "steady".into(), "--server".into(), "http://127.0.0.1:1".into()]).await;
    assert_eq!(away.status.code(), Some(3), "{}", String::from_utf8_lossy(&away.stderr));
    let unknown = loadgen(vec!["run".into(), "stedy".into()]).await;
    assert_eq!(unknown.status.code(), Some(2));
}

#[tokio::test]
async fn the_list_names_every_profile() {
    let output = loadgen(vec!["list".into()]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("steady ") && text.contains("\nquota-cliff ") && text.contains("\nretest "), "{text}");
}

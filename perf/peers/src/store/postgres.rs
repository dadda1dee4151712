//! PostgreSQL, started on a folder of its own, over its Unix socket. A few connections, each with
//! natural group commit: a batch is one prepared statement and so one transaction and one sync.

use super::Store;
use crate::group::Group;
use crate::pack::Packed;
use crate::server::Server;
use anyhow::{Context, Result};
use postgres::{Client, NoTls};
use std::path::Path;
use workload::postgres::{USER, prepared, programs};

/// Backends work in parallel, one batch each: as many as the machine of reference has cores.
const CONNECTIONS: usize = 2;

pub struct Postgres {
    groups: Vec<Group>,
    server: Server,
}

impl Store for Postgres {
    fn open(dir: &Path) -> Result<Self> {
        let programs = programs()?;
        let dir = std::path::absolute(dir)?;
        let command = prepared(&programs, &dir).context("cannot make a cluster")?;
        let connect = || client(&dir);
        let (server, mut first) = Server::start(command, &dir.join("postgres.log"), connect)?;
        // Sealed values do not compress, so the table is told not to try.
        first.batch_execute(
            "CREATE TABLE sample (digest bytea NOT NULL, value bytea NOT NULL);
             ALTER TABLE sample ALTER value SET STORAGE EXTERNAL;",
        )?;
        let groups = (0..CONNECTIONS).map(|_| group(connect()?)).collect::<Result<_>>()?;
        Ok(Self { groups, server })
    }

    fn put(&self, packed: Packed) -> Result<()> {
        self.groups[usize::from(packed.digest[0]) % self.groups.len()].put(packed)
    }

    fn server(&self) -> Option<u32> {
        Some(self.server.pid())
    }

    fn close(self) -> Result<()> {
        for group in self.groups {
            group.close()?;
        }
        // SIGINT is its fast shutdown.
        self.server.stop("-INT")
    }
}

fn group(mut client: Client) -> Result<Group> {
    let insert = client.prepare("INSERT INTO sample SELECT * FROM unnest($1::bytea[], $2::bytea[])")?;
    Ok(Group::start(move |batch| {
        let digests: Vec<&[u8]> = batch.iter().map(|packed| packed.digest.as_slice()).collect();
        let values: Vec<&[u8]> = batch.iter().map(|packed| packed.value.as_slice()).collect();
        client.execute(&insert, &[&digests, &values])?;
        Ok(())
    }))
}

fn client(socket_dir: &Path) -> Result<Client> {
    Ok(postgres::Config::new().host_path(socket_dir).user(USER).dbname("postgres").connect(NoTls)?)
}

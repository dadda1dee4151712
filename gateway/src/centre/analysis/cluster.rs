//! Groups of similar samples.
//!
//! 1. A sample joins the group of the nearest representative that is of its family, or opens a group.
//! 2. A group keeps at most [`limits::REPRESENTATIVES_MAX`] samples' features, and never gives one up, so it cannot
//!    wander away from what opened it.
//! 3. The same samples in the same order make the same groups, also when the state was stored in between.
//!
//! Two groups that a later sample would join stay two: a signature is extracted for each. [`Clusters::rebuild`] with
//! the samples in another order is how they become one.

use super::features::Features;
use super::index::Index;
use super::limits;
use super::similarity::{Similarity, similarity};

/// A sample that is nearer than this to a representative adds nothing by being one too.
const SAME_PER_MILLE: u32 = 900;

/// The number of a group: the first is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ClusterId(pub u32);

/// All groups. What is stored is the groups; the index is made from them.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Cluster>", into = "Vec<Cluster>")]
pub struct Clusters {
    index: Index,
    /// Representatives of all groups together.
    kept: usize,
    clusters: Vec<Cluster>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Cluster {
    members: u64,
    representatives: Vec<Features>,
}

/// Why stored groups cannot be used. They are then rebuilt from the features of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClustersError {
    /// More representatives than the bound.
    #[error("{found} representatives of all groups are more than {}", limits::KEPT_SAMPLES_MAX)]
    Kept {
        /// How many there are.
        found: usize,
    },
    /// A group without or with too many representatives.
    #[error("group {cluster} has {found} representatives, not 1 to {}", limits::REPRESENTATIVES_MAX)]
    Representatives {
        /// Which group.
        cluster: usize,
        /// How many it has.
        found: usize,
    },
}

impl Clusters {
    /// No groups.
    #[must_use]
    pub fn new() -> Clusters {
        Clusters::default()
    }

    /// Puts a sample in its group and says which that is; `None` when a new group is needed and
    /// [`limits::KEPT_SAMPLES_MAX`] samples are kept already. O(k log n) in the number of groups, and at most 256
    /// comparisons.
    pub fn place(&mut self, features: Features) -> Option<ClusterId> {
        match self.nearest(&features) {
            Some((id, near)) => {
                self.join(id, features, near);
                Some(id)
            }
            None => self.open(features),
        }
    }

    /// The group that a sample would join; it joins none. O(k log n).
    #[must_use]
    pub fn find(&self, features: &Features) -> Option<ClusterId> {
        self.nearest(features).map(|(id, _)| id)
    }

    /// Groups made anew from all samples, and the group of each, in their order.
    pub fn rebuild(samples: impl IntoIterator<Item = Features>) -> (Clusters, Vec<Option<ClusterId>>) {
        let mut clusters = Clusters::new();
        let ids = samples.into_iter().map(|features| clusters.place(features)).collect();
        (clusters, ids)
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clusters.len()
    }

    /// Whether there is no group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// How many samples were put in a group; 0 for a group that does not exist.
    #[must_use]
    pub fn members(&self, id: ClusterId) -> u64 {
        self.clusters.get(id.0 as usize).map_or(0, |cluster| cluster.members)
    }

    fn nearest(&self, features: &Features) -> Option<(ClusterId, Similarity)> {
        let mut nearest: Option<(ClusterId, Similarity)> = None;
        for id in self.index.candidates(features) {
            let cluster = self.clusters.get(id as usize);
            for representative in cluster.iter().flat_map(|cluster| &cluster.representatives) {
                let near = similarity(features, representative);
                let is_nearer = nearest.as_ref().is_none_or(|(_, best)| near.rank() > best.rank());
                if near.is_family() && is_nearer {
                    nearest = Some((ClusterId(id), near));
                }
            }
        }
        nearest
    }

    fn join(&mut self, id: ClusterId, features: Features, near: Similarity) {
        let cluster = &mut self.clusters[id.0 as usize];
        cluster.members += 1;
        let is_same = near.resemblance_per_mille >= SAME_PER_MILLE;
        let has_room = cluster.representatives.len() < limits::REPRESENTATIVES_MAX;
        if !is_same && has_room && self.kept < limits::KEPT_SAMPLES_MAX {
            self.kept += 1;
            self.index.add(&features, id.0);
            cluster.representatives.push(features);
        }
    }

    fn open(&mut self, features: Features) -> Option<ClusterId> {
        let id = u32::try_from(self.clusters.len()).ok().filter(|_| self.kept < limits::KEPT_SAMPLES_MAX)?;
        self.kept += 1;
        self.index.add(&features, id);
        self.clusters.push(Cluster { members: 1, representatives: vec![features] });
        Some(ClusterId(id))
    }
}

impl TryFrom<Vec<Cluster>> for Clusters {
    type Error = ClustersError;

    fn try_from(clusters: Vec<Cluster>) -> Result<Clusters, ClustersError> {
        let kept = clusters.iter().map(|cluster| cluster.representatives.len()).sum();
        if kept > limits::KEPT_SAMPLES_MAX {
            return Err(ClustersError::Kept { found: kept });
        }
        let mut index = Index::default();
        for (id, cluster) in clusters.iter().enumerate() {
            let found = cluster.representatives.len();
            if !(1..=limits::REPRESENTATIVES_MAX).contains(&found) {
                return Err(ClustersError::Representatives { cluster: id, found });
            }
            cluster.representatives.iter().for_each(|features| index.add(features, id as u32));
        }
        Ok(Clusters { index, kept, clusters })
    }
}

impl From<Clusters> for Vec<Cluster> {
    fn from(clusters: Clusters) -> Vec<Cluster> {
        clusters.clusters
    }
}

#[cfg(test)]
mod tests {
    use super::super::families::{Family, Kind, corpus, goodware, program};
    use super::*;

    /// Samples of all families and strangers, interleaved, each with the number of its family.
    fn shuffled() -> Vec<(usize, Vec<u8>)> {
        let families: Vec<Family> = Kind::ALL.iter().map(|kind| Family::new(*kind, &format!("{kind:?}"))).collect();
        let mut samples = Vec::new();
        for member in 0..40 {
            for (family, maker) in families.iter().enumerate() {
                samples.push((family, maker.infected(member)));
            }
            samples.push((1000 + member, program(&format!("stranger {member}"))));
        }
        samples
    }

    #[test]
    fn the_groups_are_exactly_the_families() {
        let goodware = goodware(&corpus());
        let samples = shuffled();
        let placed = samples.iter().map(|(_, bytes)| Features::beyond(bytes, &goodware));
        let (clusters, ids) = Clusters::rebuild(placed);
        for (one, (family, _)) in samples.iter().enumerate() {
            for (other, (relative, _)) in samples[..one].iter().enumerate() {
                assert_eq!(
                    family == relative,
                    ids[one] == ids[other],
                    "samples {one} and {other}, {family} {relative}"
                );
            }
        }
        assert_eq!(clusters.len(), Kind::ALL.len() + 40);
        assert_eq!(clusters.members(ClusterId(0)), 40);
    }

    #[test]
    fn groups_that_were_stored_go_on_as_those_that_were_not() -> Result<(), Box<dyn std::error::Error>> {
        let features: Vec<Features> = shuffled().iter().map(|(_, bytes)| Features::of(bytes)).collect();
        let (kept, ids) = Clusters::rebuild(features.clone());
        let (half, _) = Clusters::rebuild(features[..120].to_vec());
        let mut restored: Clusters = serde_json::from_str(&serde_json::to_string(&half)?)?;
        let later: Vec<_> = features[120..].iter().map(|features| restored.place(features.clone())).collect();
        assert_eq!(later, ids[120..]);
        assert_eq!(serde_json::to_string(&restored)?, serde_json::to_string(&kept)?);
        Ok(())
    }

    #[test]
    fn stored_groups_without_representatives_are_refused() {
        let stored = r#"[{"members":1,"representatives":[]}]"#;
        assert!(serde_json::from_str::<Clusters>(stored).is_err());
    }

    #[test]
    fn samples_with_nothing_to_compare_stay_alone() {
        let (clusters, _) = Clusters::rebuild([Features::of(b""), Features::of(&[0; 5000])]);
        assert_eq!(clusters.len(), 2);
    }
}

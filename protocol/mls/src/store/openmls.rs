//! Gives OpenMLS its values from the rows of one group. The group id is in no key: a store holds one
//! group only.

use openmls_traits::storage::{CURRENT_VERSION, Key, StorageProvider, traits};

use super::{Damaged, Store, row};

const V: u16 = CURRENT_VERSION;

fn key(label: u8, parts: &impl Key<V>) -> Result<Vec<u8>, Damaged> {
    let mut key = vec![label];
    rmp_serde::encode::write(&mut key, parts).map_err(|_| Damaged)?;
    Ok(key)
}

fn epoch_key(epoch: &impl Key<V>, leaf_index: u32) -> Result<Vec<u8>, Damaged> {
    let mut key = key(row::EPOCH_KEYS, epoch)?;
    key.extend_from_slice(&leaf_index.to_be_bytes());
    Ok(key)
}

/// A value of which a group has one.
macro_rules! one {
    ($label:ident, $Value:ident, $write:ident, $read:ident, $delete:ident) => {
        fn $write<G: traits::GroupId<V>, T: traits::$Value<V>>(
            &self,
            _group: &G,
            value: &T,
        ) -> Result<(), Damaged> {
            self.put(vec![row::$label], value)
        }

        fn $read<G: traits::GroupId<V>, T: traits::$Value<V>>(
            &self,
            _group: &G,
        ) -> Result<Option<T>, Damaged> {
            self.get(&[row::$label])
        }

        fn $delete<G: traits::GroupId<V>>(&self, _group: &G) -> Result<(), Damaged> {
            self.delete(&[row::$label]);
            Ok(())
        }
    };
}

/// A value that is found by a key of its own.
macro_rules! keyed {
    ($label:ident, $Key:ident, $Value:ident, $write:ident, $delete:ident) => {
        fn $write<K: traits::$Key<V>, T: traits::$Value<V>>(&self, id: &K, value: &T) -> Result<(), Damaged> {
            self.put(key(row::$label, id)?, value)
        }

        fn $delete<K: traits::$Key<V>>(&self, id: &K) -> Result<(), Damaged> {
            Store::delete(self, &key(row::$label, id)?);
            Ok(())
        }
    };
}

impl StorageProvider<V> for Store {
    type Error = Damaged;

    one!(JOIN_CONFIG, MlsGroupJoinConfig, write_mls_join_config, mls_group_join_config, delete_group_config);
    one!(TREE, TreeSync, write_tree, tree, delete_tree);
    one!(CONTEXT, GroupContext, write_context, group_context, delete_context);
    one!(
        INTERIM_HASH,
        InterimTranscriptHash,
        write_interim_transcript_hash,
        interim_transcript_hash,
        delete_interim_transcript_hash
    );
    one!(
        CONFIRMATION_TAG,
        ConfirmationTag,
        write_confirmation_tag,
        confirmation_tag,
        delete_confirmation_tag
    );
    one!(
        RESUMPTION_PSK,
        ResumptionPskStore,
        write_resumption_psk_store,
        resumption_psk_store,
        delete_all_resumption_psk_secrets
    );
    one!(OWN_LEAF_INDEX, LeafNodeIndex, write_own_leaf_index, own_leaf_index, delete_own_leaf_index);
    one!(
        EPOCH_SECRETS,
        GroupEpochSecrets,
        write_group_epoch_secrets,
        group_epoch_secrets,
        delete_group_epoch_secrets
    );

    keyed!(
        SIGNATURE_KEY,
        SignaturePublicKey,
        SignatureKeyPair,
        write_signature_key_pair,
        delete_signature_key_pair
    );
    keyed!(ENCRYPTION_KEY, EncryptionKey, HpkeKeyPair, write_encryption_key_pair, delete_encryption_key_pair);
    keyed!(KEY_PACKAGE, HashReference, KeyPackage, write_key_package, delete_key_package);
    keyed!(PSK, PskId, PskBundle, write_psk, delete_psk);

    fn write_message_secrets<G: traits::GroupId<V>, T: traits::MessageSecrets<V>>(
        &self,
        _group: &G,
        secrets: &T,
    ) -> Result<(), Damaged> {
        self.put_secrets(secrets)
    }

    fn message_secrets<G: traits::GroupId<V>, T: traits::MessageSecrets<V>>(
        &self,
        _group: &G,
    ) -> Result<Option<T>, Damaged> {
        self.get_secrets()
    }

    fn delete_message_secrets<G: traits::GroupId<V>>(&self, _group: &G) -> Result<(), Damaged> {
        self.delete_secrets();
        Ok(())
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        id: &K,
    ) -> Result<Option<T>, Damaged> {
        self.get(&key(row::SIGNATURE_KEY, id)?)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        id: &K,
    ) -> Result<Option<T>, Damaged> {
        self.get(&key(row::ENCRYPTION_KEY, id)?)
    }

    fn key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        id: &K,
    ) -> Result<Option<T>, Damaged> {
        self.get(&key(row::KEY_PACKAGE, id)?)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(&self, id: &K) -> Result<Option<T>, Damaged> {
        self.get(&key(row::PSK, id)?)
    }

    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        _group: &G,
        state: &T,
    ) -> Result<(), Damaged> {
        self.put(vec![row::GROUP_STATE], state)
    }

    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        _group: &G,
    ) -> Result<Option<T>, Damaged> {
        self.get(&[row::GROUP_STATE])
    }

    fn delete_group_state<G: traits::GroupId<V>>(&self, _group: &G) -> Result<(), Damaged> {
        self.delete(&[row::GROUP_STATE]);
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        _group: &G,
        epoch: &E,
        leaf_index: u32,
        pairs: &[T],
    ) -> Result<(), Damaged> {
        self.put(epoch_key(epoch, leaf_index)?, pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        _group: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<Vec<T>, Damaged> {
        Ok(self.get(&epoch_key(epoch, leaf_index)?)?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        _group: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<(), Damaged> {
        self.delete(&epoch_key(epoch, leaf_index)?);
        Ok(())
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        group: &G,
        leaf: &T,
    ) -> Result<(), Damaged> {
        let mut leaves: Vec<Vec<u8>> = self.get(&[row::OWN_LEAF_NODES])?.unwrap_or_default();
        let _ = group;
        leaves.push(rmp_serde::to_vec(leaf).map_err(|_| Damaged)?);
        self.put(vec![row::OWN_LEAF_NODES], &leaves)
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        _group: &G,
    ) -> Result<Vec<T>, Damaged> {
        let leaves: Vec<Vec<u8>> = self.get(&[row::OWN_LEAF_NODES])?.unwrap_or_default();
        leaves.iter().map(|leaf| rmp_serde::from_slice(leaf).map_err(|_| Damaged)).collect()
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, _group: &G) -> Result<(), Damaged> {
        self.delete(&[row::OWN_LEAF_NODES]);
        Ok(())
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, T: traits::QueuedProposal<V>>(
        &self,
        _group: &G,
        reference: &R,
        proposal: &T,
    ) -> Result<(), Damaged> {
        let encoded = rmp_serde::to_vec(reference).map_err(|_| Damaged)?;
        self.put(key(row::QUEUED_PROPOSAL, reference)?, proposal)?;
        let mut references = self.references()?;
        if !references.contains(&encoded) {
            references.push(encoded);
        }
        self.put(vec![row::PROPOSAL_REFS], &references)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _group: &G,
    ) -> Result<Vec<R>, Damaged> {
        self.references()?
            .iter()
            .map(|reference| rmp_serde::from_slice(reference).map_err(|_| Damaged))
            .collect()
    }

    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, T: traits::QueuedProposal<V>>(
        &self,
        group: &G,
    ) -> Result<Vec<(R, T)>, Damaged> {
        self.queued_proposal_refs::<G, R>(group)?
            .into_iter()
            .map(|reference| {
                let proposal = self.get(&key(row::QUEUED_PROPOSAL, &reference)?)?;
                Ok((reference, proposal.ok_or(Damaged)?))
            })
            .collect()
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _group: &G,
        reference: &R,
    ) -> Result<(), Damaged> {
        let encoded = rmp_serde::to_vec(reference).map_err(|_| Damaged)?;
        let mut references = self.references()?;
        references.retain(|kept| *kept != encoded);
        self.delete(&key(row::QUEUED_PROPOSAL, reference)?);
        self.put(vec![row::PROPOSAL_REFS], &references)
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group: &G,
    ) -> Result<(), Damaged> {
        for reference in self.queued_proposal_refs::<G, R>(group)? {
            self.delete(&key(row::QUEUED_PROPOSAL, &reference)?);
        }
        self.delete(&[row::PROPOSAL_REFS]);
        Ok(())
    }
}

impl Store {
    // The references of queued proposals, in the order in which they came.
    fn references(&self) -> Result<Vec<Vec<u8>>, Damaged> {
        Ok(self.get(&[row::PROPOSAL_REFS])?.unwrap_or_default())
    }
}

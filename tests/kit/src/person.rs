//! A person with an account: keys made as a client makes them.

use anyhow::{Context as _, Result};
use identity::{AccountBinding, AccountMode, DeviceCertificate, DeviceList, domain_keys::generate};
use machine::{Entropy as _, Timestamp};
use mls::DeviceKeys;
use wire::{Account, DeviceId, SecretKey, proto};

use crate::SystemEntropy;

/// An account and its single device.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub account: Account,
    /// The device.
    pub device: DeviceId,
    /// Signs binding, list and certificate.
    pub account_key: SecretKey,
    /// Signs session hellos and MLS messages.
    pub device_key: SecretKey,
    /// When the statements were made.
    pub since: Timestamp,
}

impl Person {
    /// A person with fresh keys.
    ///
    /// # Errors
    /// If the account's name is malformed.
    pub fn new(account: &str) -> Result<Self> {
        let mut entropy = SystemEntropy;
        Ok(Self {
            account: account.parse()?,
            device: DeviceId::new(entropy.array()),
            account_key: generate(&mut entropy),
            device_key: generate(&mut entropy),
            since: net::now(),
        })
    }

    /// What an enrolment says: the binding is signed by the account only.
    ///
    /// # Errors
    /// If a statement breaks a rule.
    pub fn enrolment(&self) -> Result<proto::AccountKeys> {
        let mode = AccountMode::UserHeld;
        let binding = AccountBinding::propose(&self.account, &self.account_key, mode, self.since)?;
        Ok(proto::AccountKeys {
            binding: Some(binding.signed().clone()),
            device_list: Some(self.device_list()?.signed().clone()),
            certificates: vec![self.certificate()?.signed().clone()],
        })
    }

    /// The first device list.
    ///
    /// # Errors
    /// If it breaks a rule.
    pub fn device_list(&self) -> Result<DeviceList> {
        let devices = [(self.device, self.device_key.public())];
        Ok(DeviceList::issue(&self.account, None, &devices, &[], &self.account_key, self.since)?)
    }

    /// The device's certificate.
    ///
    /// # Errors
    /// If it breaks a rule.
    pub fn certificate(&self) -> Result<DeviceCertificate> {
        Ok(DeviceCertificate::issue(
            &self.account,
            self.device,
            &self.device_key.public(),
            &self.account_key,
            self.since,
        )?)
    }

    /// What makes the person's device an MLS member, from the binding that the domain countersigned
    /// (the answer to the enrolment).
    ///
    /// # Errors
    /// If there is no binding in it, or a statement breaks a rule.
    pub fn device_keys(&self, enrolled: &proto::AccountKeys) -> Result<DeviceKeys> {
        Ok(DeviceKeys {
            account: self.account.clone(),
            device: self.device,
            secret: self.device_key.clone(),
            binding: enrolled.binding.clone().context("a binding")?,
            certificate: self.certificate()?.signed().clone(),
        })
    }
}

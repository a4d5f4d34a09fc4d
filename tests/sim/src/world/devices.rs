//! Drives the devices: the loop of `engine`'s page, with a disk that may fail.

use engine::{Input, Output, Record, record};
use machine::{Machine as _, Mark};

use super::{Happening, World};
use crate::{
    fault::{AtWrite, CrashPoint},
    network::End,
};

impl World {
    /// Something happens to a device's program, if it runs.
    pub(crate) fn device_takes(&mut self, index: usize, input: Input) {
        let now = machine::Timestamp::from_ms(self.now_ms());
        let Some(engine) = self.devices.get_mut(index).and_then(|device| device.engine.as_mut()) else {
            return;
        };
        engine.handle(now, input);
        loop {
            let Some(engine) = self.devices.get_mut(index).and_then(|device| device.engine.as_mut()) else {
                return;
            };
            match engine.poll() {
                None => return,
                Some(Output::Persist(mark, records)) => self.device_writes(index, mark, records),
                Some(Output::Send(frame)) => self.device_sends(index, &frame),
                Some(Output::Recall(room)) => {
                    let rows = self.devices.get(index).map(|device| device.stored_room(&room));
                    let Some(device) = self.devices.get_mut(index) else { return };
                    if let (Some(engine), Some(rows)) = (device.engine.as_mut(), rows) {
                        engine.handle(now, Input::Recalled(room, rows));
                    }
                }
                Some(Output::WakeAt(time)) => {
                    let Some(device) = self.devices.get_mut(index) else { return };
                    device.timer += 1;
                    let (life, timer) = (device.life, device.timer);
                    self.at(time.as_ms(), Happening::DeviceTimer(index, life, timer));
                }
                Some(Output::Notify(notice)) => {
                    self.history.told(index, &notice);
                    if let Some(line) = crate::show::notice(self, index, &notice) {
                        self.note(line);
                    }
                }
            }
        }
    }

    fn device_writes(&mut self, index: usize, mark: Mark, records: Vec<Record>) {
        let now = machine::Timestamp::from_ms(self.now_ms());
        let Some(device) = self.devices.get_mut(index) else { return };
        device.writes += 1;
        let ordered = device.at_write.remove(&device.writes);
        let fate = ordered.or_else(|| self.weather.device_write(&mut self.random));
        if let Some(AtWrite::Crash(CrashPoint::Before, ms)) = fate {
            return self.crash_device(index, ms);
        }
        record::apply(&mut device.rows, records);
        if let Some(AtWrite::Crash(CrashPoint::After, ms)) = fate {
            return self.crash_device(index, ms);
        }
        if let Some(engine) = device.engine.as_mut() {
            engine.handle(now, Input::Persisted(mark));
        }
    }

    pub(super) fn device_timer(&mut self, index: usize, life: u64, timer: u64) {
        if self.devices.get(index).is_some_and(|device| device.life == life && device.timer == timer) {
            self.device_takes(index, Input::Tick);
        }
    }

    /// Starts a device's program that does not run.
    pub fn start_device(&mut self, index: usize) {
        let now = machine::Timestamp::from_ms(self.now_ms());
        let Some(device) = self.devices.get_mut(index).filter(|device| device.engine.is_none()) else {
            return;
        };
        device.start(now);
        let life = device.life;
        self.device_takes(index, Input::Tick);
        self.after(1, Happening::DeviceDials(index, life));
    }

    /// Kills a device's program and starts it again after this time.
    pub fn crash_device(&mut self, index: usize, down_ms: u64) {
        let Some(device) = self.devices.get_mut(index) else { return };
        let session = device.session;
        device.kill();
        let name = device.account.local().to_owned();
        self.note(format!("{name}'s device dies"));
        if let Some((pipe, _)) = session {
            let end = End::Device(index);
            self.network.close_at(pipe, end);
            if let Some(node) = self.network.pipe(pipe).map(|pipe| pipe.other(end)) {
                let noticed = 1 + self.random.below(3_000);
                self.after(noticed, Happening::Gone(pipe, node, wire::ErrorCode::Unavailable));
            }
        }
        self.after(down_ms, Happening::DeviceStarts(index));
    }
}

//! The audit trail from outside: what is acknowledged is on the disk, what is touched is found, what fails refuses.

mod bench;
mod full_disk;
mod kills;
mod opening;
mod privacy;
mod reading;
mod tampering;
mod writing;

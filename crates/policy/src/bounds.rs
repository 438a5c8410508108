//! The bounds of a policy file: what is larger is refused with the bound's name, never cut short.

/// The whole file, in bytes.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Brackets inside brackets, and dots in one key. The parser nests for each, so this also bounds its stack.
pub const DEPTH_MAX: usize = 16;

/// One string, in bytes.
pub const STRING_BYTES_MAX: usize = 2048;

/// One key or name, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// `[[route]]` entries.
pub const ROUTES_MAX: usize = 8192;

/// Instances of the application behind one guard.
pub const UPSTREAMS_MAX: usize = 16;

/// Keys of one table, and entries of `[limits]`, `[[guard]]` and `[[except]]`.
pub const ENTRIES_MAX: usize = 1024;

/// Values in one list, for example `limits` of a route.
pub const LIST_MAX: usize = 256;

/// Segments of one path template.
pub const SEGMENTS_MAX: usize = 64;

/// Errors that are told of one file. What is over this is counted, not told.
pub const ERRORS_MAX: usize = 1000;

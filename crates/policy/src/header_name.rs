//! How the name of a header field is written in a policy, whatever it is named for.

use crate::Malformed;
use crate::bounds::NAME_BYTES_MAX;
use crate::malformed::quoted;

/// The name in lower case: letters, digits and `-`. `_` and `.` are `-` to some servers (CVE-2025-64484), so a name with one has no one
/// meaning.
pub(crate) fn header_name(text: &str) -> Result<String, Malformed> {
    let wrong = |message: String| Err(Malformed::whole(text, message));
    if text.is_empty() {
        return wrong("a header field has a name".to_owned());
    }
    if text.len() > NAME_BYTES_MAX {
        return wrong(format!("a name has at most {NAME_BYTES_MAX} bytes"));
    }
    let name = text.to_ascii_lowercase();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !name.bytes().all(is_plain) {
        let message = format!(
            "{} is no header field: use letters, digits and `-`",
            quoted(text)
        );
        return wrong(message);
    }
    Ok(name)
}

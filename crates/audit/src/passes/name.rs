//! What the names of settings, headers and members speak of.

/// Whether the name of a setting or header speaks of a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    [
        "secret",
        "token",
        "key",
        "password",
        "auth",
        "signature",
        "credential",
        "bearer",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// Whether a member's name speaks of roles or permissions.
#[must_use]
pub fn is_role_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    [
        "role",
        "admin",
        "permission",
        "moderator",
        "superuser",
        "isstaff",
        "is_staff",
        "privilege",
        "scope",
    ]
    .iter()
    .any(|word| lower.contains(word))
        || lower == "has"
        || lower == "can"
}

/// Whether a member's name speaks of the scopes of a token.
pub(super) fn speaks_of_scopes(name: &str) -> bool {
    name.to_lowercase().contains("scope")
}

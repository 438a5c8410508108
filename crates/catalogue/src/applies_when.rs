//! `AppliesWhen`: what a project has to have for a requirement to concern it.

use crate::word::words;

/// One property of a project. A requirement with several concerns a project that has any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the word is the explanation where none is given"
)]
pub enum AppliesWhen {
    /// Every project.
    Always,
    Api,
    Cookies,
    Csrf,
    RateLimit,
    Sessions,
    /// JSON Web Tokens.
    Tokens,
    /// Sign-in with Ethereum.
    Siwe,
    Webhooks,
    Uploads,
    Payments,
    MultiTenant,
    Roles,
    Database,
    Sql,
    Logging,
    Monitoring,
    Nextjs,
    Clerk,
    Convex,
    Express,
    Fastapi,
    Django,
    Containers,
    Kubernetes,
    Envoy,
    Terraform,
    Node,
    Python,
    Go,
    Rust,
    Secrets,
    Dependencies,
    Production,
    Development,
    /// A model is asked.
    Ai,
    Email,
}

words!(AppliesWhen, "condition", {
    Always => "always",
    Api => "api",
    Cookies => "cookies",
    Csrf => "csrf",
    RateLimit => "rate_limit",
    Sessions => "sessions",
    Tokens => "tokens",
    Siwe => "siwe",
    Webhooks => "webhooks",
    Uploads => "uploads",
    Payments => "payments",
    MultiTenant => "multi_tenant",
    Roles => "roles",
    Database => "database",
    Sql => "sql",
    Logging => "logging",
    Monitoring => "monitoring",
    Nextjs => "nextjs",
    Clerk => "clerk",
    Convex => "convex",
    Express => "express",
    Fastapi => "fastapi",
    Django => "django",
    Containers => "containers",
    Kubernetes => "kubernetes",
    Envoy => "envoy",
    Terraform => "terraform",
    Node => "node",
    Python => "python",
    Go => "go",
    Rust => "rust",
    Secrets => "secrets",
    Dependencies => "dependencies",
    Production => "production",
    Development => "development",
    Ai => "ai",
    Email => "email",
});

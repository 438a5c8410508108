//! The other side: nginx with Lua, which looks at a session cookie and at a token that is bound to it. Both are signed, nothing is kept,
//! and the token can be used as often as one likes.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::Fault;
use crate::answer;
use crate::chain::{Chain, Expected, Request, connect};
use crate::guarded::BODY;
use crate::run::Side;
use crate::upstream::{content, free, nginx};

/// What it is called.
const NAME: &str = "nginx-lua";

const MODULES: &str = "load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
";

/// What is looked at before a request is passed on.
const CHECK: &str = r#"
local method = ngx.req.get_method()
if method == "GET" or method == "HEAD" then return end
local cookie, token = ngx.var.cookie_sid, ngx.req.get_headers()["x-csrf-token"]
if not cookie or not token then return ngx.exit(403) end
local id, mac = cookie:match("^([^.]+)%.(.+)$")
if not id or ngx.encode_base64(ngx.hmac_sha1("k", id)) ~= mac then return ngx.exit(403) end
local nonce, tag = token:match("^([^.]+)%.(.+)$")
if not nonce or ngx.encode_base64(ngx.hmac_sha1("k", id .. "|" .. nonce)) ~= tag then return ngx.exit(403) end
"#;

/// What gives a session and a token.
const GIVE: &str = r#"local id, nonce = "abc123", "n0nce"
ngx.header["Set-Cookie"] = "sid=" .. id .. "." .. ngx.encode_base64(ngx.hmac_sha1("k", id)) .. "; HttpOnly"
local content = nonce .. "." .. ngx.encode_base64(ngx.hmac_sha1("k", id .. "|" .. nonce))
ngx.header["Content-Length"] = #content
ngx.print(content)"#;

/// Starts it, and makes its connections.
pub(crate) fn start(
    folder: &Path,
    upstream: SocketAddr,
    connections: usize,
) -> Result<Side, Fault> {
    let (address, folder) = (free()?, folder.join("lua"));
    fs::create_dir_all(&folder)?;
    let check = folder.join("check.lua");
    fs::write(&check, CHECK)?;
    let server = nginx(
        &folder,
        MODULES,
        2,
        &format!(
            "lua_package_path \"/usr/share/lua/5.1/?.lua;;\";
upstream up {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}
server {{ listen {address} backlog=4096;
location = /csrf {{ content_by_lua_block {{ {GIVE} }} }}
location / {{ access_by_lua_file {}; proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }}",
            check.display()
        ),
        address,
    )?;
    let (cookie, token) = given(address)?;
    let request = |token: &str| Request {
        head: format!(
            "POST /items HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nX-CSRF-Token: {token}\r\n"
        ),
        cookies: cookie.clone(),
        token: None,
        body: BODY,
    };
    let expected = Expected {
        content: content(false),
        brings_token: false,
    };
    // One that is not its own is refused, or nothing is compared here.
    let mut other = Chain::open(address, request(&format!("{token}x")), expected)?;
    if other.exchange() != Err("status 403".to_owned()) {
        return Err("nginx does not refuse a token that it has not given".into());
    }
    let open = || Chain::open(address, request(&token), expected);
    Ok(Side {
        name: NAME,
        server,
        chains: (0..connections).map(|_| open()).collect::<Result<_, _>>()?,
    })
}

/// A session and a token.
fn given(address: SocketAddr) -> Result<(String, String), Fault> {
    let mut stream = connect(address)?;
    stream.write_all(b"GET /csrf HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")?;
    let given = answer::read(&mut stream, &mut Vec::new(), |answer| {
        let cookie = answer.all("set-cookie").next()?.split(';').next()?;
        let token = str::from_utf8(answer.content).ok()?;
        Some((cookie.to_owned(), token.to_owned()))
    })?;
    given.ok_or_else(|| "nginx gives no token".into())
}

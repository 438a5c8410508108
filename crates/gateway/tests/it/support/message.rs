//! What arrived at the application, taken apart by a reader that shares no code with the guard.

/// Names as they were written, and values, in their order.
pub(crate) type Fields = Vec<(String, String)>;

/// A request as the application got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The first line, without its end.
    pub(crate) line: String,
    /// Its fields.
    pub(crate) fields: Fields,
    /// The body, chunks joined.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The values of all fields with a name, in any letter case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        values(&self.fields, name)
    }

    /// The value of a field that is there once.
    pub(crate) fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {self:?}");
        all[0]
    }
}

/// The values of all fields with a name.
pub(crate) fn values<'f>(fields: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    let is_it = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
    let found = fields.iter().filter(is_it);
    found.map(|(_, value)| value.as_str()).collect()
}

/// Takes all whole requests off the bytes of one connection; what is left is no whole request.
pub(crate) fn split(bytes: &[u8]) -> (Vec<Request>, Vec<u8>) {
    let mut rest = bytes.to_vec();
    let mut requests = Vec::new();
    while let Some((request, len)) = whole(&rest) {
        requests.push(request);
        rest.drain(..len);
    }
    (requests, rest)
}

/// The first request, if it is there whole, and its length.
fn whole(bytes: &[u8]) -> Option<(Request, usize)> {
    let (line, fields, at) = head(bytes)?;
    let mut request = Request {
        line,
        fields,
        body: Vec::new(),
    };
    if !request.all("transfer-encoding").is_empty() {
        let (body, len) = chunks(&bytes[at..])?;
        request.body = body;
        return Some((request, at + len));
    }
    let lengths = request.all("content-length");
    let length = lengths.first().map_or(0, |text| text.parse().unwrap());
    request.body = bytes.get(at..at + length)?.to_vec();
    Some((request, at + length))
}

/// First line, fields, and where the body begins.
pub(crate) fn head(bytes: &[u8]) -> Option<(String, Fields, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        (name.to_owned(), value.to_owned())
    });
    Some((first, fields.collect(), end + 4))
}

/// The data of chunks, and how many bytes they took.
pub(crate) fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let digits = std::str::from_utf8(&bytes[at..at + line]).unwrap();
        let size = usize::from_str_radix(digits, 16).unwrap();
        at += line + 2;
        data.extend_from_slice(bytes.get(at..at + size)?);
        let end = bytes.get(at + size..at + size + 2)?;
        assert_eq!(end, b"\r\n", "data of a chunk goes on");
        at += size + 2;
        if size == 0 {
            return Some((data, at));
        }
    }
}

/// That a request is one in every reader's eyes: one host, one framing, one spelling of everything.
pub(crate) fn assert_normal(request: &Request) {
    let words: Vec<&str> = request.line.split(' ').collect();
    assert!(
        words.len() == 3 && words[2] == "HTTP/1.1" && words[1].starts_with('/'),
        "{request:?}"
    );
    assert_eq!(request.all("host").len(), 1, "{request:?}");
    let framings = [
        request.all("content-length"),
        request.all("transfer-encoding"),
    ]
    .concat();
    assert!(framings.len() <= 1, "{request:?}");
    for coding in request.all("transfer-encoding") {
        assert_eq!(coding, "chunked", "{request:?}");
    }
    for length in request.all("content-length") {
        assert!(
            length.bytes().all(|byte| byte.is_ascii_digit()),
            "{request:?}"
        );
    }
    for (name, value) in &request.fields {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(
            !name.is_empty() && name.bytes().all(is_token),
            "{request:?}"
        );
        assert_eq!(value.trim_matches([' ', '\t']), value, "{request:?}");
        assert!(
            !value.chars().any(|one| one.is_control() && one != '\t'),
            "{request:?}"
        );
        let plain = name.to_ascii_lowercase().replace(['_', '.'], "-");
        let is_framing = ["content-length", "transfer-encoding", "host"].contains(&plain.as_str());
        assert!(
            !is_framing || plain.eq_ignore_ascii_case(name),
            "{request:?}"
        );
        let of_the_way = [
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "upgrade",
            "expect",
        ];
        assert!(!of_the_way.contains(&plain.as_str()), "{request:?}");
    }
}

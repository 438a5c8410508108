//! The rows that the project brings, and how they are found.

use portcullis_audit::library::{
    DbOp, Guard, GuardKind, Library, LibraryError, Match, Meaning, Row, Segment, Step, Symbol,
    Test, Usage, Version,
};

/// Reads a path as rows write it, so that a test shows what code would have called.
fn segments(path: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    for piece in path.split('.') {
        let (name, suffix) = piece.split_at(piece.find(['(', '[']).unwrap_or(piece.len()));
        segments.extend((!name.is_empty()).then_some(Segment::Member(name)));
        segments.extend(suffix.chars().filter_map(|sign| match sign {
            '(' => Some(Segment::Call),
            '[' => Some(Segment::Index),
            _ => None,
        }));
    }
    segments
}

fn builtin() -> Library {
    Library::builtin().unwrap_or_else(|error| panic!("{error}"))
}

fn found<'l, 'p>(
    library: &'l Library,
    package: &str,
    path: &'p str,
    version: &str,
) -> Vec<Match<'l, 'p>> {
    let versions = |_: &str| Version::from_requirement(version);
    library.rows(package, &segments(path), &versions).collect()
}

/// In one word what a row says, for the tables below.
fn word(row: &Row) -> String {
    let usage = match row.usage {
        Usage::Plain => "",
        Usage::Middleware => "middleware ",
        Usage::Wrapper { .. } => "wrapper ",
    };
    let condition = if row.only_if.is_empty() && row.unless.is_empty() {
        ""
    } else {
        " if"
    };
    let word = match &row.meaning {
        Meaning::Caller(caller) if !caller.verified => "unverified caller".to_owned(),
        Meaning::Caller(_) => "caller".to_owned(),
        Meaning::Guard(Guard { guard, passing, .. }) => match passing.pass {
            Some(pass) => format!("{guard:?} {pass:?}"),
            None => format!("{guard:?}"),
        },
        Meaning::Db(db) => match (db.op, db.part) {
            (Some(op), _) => format!("db {op:?}"),
            (None, Some(part)) => format!("db part {part:?}"),
            (None, None) => "db".to_owned(),
        },
        meaning => format!("{meaning:?}")
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect(),
    };
    format!("{usage}{word}{condition}")
}

#[test]
fn every_family_has_rows_and_every_symbol_is_spelled_one_way() {
    let library = builtin();
    for family in Library::families() {
        let file = format!("{family}.toml");
        assert!(
            library.all().iter().any(|row| *row.source.file == *file),
            "`{file}` has no rows"
        );
    }
    for row in library.all() {
        for name in &row.names {
            let again =
                Symbol::parse(&name.symbol.to_string()).expect("a printed symbol is a symbol");
            assert_eq!(again, name.symbol, "{}", row.source);
        }
    }
}

/// What a symbol could look like in code: `*` is some name, `**` nothing.
fn sample(symbol: &Symbol) -> Vec<Segment<'_>> {
    let mut path = Vec::new();
    for step in symbol.steps() {
        match step {
            Step::Name(name) => path.push(Segment::Member(name)),
            Step::AnyName => path.push(Segment::Member("anything")),
            Step::Call => path.push(Segment::Call),
            Step::Index => path.push(Segment::Index),
            Step::Run => {}
        }
    }
    path
}

/// Whether a row only adds to what another says of the symbol: where it does harm, what it makes harmless.
fn only_adds(row: &Row) -> bool {
    matches!(row.meaning, Meaning::Sink(_) | Meaning::Sanitizer(_))
}

#[test]
fn no_two_rows_contradict() {
    let library = builtin();
    let mut contradictions = Vec::new();
    for row in library
        .all()
        .iter()
        .filter(|row| row.only_if.is_empty() && row.unless.is_empty())
    {
        for name in &row.names {
            let path = sample(&name.symbol);
            let import = name.import.replace("*/", "x/").replace("/*", "/x");
            for other in library.rows(&import, &path, &|_| None) {
                let other = other.row;
                let apart = match (&row.versions, &other.versions) {
                    (Some(these), Some(those)) => !these.allows_any(those),
                    _ => false,
                };
                let conditional = !other.only_if.is_empty() || !other.unless.is_empty();
                let same = other.usage != row.usage || other.meaning == row.meaning;
                if apart || conditional || same || only_adds(row) || only_adds(other) {
                    continue;
                }
                contradictions.push(format!(
                    "{} {} {}: {} against {}",
                    name.import,
                    name.symbol,
                    row.source,
                    word(row),
                    other.source
                ));
            }
        }
    }
    assert!(contradictions.is_empty(), "{}", contradictions.join("\n"));
}

#[test]
fn conditions_that_part_two_rows_are_about_the_same_argument_or_exclude_each_other() {
    // `only_if` of one row stands as `unless` in its opposite, or both ask for other constants or kinds.
    let library = builtin();
    let mut open = Vec::new();
    for row in library.all().iter().filter(|row| !row.only_if.is_empty()) {
        for name in &row.names {
            let others = library
                .rows(&name.import, &sample(&name.symbol), &|_| None)
                .map(|other| other.row);
            for other in
                others.filter(|other| other.usage == row.usage && other.meaning != row.meaning)
            {
                // What a call shows to developers it does besides what it is for.
                if [&row.meaning, &other.meaning]
                    .iter()
                    .any(|meaning| matches!(meaning, Meaning::Debug(_)))
                {
                    continue;
                }
                let apart = match (&row.versions, &other.versions) {
                    (Some(these), Some(those)) => !these.allows_any(those),
                    _ => false,
                };
                let excluded = row.only_if.iter().any(|mine| {
                    other.unless.contains(mine)
                        || other
                            .only_if
                            .iter()
                            .any(|theirs| match (&mine.test, &theirs.test) {
                                (Test::Is(_), Test::Is(_)) | (Test::Kind(_), Test::Kind(_)) => {
                                    mine != theirs
                                }
                                _ => mine.at != theirs.at,
                            })
                });
                if !apart && !excluded && !only_adds(row) && !only_adds(other) {
                    open.push(format!(
                        "{}: {} and {}",
                        name.symbol, row.source, other.source
                    ));
                }
            }
        }
    }
    assert!(open.is_empty(), "{}", open.join("\n"));
}

#[test]
fn calls_mean_what_they_do() {
    let library = builtin();
    let table: &[(&str, &str, &str, &[&str])] = &[
        // Clerk changed sides at version 6.
        ("@clerk/nextjs/server", "auth()", "^6.1.0", &["caller"]),
        (
            "@clerk/nextjs/server",
            "auth.protect()",
            "^6.1.0",
            &["Authentication Returns"],
        ),
        ("@clerk/nextjs/server", "auth.protect()", "^5.2.0", &[]),
        (
            "@clerk/nextjs/server",
            "auth().protect()",
            "^5.2.0",
            &["Authentication Returns"],
        ),
        ("@clerk/nextjs/server", "auth().protect()", "^6.1.0", &[]),
        ("@clerk/nextjs", "auth()", "4.29.0", &["caller"]),
        (
            "@clerk/nextjs",
            "authMiddleware()",
            "^4.0.0",
            &["middleware Authentication"],
        ),
        ("@clerk/nextjs", "authMiddleware()", "^6.0.0", &[]),
        (
            "@clerk/nextjs/server",
            "clerkMiddleware()",
            "^7.0.0",
            &["wrapper Transparent"],
        ),
        (
            "@clerk/express",
            "clerkMiddleware()",
            "^1.0.0",
            &["middleware Transparent"],
        ),
        (
            "@clerk/express",
            "requireAuth()",
            "^1.0.0",
            &["middleware Authentication"],
        ),
        (
            "@clerk/express",
            "requireAuth",
            "^1.0.0",
            &["middleware Transparent"],
        ),
        (
            "@clerk/nextjs/webhooks",
            "verifyWebhook()",
            "^6.20.0",
            &["Signature Returns"],
        ),
        (
            "@clerk/nextjs/server",
            "clerkClient().users.updateUser()",
            "^6.0.0",
            &["Effect"],
        ),
        // The same name in Auth.js is another thing.
        (
            "next-auth",
            "default().auth()",
            "5.0.0-beta.25",
            &["wrapper caller if", "caller if", "caller if"],
        ),
        ("next-auth", "default.handlers", "4.24.0", &[]),
        ("next-auth", "getServerSession()", "^4.24.0", &["caller"]),
        (
            "next-auth/jwt",
            "getToken()",
            "^4.24.0",
            &["caller if", "unverified caller if"],
        ),
        (
            "better-auth",
            "betterAuth().api.getSession()",
            "^1.1.0",
            &["caller"],
        ),
        (
            "better-auth/cookies",
            "getSessionCookie()",
            "^1.1.0",
            &["unverified caller"],
        ),
        (
            "@supabase/ssr",
            "createServerClient().auth.getUser()",
            "^0.5.0",
            &["caller"],
        ),
        (
            "@supabase/ssr",
            "createServerClient().auth.getSession()",
            "^0.5.0",
            &["unverified caller"],
        ),
        (
            "@supabase/supabase-js",
            "createClient().from().update()",
            "^2.0.0",
            &["db Update"],
        ),
        (
            "@supabase/supabase-js",
            "createClient().from().update().eq().eq()",
            "^2.0.0",
            &["db part Filter"],
        ),
        ("jose", "jwtVerify()", "^5.0.0", &["Authentication Returns"]),
        ("jose", "decodeJwt()", "^5.0.0", &["DecodeToken"]),
        (
            "jose",
            "SignJWT().setProtectedHeader().setExpirationTime().sign()",
            "^5.0.0",
            &["IssueToken"],
        ),
        (
            "jsonwebtoken",
            "default.decode()",
            "^9.0.0",
            &["DecodeToken"],
        ),
        (
            "jsonwebtoken",
            "default.default.sign()",
            "^9.0.0",
            &["IssueToken"],
        ),
        (
            "express-jwt",
            "expressjwt()",
            "^8.0.0",
            &["middleware caller if", "middleware Authentication if"],
        ),
        ("lusca", "default.csrf()", "", &["middleware Csrf"]),
        ("csrf-csrf", "doubleCsrf()", "", &[]),
        (
            "csrf-csrf",
            "doubleCsrf().doubleCsrfProtection",
            "",
            &["middleware Csrf"],
        ),
        (
            "express-rate-limit",
            "rateLimit()",
            "^7",
            &["middleware RateLimit"],
        ),
        (
            "express-slow-down",
            "default()",
            "^2",
            &["middleware RateLimit Deferred"],
        ),
        (
            "@upstash/ratelimit",
            "Ratelimit().limit()",
            "^2",
            &["RateLimit"],
        ),
        (
            "convex/server",
            "ctx.auth.getUserIdentity()",
            "^1.28.0",
            &["caller"],
        ),
        (
            "convex/server",
            "ctx.db.query().withIndex().eq()",
            "^1.28.0",
            &["db part Filter"],
        ),
        (
            "convex/server",
            "ctx.db.query().eq()",
            "^1.28.0",
            &["db part Filter"],
        ),
        (
            "convex/server",
            "ctx.db.query().filter().first()",
            "^1.28.0",
            &["db part One"],
        ),
        (
            "convex/server",
            "ctx.db.query().collect()",
            "^1.28.0",
            &["db part Other"],
        ),
        (
            "convex/server",
            "ctx.db.query().take()",
            "^1.28.0",
            &["db part Limit"],
        ),
        (
            "convex/server",
            "ctx.db.insert()",
            "^1.28.0",
            &["db Create"],
        ),
        (
            "convex/server",
            "ctx.runMutation()",
            "^1.28.0",
            &["Transparent"],
        ),
        (
            "@convex-dev/auth/server",
            "getAuthUserId()",
            "^1.28.0",
            &["caller"],
        ),
        (
            "@convex-dev/better-auth",
            "createClient().getAuthUser()",
            "^1.28.0",
            &["Authentication Returns"],
        ),
        (
            "rate-limiter-flexible",
            "RateLimiterMemory().consume()",
            "^5",
            &["RateLimit Returns"],
        ),
        (
            "rolling-rate-limiter",
            "RedisRateLimiter().limit()",
            "^0.4.0",
            &["RateLimit Falsy"],
        ),
        (
            "rolling-rate-limiter",
            "InMemoryRateLimiter().wouldLimit()",
            "^0.2.0",
            &["Derive"],
        ),
        (
            "rolling-rate-limiter",
            "RedisRateLimiter().limit()",
            "^0.1.8",
            &[],
        ),
        (
            "async-ratelimiter",
            "default().get()",
            "^1.6.0",
            &["Derive if", "RateLimit if"],
        ),
        (
            "async-ratelimiter",
            "default().get()",
            "^1.1.4",
            &["Derive if", "RateLimit if"],
        ),
        (
            "zod",
            "z.object().strict().refine().parse()",
            "^3.22.0",
            &["Validation Returns"],
        ),
        (
            "zod",
            "default.object().safeParseAsync()",
            "^4.0.0",
            &["Validation"],
        ),
        ("zod", "z.object().refine()", "^3.22.0", &[]),
        (
            "express-validator",
            "body().isEmail().normalizeEmail()",
            "^7",
            &["middleware Validation Deferred"],
        ),
        (
            "express-validator",
            "validationResult()",
            "^7",
            &["Validation"],
        ),
        ("arktype", "type()()", "^2", &["Validation NotInstance"]),
        (
            "@prisma/client",
            "PrismaClient().user.findUniqueOrThrow()",
            "^5",
            &["db Read"],
        ),
        (
            "@/generated/prisma",
            "PrismaClient().user.delete()",
            "",
            &["db Delete"],
        ),
        (
            "../src/generated/prisma/client",
            "PrismaClient().$extends().user.delete()",
            "",
            &["db Delete"],
        ),
        (
            "drizzle-orm/node-postgres",
            "drizzle().delete()",
            "",
            &["db Delete"],
        ),
        (
            "drizzle-orm/node-postgres",
            "drizzle().delete().where()",
            "",
            &["db part Filter"],
        ),
        ("drizzle-orm", "eq()", "", &["DbOperator"]),
        (
            "mongoose",
            "default.model().findByIdAndUpdate()",
            "",
            &["db Update"],
        ),
        (
            "mongoose",
            "model().findOne().select().lean()",
            "",
            &["db part Other"],
        ),
        (
            "sequelize",
            "Sequelize().define().findByPk()",
            "",
            &["db Read"],
        ),
        ("knex", "default()().where().first()", "", &["db Read"]),
        ("pg", "Pool().query()", "", &["db Raw"]),
        (
            "stripe",
            "default().webhooks.constructEvent()",
            "",
            &["Signature Returns"],
        ),
        ("svix", "Webhook().verify()", "", &["Signature Returns"]),
        (
            "@octokit/webhooks-methods",
            "verify()",
            "",
            &["Signature Truthy"],
        ),
        ("node:crypto", "default.timingSafeEqual()", "", &["Derive"]),
        ("crypto", "createHash().update().digest()", "", &["Hash"]),
        ("next/headers", "cookies().get()", "^15", &["Input"]),
        ("next/navigation", "unauthorized()", "^14.2.0", &[]),
        ("next/navigation", "unauthorized()", "^15.1.0", &["Leaves"]),
        ("uploadthing/next", "createRouteHandler()", "", &["Mega"]),
        (
            "@trpc/server",
            "initTRPC.context().create().procedure.use().input().mutation()",
            "",
            &["Chain"],
        ),
        ("express", "default()", "", &["Application"]),
        ("express", "default.json()", "", &["middleware BodyParser"]),
        ("helmet", "default()", "", &["middleware Headers"]),
        ("helmet", "hidePoweredBy()", "", &["middleware Headers"]),
        ("nothing-of-the-kind", "auth()", "", &[]),
    ];
    for (package, path, version, expected) in table {
        let words: Vec<String> = found(&library, package, path, version)
            .iter()
            .map(|found| word(found.row))
            .collect();
        assert_eq!(words, *expected, "{package} {path} {version}");
    }
}

#[test]
fn a_star_names_the_table() {
    let library = builtin();
    let found = found(
        &library,
        "@prisma/client",
        "PrismaClient().$extends().invoice.update()",
        "^6.0.0",
    );
    let [found] = found.as_slice() else {
        panic!("one row, not {found:?}")
    };
    let Meaning::Db(db) = &found.row.meaning else {
        panic!("a db row, not {:?}", found.row)
    };
    assert_eq!(
        (db.op, db.table, db.or_throw),
        (Some(DbOp::Update), Some(0), true)
    );
    assert_eq!(found.stars, ["invoice"]);
}

#[test]
fn a_strategy_signs_in_unless_it_comes_with_each_request() {
    let library = builtin();
    let found = found(&library, "passport", "authenticate()", "");
    assert_eq!(found.len(), 4, "{found:?}");
    for found in found {
        let Some(strategy) = &found.row.strategy else {
            assert_eq!(found.row.meaning, Meaning::Transparent, "only `anonymous`");
            continue;
        };
        for name in ["local", "google", "magic-link"] {
            assert!(strategy.signs_in(name), "{name}");
        }
        for name in ["jwt", "admin-jwt", "bearer", "localapikey"] {
            assert!(!strategy.signs_in(name), "{name}");
        }
    }
}

#[test]
fn users_rows_come_first_and_name_files_too() {
    let mut library = builtin();
    let rows = Library::read(
        "portcullis.toml",
        "[[row]]\nsymbol = [\"src/lib/auth.ts#requireUser()\", \"jsonwebtoken#decode()\"]\nmeans = \"guard\"\n\
         guard = \"authentication\"\npass = \"returns\"\nresult = \"caller\"\n",
    );
    library.extend(rows.expect("a row of a user"));
    assert_eq!(
        word(found(&library, "./src/lib/auth.ts", "requireUser()", "")[0].row),
        "Authentication Returns"
    );
    let both: Vec<String> = found(&library, "jsonwebtoken", "decode()", "")
        .iter()
        .map(|it| word(it.row))
        .collect();
    assert_eq!(both, ["Authentication Returns", "DecodeToken"]);
    assert!(library.knows("src/lib/auth.ts") && !library.knows("src/lib/other.ts"));
}

#[test]
fn errors_name_the_file_and_the_row() {
    let table: &[(&str, &str)] = &[
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"guard\"\nguard = \"csrf\"",
            "says how it tells",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"gaurd\"",
            "`gaurd` is nothing that a row can mean",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b(\"\nmeans = \"derive\"",
            "`b(` is not a symbol path",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"derive\"\nkeey = 1",
            "unknown field `keey`",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"guard\"\nguard = \"csrf\"\npass = \"returns\"\nverified = true",
            "unknown field `verified`",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"caller\"\npass = \"truthy\"\nsubject = 0",
            "unknown field `subject`",
        ),
        (
            "[[row]]\nsymbol = \"b()\"\nmeans = \"derive\"",
            "names no module",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nversions = \"new\"\nmeans = \"derive\"",
            "not a range of versions",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nas = \"wrapper\"\nmeans = \"transparent\"",
            "needs `handler`",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"transparent\"\nstrategy = 0",
            "`strategy` needs the names",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"transparent\"\nwith_each_request = \"c\"",
            "needs the place of the `strategy`",
        ),
        (
            "[[row]]\nimport = \"a\"\nsymbol = \"b()\"\nmeans = \"db\"\ntable = 0",
            "has `op` or `part`",
        ),
        (
            "[[rows]]\nimport = \"a\"",
            "only `[defaults]` and `[[row]]` are known",
        ),
        ("row = 1", "only `[defaults]` and `[[row]]` are known"),
    ];
    for (text, expected) in table {
        let error = Library::read("mine.toml", text).expect_err("a row with a fault");
        let message = error.to_string();
        assert!(
            message.contains("mine.toml") && message.contains(expected),
            "{text}\n{message}"
        );
        if let LibraryError::Row { source_row, .. } = error {
            assert_eq!((source_row.row, source_row.line), (1, Some(1)));
        }
    }
}

#[test]
fn a_requirement_stands_for_its_lowest_version() {
    let table = [
        ("^6.1.0", Some("6.1.0")),
        ("~5.2", Some("5.2.0")),
        (">=4 <6", Some("4.0.0")),
        ("5.0.0-beta.25", Some("5.0.0")),
        ("^5.0.0-beta.25", Some("5.0.0")),
        ("npm:@clerk/nextjs@^6.2.0", Some("6.2.0")),
        ("workspace:^1.2.3", Some("1.2.3")),
        ("15.x", Some("15.0.0")),
        ("latest", None),
        ("*", None),
        ("<7", None),
        ("workspace:*", None),
        ("github:someone/something", None),
        ("file:../x", None),
    ];
    for (requirement, expected) in table {
        assert_eq!(
            Version::from_requirement(requirement),
            expected.and_then(Version::parse),
            "{requirement}"
        );
    }
}

#[test]
fn no_limit_is_said_to_be_shared_that_counts_in_memory() {
    let library = builtin();
    for row in library.all() {
        if let Meaning::Guard(guard) = &row.meaning
            && guard.guard == GuardKind::RateLimit
        {
            assert!(
                guard.store.is_some(),
                "{} does not say where it counts",
                row.source
            );
            assert!(
                guard.store_option.is_none()
                    || guard.store == Some(portcullis_audit::library::LimitStore::Memory),
                "{}: an option for another store means that the default is memory",
                row.source
            );
        }
    }
}

//! Whose rows are, and what is sensitive, as small schemas in each form declare it.

use std::fmt::Write as _;
use std::sync::Arc;

use portcullis_audit::schema::{Owner, Schema, Sensitivity};
use proptest::prelude::*;

const CHAT: &str = r#"
model Profile {
  id     String @id @default(uuid())
  userId String @unique
  email  String @db.Text // "quoted
  members Member[]
}
model Server {
  id         String   @id
  inviteCode String   @unique
  profileId  String
  profile    Profile  @relation(fields: [profileId], references: [id], onDelete: Cascade)
  members    Member[]
}
enum Role { ADMIN GUEST }
model Member {
  id        String  @id
  role      Role    @default(GUEST)
  profileId String
  profile   Profile @relation(fields: [profileId], references: [id])
  serverId  String
  server    Server  @relation(
    fields: [serverId],
    references: [id],
  )
}
model Message {
  id       String @id
  content  String
  memberId String @map("member_id")
  member   Member @relation(fields: [memberId], references: [id])
  @@map("messages_v2")
}
"#;

const SHOP: &str = r#"
-- Accounts and what they order.
CREATE TABLE IF NOT EXISTS public.users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email citext NOT NULL UNIQUE,
  password_hash text NOT NULL,
  is_admin boolean DEFAULT false,
  banned_by_id uuid REFERENCES users (id),
  key text
);
CREATE TABLE "orders" (
  "id" serial,
  `buyer` uuid not null,
  total numeric(10, 2) CHECK (total > 0),
  note text DEFAULT 'a, (b); c',
  CONSTRAINT orders_pkey PRIMARY KEY (id),
  CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES public.users (id) ON DELETE CASCADE
);
ALTER TABLE ONLY orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own orders" ON orders FOR SELECT TO authenticated USING (auth.uid() = buyer);
CREATE POLICY everybody ON public.orders USING ((true));
COPY users (id) FROM stdin;
create table not_a_table (id int);
\.
DO $$ BEGIN
  ALTER TABLE users ADD COLUMN IF NOT EXISTS totp_secret text;
EXCEPTION WHEN duplicate_column THEN null; END $$;
create function f() returns void as $$ create table in_function (id int); $$ language sql;
"#;

fn read(files: &[(&str, &str)]) -> Schema {
    let files: Vec<_> = files
        .iter()
        .map(|(p, t)| ((*p).to_owned(), Arc::from(*t)))
        .collect();
    Schema::read(&mut files.into_iter())
}

/// The whole schema as text, one line for each thing that was found.
fn shown(schema: &Schema) -> String {
    let mut out = String::new();
    for table in schema.tables() {
        let flag = |set: bool, word: &'static str| if set { word } else { "" };
        writeln!(
            out,
            "{} {:?} {}:{}{}{}{} owner path {:?}",
            table.name,
            table.aliases,
            table.file,
            table.line,
            flag(table.is_user_table, " user"),
            flag(table.is_tenant_table, " tenant"),
            flag(table.row_level_security, " rls"),
            schema.owner_path(&table.name),
        )
        .unwrap();
        for column in &table.columns {
            let owner = column
                .owner
                .map(|o| format!(" owner:{o:?}"))
                .unwrap_or_default();
            let sensitivity = column
                .sensitivity
                .map(|s| format!(" {s:?}"))
                .unwrap_or_default();
            let stored = column
                .stored
                .as_ref()
                .map(|s| format!(" as {s}"))
                .unwrap_or_default();
            writeln!(
                out,
                "  {}:{} {:?}{}{}{stored}{owner}{sensitivity}",
                column.line,
                column.name,
                column.kind,
                flag(column.id, " id"),
                flag(column.unique, " unique"),
            )
            .unwrap();
        }
        for r in &table.relations {
            let arrow = if r.many { "=>" } else { "->" };
            writeln!(out, "  {} {:?} {arrow} {}", r.name, r.columns, r.target).unwrap();
        }
        for p in &table.policies {
            writeln!(
                out,
                "  policy {}:{} {} open:{} {:?}",
                p.line, p.name, p.command, p.open, p.roles
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn a_prisma_schema_is_read_whole() {
    insta::assert_snapshot!(shown(&read(&[("prisma/schema.prisma", CHAT)])));
}

#[test]
fn sql_migrations_are_read_whole() {
    insta::assert_snapshot!(shown(&read(&[("db/001.sql", SHOP)])));
}

#[test]
fn tables_are_found_by_every_name() {
    let schema = read(&[("schema.prisma", CHAT)]);
    for name in ["Profile", "profile", "profiles", "PROFILES"] {
        assert_eq!(
            schema.table(name).map(|t| t.name.as_str()),
            Some("Profile"),
            "{name}"
        );
    }
    for name in ["message", "messages_v2", "messagesV2"] {
        assert_eq!(
            schema.table(name).map(|t| t.name.as_str()),
            Some("Message"),
            "{name}"
        );
    }
    assert!(schema.table("nothing").is_none());
    assert!(schema.table("").is_none());
    let message = schema.table("message").unwrap();
    assert!(message.column("member_id").is_some() && message.column("memberId").is_some());
    assert_eq!(
        schema.owner_path("messages"),
        Some(vec!["member".into(), "profile".into()])
    );
    assert_eq!(schema.owner_path("nothing"), None);
}

#[test]
fn types_may_stand_in_another_file() {
    let schema = read(&[
        (
            "prisma/schema/post.prisma",
            "model Post { id Int @id\n by User @relation(fields: [x], references: [id])\n x Int }",
        ),
        (
            "prisma/schema/user.prisma",
            "model User { id Int @id\n posts Post[] }",
        ),
    ]);
    assert_eq!(
        schema.table("post").unwrap().column("x").unwrap().owner,
        Some(Owner::User)
    );
}

#[test]
fn an_open_bracket_loses_one_model_only() {
    let schema = read(&[(
        "a.prisma",
        "model A {\n id Int @default((\n}\nmodel User {\n id Int @id\n}\n",
    )]);
    assert!(schema.table("user").is_some_and(|t| t.line == 4));
}

#[test]
fn the_key_decides_before_the_name() {
    let schema = read(&[(
        "a.sql",
        "create table users (id int primary key, manager_id int references users(id));
         create table machines (id int primary key);
         create table teams (id int primary key);
         create table jobs (
           owner_id int references machines(id), who int references users, team int references teams(id),
           reviewed_by int references users(id), created_by int, auth uuid references auth.users(id)
         );
         create table loose (user_id int, org_id int, team_id int, account_id int);",
    )]);
    let owner =
        |table: &str, column: &str| schema.table(table).unwrap().column(column).unwrap().owner;
    for (table, column, expected) in [
        ("users", "manager_id", None),
        ("jobs", "owner_id", None),
        ("jobs", "who", Some(Owner::User)),
        ("jobs", "team", Some(Owner::Tenant)),
        ("jobs", "reviewed_by", None),
        ("jobs", "created_by", Some(Owner::User)),
        ("jobs", "auth", Some(Owner::User)),
        ("loose", "user_id", Some(Owner::User)),
        ("loose", "org_id", Some(Owner::Tenant)),
        ("loose", "account_id", None),
    ] {
        assert_eq!(owner(table, column), expected, "{table}.{column}");
    }
}

#[test]
fn the_way_may_end_at_a_table_that_nothing_declares() {
    let schema = read(&[(
        "a.sql",
        "create table workspaces (id int primary key);
         create table folders (id int primary key, workspace_id int references workspaces(id));
         create table files (folder_id int references folders(id), user_id uuid references auth.users(id));",
    )]);
    assert_eq!(schema.owner_path("files"), Some(vec!["user_id".into()]));
    assert_eq!(
        schema.owner_path("folders"),
        Some(vec!["workspace_id".into()])
    );
}

#[test]
fn migrations_change_what_stands() {
    let schema = read(&[
        ("m/10_last.sql", "ALTER TABLE people RENAME TO clients; DROP TABLE gone, gone_too CASCADE;"),
        ("m/9_more.sql", "ALTER TABLE people RENAME COLUMN mail TO email, ADD pin text, DROP COLUMN IF EXISTS old;
            CREATE UNIQUE INDEX people_mail ON people (lower(email));
            CREATE UNIQUE INDEX part ON people (pin) WHERE pin IS NOT NULL;"),
        ("m/1_first.sql", "CREATE TABLE people (id int PRIMARY KEY, mail text, old text, boss int REFERENCES gone(id));
            CREATE TABLE gone (id int); CREATE TABLE gone_too (id int); CREATE TEMP TABLE t (id int);
            CREATE TABLE [dbo].[Items] ([Id] int IDENTITY(1,1), [OwnerId] int, CONSTRAINT fk FOREIGN KEY ([OwnerId]) REFERENCES [dbo].[people]([id]));"),
        ("m/1_first.down.sql", "DROP TABLE people;"),
        ("m/11_keys.sql", "ALTER TABLE clients DROP CONSTRAINT people_boss_fkey; DROP INDEX IF EXISTS nothing;"),
    ]);
    let names: Vec<&str> = schema.tables().iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["clients", "Items"]);
    let clients = schema.table("clients").unwrap();
    let columns: Vec<&str> = clients.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["id", "email", "boss", "pin"]);
    assert!(clients.column("email").unwrap().unique && !clients.column("pin").unwrap().unique);
    assert!(clients.relations.is_empty());
    assert_eq!(clients.column("pin").unwrap().file.as_ref(), "m/9_more.sql");
    assert_eq!(
        schema.table("items").unwrap().relations[0].target,
        "clients"
    );
}

#[test]
fn what_the_application_declares_goes_before_its_history() {
    let prisma = "model User {\n id Int @id\n apiKey String\n @@map(\"users\") }";
    let sql =
        "create table users (id int, old_token text); alter table users enable row level security;
               create table raw_events (user_id int references users(id));";
    let schema = read(&[("a.sql", sql), ("a.prisma", prisma)]);
    let user = schema.table("user").unwrap();
    assert!(user.row_level_security && user.column("old_token").is_none());
    assert_eq!(
        user.column("apiKey").unwrap().sensitivity,
        Some(Sensitivity::Secret)
    );
    assert_eq!(
        schema.owner_path("raw_events"),
        Some(vec!["user_id".into()])
    );
}

#[test]
fn what_is_too_large_is_said_to_be_unread() {
    let large = " ".repeat(9 * 1024 * 1024);
    let schema = read(&[("dump.sql", large.as_str()), ("notes.txt", "")]);
    assert_eq!(schema.unread().len(), 1);
    assert_eq!(schema.unread()[0].file, "dump.sql");
}

#[test]
fn merging_tells_what_both_know() {
    let mut schema = read(&[("a.prisma", "model Post { id Int @id\n authorRef Int }")]);
    assert_eq!(schema.owner_path("post"), None);
    schema.merge(read(&[(
        "b.sql",
        "create table post (id int, authorRef int references users(id)); create table users (id int primary key);",
    )]));
    assert_eq!(schema.owner_path("post"), Some(vec!["authorRef".into()]));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(prisma in ".{0,200}", sql in ".{0,200}") {
        let schema = read(&[("a.prisma", prisma.as_str()), ("a.sql", sql.as_str())]);
        for table in schema.tables() {
            prop_assert!(schema.table(&table.name).is_some() || table.name.is_empty());
        }
    }

    #[test]
    fn no_order_of_words_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "create", "table", "alter", "add", "drop", "column", "unique", "index", "on", "policy", "using",
                "references", "foreign", "key", "primary", "constraint", "rename", "to", "users", "\"a\"", "`b`", "[c]",
                "(", ")", ",", ";", ".", "'", "$$", "--", "/*", "\n", "1", "model", "{", "}", "@", "@@", "id", "[", "]",
                "\"", "do", "copy", "stdin", "é", "modify", "change", "like",
            ]),
            0..60,
        )
    ) {
        let text = words.join(" ");
        let schema = read(&[("a.prisma", text.as_str()), ("a.sql", text.as_str())]);
        for table in schema.tables() {
            prop_assert!(schema.owner_path(&table.name).is_none_or(|path| path.len() <= 3));
        }
    }
}

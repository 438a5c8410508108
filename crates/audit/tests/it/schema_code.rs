//! The tables that code declares: Drizzle, Mongoose, Sequelize, decorators, Convex and knex.

use portcullis_audit::schema::{Kind, Owner, Schema, Sensitivity};
use portcullis_code::project::Project;

fn of(files: &[(&str, &str)]) -> Schema {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Schema::of(&Project::from_files(files.collect()))
}

#[test]
fn drizzle_tables_are_read_over_files() {
    let schema = of(&[
        (
            "db/users.ts",
            r#"import { pgTable as table, uuid, text, boolean, timestamp, pgEnum, uniqueIndex } from "drizzle-orm/pg-core";
               import { timestamps } from "./columns";
               export const roleEnum = pgEnum("role", ["admin", "user"]);
               export const usersTable = table("users", {
                 id: uuid().primaryKey().defaultRandom(),
                 email: text("email_address").notNull(),
                 passwordHash: text("password_hash"),
                 role: roleEnum().default("user"),
                 isAdmin: boolean("is_admin"),
                 ...timestamps,
               }, (t) => [uniqueIndex("users_email").on(t.email)]);"#,
        ),
        (
            "db/columns.ts",
            r#"import { timestamp } from "drizzle-orm/pg-core";
               export const timestamps = { createdAt: timestamp("created_at").defaultNow() };"#,
        ),
        (
            "db/posts.ts",
            r#"import { pgTableCreator, serial, uuid, foreignKey, primaryKey, pgPolicy } from "drizzle-orm/pg-core";
               import { relations, sql } from "drizzle-orm";
               import { usersTable } from "./users";
               const createTable = pgTableCreator((name) => `app_${name}`);
               export const posts = createTable("post", {
                 id: serial("id").primaryKey(),
                 writer: uuid("writer").references(() => usersTable.id, { onDelete: "cascade" }),
               });
               export const comments = createTable("comment", (d) => ({ post: d.integer(), number: d.integer() }), (t) => ({
                 pk: primaryKey({ columns: [t.post, t.number] }),
                 fk: foreignKey({ columns: [t.post], foreignColumns: [posts.id] }),
                 open: pgPolicy("all", { using: sql`true` }),
               }));
               export const postsRelations = relations(posts, ({ one, many }) => ({
                 author: one(usersTable, { fields: [posts.writer], references: [usersTable.id] }),
                 comments: many(comments),
               }));"#,
        ),
    ]);
    let users = schema.table("usersTable").unwrap();
    assert!(users.is_user_table && users.name == "users" && users.line == 4);
    let email = users.column("email_address").unwrap();
    assert!(email.unique && email.owner == Some(Owner::User) && email.kind == Kind::Text);
    assert_eq!(users.column("role").unwrap().kind, Kind::Enum);
    assert_eq!(
        users.column("passwordHash").unwrap().sensitivity,
        Some(Sensitivity::Secret)
    );
    let created = users.column("createdAt").unwrap();
    assert_eq!(
        (created.file.as_ref(), created.line, created.kind),
        ("db/columns.ts", 2, Kind::Time)
    );
    let posts = schema.table("posts").unwrap();
    assert_eq!(posts.column("writer").unwrap().owner, Some(Owner::User));
    assert!(posts.relation("comments").unwrap().many && !posts.relation("author").unwrap().many);
    let comments = schema.table("comment").unwrap();
    assert!(comments.row_level_security && comments.policies[0].open);
    assert!(comments.columns.iter().all(|c| c.id && !c.unique));
    assert_eq!(schema.owner_path("comments").unwrap().len(), 2);
}

#[test]
fn mongoose_models_are_read_with_their_nested_paths() {
    let schema = of(&[
        (
            "models/user.js",
            r#"const mongoose = require("mongoose");
               const { Schema } = mongoose;
               const address = new Schema({ street: String, zipCode: String }, { _id: false });
               const userSchema = new Schema({
                 email: { type: String, required: true, unique: true },
                 password: { type: String, select: false },
                 profile: { birthDate: Date, role: String },
                 home: address,
                 tokens: [{ token: { type: String } }],
                 type: { type: String, enum: ["a", "b"] },
               }, { collection: "people_v2" });
               module.exports = mongoose.models.User || mongoose.model("User", userSchema);"#,
        ),
        (
            "models/note.ts",
            r#"import { Schema, model, Types } from "mongoose";
               const noteSchema = new Schema<INote>({
                 owner: { type: Schema.Types.ObjectId, ref: "User", required: true },
                 readers: [{ type: Types.ObjectId, ref: "User" }],
                 text: "string",
               });
               export const Note = model<INote>("Note", noteSchema);"#,
        ),
        (
            "other.js",
            r#"const x = require("other"); x.model("User", new x.Schema({ a: String }));"#,
        ),
    ]);
    let names: Vec<&str> = schema.tables().iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["Note", "User"]);
    let user = schema.table("people_v2").unwrap();
    assert!(user.is_user_table && user.column("_id").unwrap().owner == Some(Owner::User));
    assert!(user.column("email").unwrap().unique);
    let password = user.column("password").unwrap();
    assert!(password.hidden && password.sensitivity == Some(Sensitivity::Secret));
    for (path, kind, expected) in [
        ("profile.birthDate", Kind::Time, Some(Sensitivity::Personal)),
        ("profile.role", Kind::Text, Some(Sensitivity::Privilege)),
        ("home.zipCode", Kind::Text, Some(Sensitivity::Personal)),
        ("tokens.token", Kind::Text, Some(Sensitivity::Secret)),
        ("type", Kind::Enum, None),
    ] {
        let column = user.column(path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(
            (column.kind, column.sensitivity),
            (kind, expected),
            "{path}"
        );
    }
    let note = schema.table("notes").unwrap();
    assert_eq!(note.column("owner").unwrap().owner, Some(Owner::User));
    assert!(note.relation("readers").unwrap().many);
    assert_eq!(schema.owner_path("note"), Some(vec!["owner".into()]));
}

#[test]
fn sequelize_models_are_read_with_their_associations() {
    let schema = of(&[
        (
            "models/user.js",
            r#"module.exports = (sequelize, DataTypes) => {
                 const User = sequelize.define("User", {
                   login: { type: DataTypes.STRING(40), unique: true },
                   password: DataTypes.STRING,
                   team: { type: DataTypes.INTEGER, references: { model: "Teams", key: "id" } },
                 }, { tableName: "app_users", defaultScope: { attributes: { exclude: ["password"] } } });
                 User.associate = (models) => { User.hasMany(models.Post, { foreignKey: "writerId", as: "posts" }); };
                 return User;
               };"#,
        ),
        (
            "models/post.ts",
            r#"import { Model, DataTypes } from "sequelize";
               export class Post extends Model {
                 static associate(models) { this.belongsTo(models.Team); }
               }
               Post.init({ title: DataTypes.TEXT, at: { type: DataTypes.DATE } }, { sequelize, modelName: "post" });
               export class Team extends Model {}
               Team.init({ name: { type: DataTypes.STRING } }, { sequelize });
               export class Line extends Model {}
               Line.init({ count: DataTypes.INTEGER }, { sequelize });
               Post.belongsToMany(Team, { through: Line, foreignKey: { name: "PostId" } });"#,
        ),
        (
            "migrations/1.js",
            r#"module.exports = {
                 up: async (queryInterface, Sequelize) => {
                   await queryInterface.createTable("Logs", { userId: { type: Sequelize.INTEGER }, line: Sequelize.TEXT });
                   await queryInterface.addColumn("Logs", "ip", Sequelize.STRING);
                 },
                 down: async (queryInterface, Sequelize) => {
                   await queryInterface.removeColumn("Logs", "userId");
                   await queryInterface.createTable("Old", { a: Sequelize.TEXT });
                 },
               };"#,
        ),
    ]);
    let user = schema.table("app_users").unwrap();
    assert!(user.is_user_table && user.column("id").unwrap().id);
    assert!(user.column("password").unwrap().hidden);
    assert_eq!(user.column("team").unwrap().owner, Some(Owner::Tenant));
    assert!(user.relation("posts").unwrap().many);
    let post = schema.table("Post").unwrap();
    assert_eq!(post.name, "post");
    assert_eq!(post.column("writerId").unwrap().owner, Some(Owner::User));
    assert_eq!(post.column("teamId").unwrap().owner, Some(Owner::Tenant));
    assert_eq!(
        schema.table("line").unwrap().relations[0].columns,
        ["PostId"]
    );
    assert!(schema.table("Old").is_none());
    let logs = schema.table("logs").unwrap();
    assert_eq!(logs.column("userId").unwrap().owner, Some(Owner::User));
    assert_eq!(
        logs.column("ip").unwrap().sensitivity,
        Some(Sensitivity::Personal)
    );
}

#[test]
fn entities_are_read_from_their_decorators() {
    let schema = of(&[(
        "user.entity.ts",
        r#"import { Entity, Column, PrimaryGeneratedColumn, ManyToOne, OneToMany, JoinColumn } from "typeorm";
           class Base { @PrimaryGeneratedColumn("uuid") id: string; }
           @Entity("app_user") export class User extends Base {
             @Column({ unique: true, type: "varchar" }) email: string;
             @Column({ select: false }) password: string;
             @OneToMany(() => Photo, (photo) => photo.user) photos: Photo[];
           }
           @Entity() export class Photo extends Base {
             @Column("text", { name: "file_url" }) url: string;
             @ManyToOne(() => User) @JoinColumn({ name: "made_by" }) user: User;
           }
           @Schema() export class Cat {
             @Prop({ type: Types.ObjectId, ref: "User" }) keeper: User;
           }"#,
    )]);
    let user = schema.table("app_user").unwrap();
    assert!(user.is_user_table && user.column("id").unwrap().id);
    assert!(user.column("password").unwrap().hidden && user.column("email").unwrap().unique);
    let photo = schema.table("photo").unwrap();
    assert_eq!(photo.column("made_by").unwrap().owner, Some(Owner::User));
    assert_eq!(photo.column("file_url").unwrap().kind, Kind::Text);
    assert_eq!(schema.owner_path("photo"), Some(vec!["user".into()]));
    assert_eq!(
        schema
            .table("cats")
            .unwrap()
            .column("keeper")
            .unwrap()
            .owner,
        Some(Owner::User)
    );
}

#[test]
fn a_convex_schema_is_read() {
    let schema = of(&[(
        "convex/schema.ts",
        r#"import { defineSchema, defineTable } from "convex/server";
           import { authTables } from "@convex-dev/auth/server";
           import { v } from "convex/values";
           const users = defineTable({ tokenIdentifier: v.string(), email: v.optional(v.string()) }).index("by_token", ["tokenIdentifier"]);
           export default defineSchema({
             users,
             notes: defineTable({ author: v.id("users"), body: v.string(), meta: v.object({ ip: v.string() }) }),
             ...authTables,
             shared: defineTable(v.union(
               v.object({ kind: v.literal("a"), by: v.optional(v.union(v.id("users"), v.null())) }),
               v.object({ kind: v.literal("b"), notes: v.array(v.id("notes")) }),
             )),
           });"#,
    )]);
    let shared = schema.table("shared").unwrap();
    assert_eq!(shared.column("by").unwrap().owner, Some(Owner::User));
    assert_eq!(shared.relation("notes").unwrap().target, "notes");
    assert!(shared.relation("notes").unwrap().many);
    let accounts = schema.table("authAccounts").unwrap();
    assert_eq!(accounts.column("userId").unwrap().owner, Some(Owner::User));
    assert!(
        schema
            .table("users")
            .unwrap()
            .column("tokenIdentifier")
            .is_some()
    );
    assert!(schema.table("users").unwrap().is_user_table);
    let notes = schema.table("notes").unwrap();
    assert_eq!(notes.column("author").unwrap().owner, Some(Owner::User));
    assert_eq!(
        notes.column("meta.ip").unwrap().sensitivity,
        Some(Sensitivity::Personal)
    );
}

#[test]
fn ents_of_convex_have_their_fields_and_edges() {
    let schema = of(&[(
        "convex/schema.ts",
        r#"import { defineEnt, defineEntSchema, getEntDefinitions } from "convex-ents";
           import { v } from "convex/values";
           const schema = defineEntSchema({
             users: defineEnt({ name: v.string() })
               .field("email", v.string(), { unique: true })
               .field("bio", v.string())
               .edges("notes", { ref: true }),
             notes: defineEnt({ body: v.string() }).edge("user"),
             reviews: defineEnt({}).edge("author", { to: "users", field: "by" }),
             profiles: defineEnt({}).edge("user", { ref: true }),
           });
           export default schema;"#,
    )]);
    let users = schema.table("users").unwrap();
    assert!(users.column("email").unwrap().unique);
    assert!(!users.column("bio").unwrap().unique);
    let notes = schema.table("notes").unwrap();
    assert_eq!(notes.column("userId").unwrap().owner, Some(Owner::User));
    assert_eq!(notes.relation("user").unwrap().target, "users");
    let reviews = schema.table("reviews").unwrap();
    assert_eq!(reviews.column("by").unwrap().owner, Some(Owner::User));
    assert!(reviews.column("authorId").is_none());
    // With `ref` the other table has the column.
    assert!(schema.table("profiles").unwrap().column("userId").is_none());
}

#[test]
fn knex_migrations_are_applied() {
    let schema = of(&[
        (
            "migrations/1_init.js",
            r#"exports.up = function (knex) {
                 return knex.schema
                   .createTable("users", (t) => {
                     t.increments();
                     t.string("email").unique().notNullable();
                     t.string("apikey");
                     t.timestamps();
                   })
                   .createTable("notes", function (table) {
                     table.uuid("id").primary();
                     table.integer("user_id").unsigned().references("users.id");
                     table.integer("boss");
                     if (true) { table.foreign("boss").references("id").inTable("users"); }
                     table.string("gone");
                   });
               };
               exports.down = (knex) => knex.schema.createTable("undone", (t) => { t.string("a"); });"#,
        ),
        (
            "migrations/2_more.js",
            r#"async function up(knex) {
                 await knex.schema.alterTable("notes", (t) => { t.dropColumn("gone"); t.renameColumn("boss", "lead"); t.json("data"); });
               }
               async function down(knex) { await knex.schema.table("notes", (t) => { t.dropColumn("data"); }); }
               module.exports = { up, down };"#,
        ),
    ]);
    let names: Vec<&str> = schema.tables().iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["users", "notes"]);
    assert_eq!(
        schema
            .table("users")
            .unwrap()
            .column("apikey")
            .unwrap()
            .sensitivity,
        Some(Sensitivity::Secret)
    );
    let notes = schema.table("notes").unwrap();
    let columns: Vec<&str> = notes.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["id", "user_id", "lead", "data"]);
    assert_eq!(notes.column("user_id").unwrap().owner, Some(Owner::User));
    assert_eq!(notes.relations[1].columns, ["lead"]);
}

#[test]
fn code_that_declares_nothing_gives_nothing() {
    let schema = of(&[(
        "a.js",
        r#"const a = { b: a.b }; const c = c; const d = e, e = d;
           define("x", {}); router.table("x", () => {}); model(); schema.createTable(a, c);
           pgTable("x"); mongoose.model("User", d); Thing.init({}, {}); this.hasMany(q);
           defineSchema({}); relations(d, e); new Schema({ ...c });"#,
    )]);
    assert!(schema.tables().is_empty(), "{:?}", schema.tables());
}

#[test]
fn code_that_names_itself_ends() {
    let schema = of(&[
        (
            "a.js",
            r#"import * as b from "./b"; import { loop } from "./b";
               const { Schema, model } = require("mongoose");
               const a = a.b; const { c } = c; const d = { ...d, ...d, ...e, e: d.e }; const e = { ...d, ...e, ...loop };
               const s = new Schema({ a: s, b: s, c: s, d: s, e: s, f: [s], g: { type: s }, x: a, y: d.z, z: loop.loop });
               model("Self", s);
               const f = () => f(); pgTable("f", f); pgTable(a, f()); pgTable("g", { ...d, x: a.b.c() });
               x.define("h", { ...e, t: DataTypes.STRING }); x.createTable("i", f); x.schema.table("j", (t) => { t.a().b(a); });"#,
        ),
        (
            "b.js",
            r#"export * from "./a"; export * from "./b"; export { loop } from "./c"; export const b = b.b;"#,
        ),
        ("c.js", r#"export { loop } from "./b";"#),
    ]);
    assert!(schema.table("self").is_some() && schema.table("h").is_some());
}

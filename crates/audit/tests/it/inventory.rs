//! What the inventory says beside the routes of an interface: pages that write, and routers of libraries.

use portcullis_audit::{Audited, Options, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::Date;
use portcullis_report::{Confidence, Severity};

fn audited(files: &[(&str, &str)]) -> Audited {
    let files = files
        .iter()
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect();
    let options = Options::on(Date::new(2026, 7, 1).expect("a day"));
    audit_project(&Project::from_files(files), &options, &|_| ()).expect("an audit")
}

#[test]
fn a_page_that_writes_stands_beside_the_routes() {
    let prisma =
        "import { PrismaClient } from '@prisma/client'; export const db = new PrismaClient();";
    let joins = "import { auth } from '@clerk/nextjs/server'; import { db } from '../../../db'; export default async function Page({ params }) { const { userId } = await auth(); if (!userId) return null; const { code } = await params; await db.member.create({ data: { code, userId } }); return <p>joined</p>; }";
    let shows = "import { db } from '../../db'; export default async function Page() { const posts = await db.post.findMany(); return <p>{posts.length}</p>; }";
    let route = "export async function GET() { return Response.json({ ok: true }); }";
    let report = audited(&[
        ("db.ts", prisma),
        ("app/join/[code]/page.tsx", joins),
        ("app/posts/page.tsx", shows),
        ("app/api/health/route.ts", route),
    ])
    .report;
    let names = |records: &[portcullis_report::RouteRecord]| -> Vec<String> {
        records
            .iter()
            .map(portcullis_report::RouteRecord::name)
            .collect()
    };
    assert_eq!(names(&report.routes), ["GET /api/health"]);
    assert_eq!(names(&report.pages), ["GET /join/{code}"]);
}

#[test]
fn a_librarys_router_says_that_its_paths_are_not_listed() {
    let route = "import NextAuth from 'next-auth'; const handler = NextAuth({ providers: [] }); export { handler as GET, handler as POST };";
    let report = audited(&[("app/api/auth/[...nextauth]/route.ts", route)]).report;
    assert_eq!(report.routes.len(), 2);
    for route in &report.routes {
        let codes: Vec<&str> = route.unknowns.iter().map(|u| u.code.as_str()).collect();
        assert_eq!(codes, ["U5"], "{}", route.path);
    }
}

#[test]
fn a_list_of_addresses_is_less_than_a_caller_and_more_than_nothing() {
    let prisma =
        "import { PrismaClient } from '@prisma/client'; export const db = new PrismaClient();";
    let open = "import { db } from '../../../../db'; export async function POST(request: Request) { const { text } = await request.json(); await db.notice.create({ data: { text } }); return Response.json({ ok: true }); }";
    let listed = open.replace(
        "const { text }",
        "const ip = request.headers.get('x-forwarded-for')?.split(',')[0] ?? ''; if (!['192.0.2.1', '192.0.2.2'].some((known) => known === ip)) return new Response(null, { status: 403 }); const { text }",
    );
    // That there is an address at all, and too many requests from one, let everybody in.
    let counted = open.replace(
        "const { text }",
        "const ip = request.headers.get('x-forwarded-for'); if (!ip) return new Response(null, { status: 400 }); const { text }",
    );
    // Who is kept out by the address comes from another one.
    let kept_out = open.replace(
        "const { text }",
        "const ip = request.headers.get('x-forwarded-for') ?? ''; if (['192.0.2.1', '192.0.2.2'].some((known) => known === ip)) return new Response(null, { status: 403 }); const { text }",
    );
    let blocked = open.replace(
        "const { text }",
        "const ip = request.headers.get('x-forwarded-for') ?? ''; if (process.env.BLOCKED.split(',').includes(ip)) return new Response(null, { status: 403 }); const { text }",
    );
    let allowed = blocked.replace("if (process", "if (!process");
    let told = |route: &str| {
        let report =
            audited(&[("db.ts", prisma), ("app/api/admin/notices/route.ts", route)]).report;
        let found = report.findings.iter().find(|it| it.rule == "auth-missing");
        let found = found.expect("an open route of administration");
        (found.severity, found.confidence)
    };
    assert_eq!(told(open), (Severity::High, Confidence::Medium));
    assert_eq!(told(&counted), (Severity::High, Confidence::Medium));
    assert_eq!(told(&kept_out), (Severity::High, Confidence::Medium));
    assert_eq!(told(&blocked), (Severity::High, Confidence::Medium));
    assert_eq!(told(&listed), (Severity::Medium, Confidence::Low));
    assert_eq!(told(&allowed), (Severity::Medium, Confidence::Low));
}

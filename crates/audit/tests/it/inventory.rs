//! What the inventory says beside the routes of an interface: pages that write, and routers of libraries.

use portcullis_audit::{Audited, Options, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::Date;

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

//! `cargo xtask instructions`: how many instructions a decision costs, and whether that is more than it was.
//!
//! Time on a shared machine says little; instructions are the same in every run. Each scenario of the example
//! `decisions` runs twice under callgrind, with few and with many decisions: the difference leaves out the start.

use std::{
    collections::BTreeMap,
    env::consts::{ARCH, OS},
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use toml_edit::{DocumentMut, Item};

use crate::{environment::Environment, steps::say};

/// The figures that were accepted, from the root.
const BASELINE: &str = "benches/instructions.toml";

/// How much more than the baseline is too much, in percent. Runs of one binary differ by less than a thousandth; the
/// rest is for a library that moves.
const PERCENT_MAX: u64 = 3;

/// Measures and compares; with `write`, the figures become the baseline. Gives the line that says why nothing was
/// measured, where nothing was: on a build machine that is a failure, which is for the caller to say.
pub(crate) fn run(environment: &Environment, write: bool) -> Result<Option<String>> {
    if !has_valgrind() {
        return skip("valgrind is missing (apt-get install valgrind, or cargo xtask test --setup)");
    }
    let path = environment.root.join(BASELINE);
    let before = if write {
        Baseline::default()
    } else {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read `{BASELINE}`"))?;
        Baseline::read(&text)?
    };
    let here = format!("{ARCH}-{OS}");
    if !write && before.machine != here {
        return skip(&format!(
            "`{BASELINE}` is of {}, and this is {here}",
            before.machine
        ));
    }
    let program = Program::build(environment)?;
    let mut figures = BTreeMap::new();
    for scenario in program.scenarios()? {
        let figure = program.figure(&scenario)?;
        say(&format!("   {}", before.beside(&scenario.name, figure)))?;
        figures.insert(scenario.name, figure);
    }
    if write {
        let text = written(&here, &figures);
        fs::write(&path, text).with_context(|| format!("cannot write `{BASELINE}`"))?;
        say(&format!("   wrote {BASELINE}"))?;
        return Ok(None);
    }
    let Verdict { faults, better } = before.judge(&figures);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    if !better.is_empty() {
        let names = better.join(", ");
        say(&format!(
            "   cheaper by more than {PERCENT_MAX} %: {names}; keep it with `cargo xtask instructions --write`"
        ))?;
    }
    Ok(None)
}

fn skip(why: &str) -> Result<Option<String>> {
    let line = format!("skipped: instructions per decision: {why}");
    say(&line)?;
    Ok(Some(line))
}

fn has_valgrind() -> bool {
    match Command::new("valgrind").arg("--version").output() {
        Ok(answer) => answer.status.success(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// The example, built, with a store that it made.
struct Program {
    path: PathBuf,
    store: PathBuf,
}

/// A row of the example's own list.
struct Scenario {
    name: String,
    few: u64,
    many: u64,
}

impl Program {
    fn build(environment: &Environment) -> Result<Self> {
        let mut cargo = Command::new(&environment.cargo);
        cargo.current_dir(&environment.root).args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--message-format=json",
            "--package=portcullis-gateway",
            "--example=decisions",
        ]);
        let built = heard(&mut cargo)?;
        let path = executable(&built.out).context("cargo named no program `decisions`")?;
        let store = path.with_file_name("decisions-store");
        let program = Self { path, store };
        // A key of an earlier run would do as well; a store of an earlier format would not.
        if program.store.exists() {
            fs::remove_dir_all(&program.store)
                .with_context(|| format!("cannot remove `{}`", program.store.display()))?;
        }
        heard(
            Command::new(&program.path)
                .arg("prepare")
                .arg(&program.store),
        )?;
        Ok(program)
    }

    fn scenarios(&self) -> Result<Vec<Scenario>> {
        let listed = heard(Command::new(&self.path).arg("list"))?;
        listed.out.lines().map(scenario).collect()
    }

    /// Instructions of one decision.
    fn figure(&self, scenario: &Scenario) -> Result<u64> {
        let few = self.collected(&scenario.name, scenario.few)?;
        let many = self.collected(&scenario.name, scenario.many)?;
        let decisions = scenario.many.saturating_sub(scenario.few);
        many.checked_sub(few)
            .and_then(|all| all.checked_div(decisions))
            .filter(|figure| *figure > 0)
            .with_context(|| format!("`{}` cannot be measured", scenario.name))
    }

    fn collected(&self, name: &str, count: u64) -> Result<u64> {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&self.path)
            .args([name, &count.to_string()])
            .arg(&self.store);
        let said = heard(&mut valgrind)?.errors;
        total(&said).with_context(|| format!("callgrind gave no figure for `{name}`: {said}"))
    }
}

fn scenario(line: &str) -> Result<Scenario> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, few, many] = words.as_slice() else {
        bail!("`{line}` is no name and two counts");
    };
    Ok(Scenario {
        name: (*name).to_owned(),
        few: few.parse()?,
        many: many.parse()?,
    })
}

/// What a program said.
struct Heard {
    out: String,
    errors: String,
}

fn heard(command: &mut Command) -> Result<Heard> {
    let name = Path::new(command.get_program()).display().to_string();
    let done = command
        .output()
        .with_context(|| format!("cannot run `{name}`"))?;
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    if !done.status.success() {
        bail!("`{name}` ended with {}: {errors}", done.status);
    }
    Ok(Heard {
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        errors,
    })
}

/// The program that cargo's messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back()
}

/// `==1234== Collected : 5678`.
fn total(said: &str) -> Option<u64> {
    let (_, after) = said.split_once("Collected :")?;
    after.split_whitespace().next()?.parse().ok()
}

/// The figures that were accepted.
#[derive(Debug, Default)]
struct Baseline {
    machine: String,
    figures: BTreeMap<String, u64>,
}

/// What a comparison came to.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    faults: Vec<String>,
    better: Vec<String>,
}

impl Baseline {
    fn read(text: &str) -> Result<Self> {
        let document: DocumentMut = text
            .parse()
            .with_context(|| format!("`{BASELINE}` is no TOML"))?;
        let machine = document.get("machine").and_then(Item::as_str);
        let figures = document.get("instructions").and_then(Item::as_table);
        let (Some(machine), Some(figures)) = (machine, figures) else {
            bail!("`{BASELINE}` has no `machine` and `[instructions]`");
        };
        let figures = figures.iter().map(|(name, figure)| {
            let figure = figure
                .as_integer()
                .and_then(|figure| u64::try_from(figure).ok())
                .filter(|figure| *figure > 0)
                .with_context(|| format!("`{name}` in `{BASELINE}` is no figure"))?;
            Ok((name.to_owned(), figure))
        });
        Ok(Self {
            machine: machine.to_owned(),
            figures: figures.collect::<Result<_>>()?,
        })
    }

    /// A line for people.
    fn beside(&self, name: &str, now: u64) -> String {
        match self.figures.get(name) {
            Some(before) => {
                let thousandths = now.abs_diff(*before).saturating_mul(1_000) / before;
                let sign = if now < *before { '-' } else { '+' };
                let (whole, tenth) = (thousandths / 10, thousandths % 10);
                format!("{name}: {now} instructions, {sign}{whole}.{tenth} %")
            }
            None => format!("{name}: {now} instructions"),
        }
    }

    fn judge(&self, now: &BTreeMap<String, u64>) -> Verdict {
        let (mut faults, mut better) = (Vec::new(), Vec::new());
        let percent = |figure: u64, percent: u64| figure.saturating_mul(percent);
        for (name, figure) in now {
            let Some(before) = self.figures.get(name) else {
                faults.push(format!(
                    "`{name}` has no figure in `{BASELINE}`: `cargo xtask instructions --write`"
                ));
                continue;
            };
            if percent(*figure, 100) > percent(*before, 100 + PERCENT_MAX) {
                let line = self.beside(name, *figure);
                faults.push(format!(
                    "{line}: more than {PERCENT_MAX} % over the {before} of `{BASELINE}`; make it cheaper, or say in the commit why not and `cargo xtask instructions --write`"
                ));
            } else if percent(*figure, 100) < percent(*before, 100 - PERCENT_MAX) {
                better.push(name.clone());
            }
        }
        let gone = self.figures.keys().filter(|name| !now.contains_key(*name));
        faults.extend(gone.map(|name| {
            format!(
                "`{name}` in `{BASELINE}` is measured no more: `cargo xtask instructions --write`"
            )
        }));
        Verdict { faults, better }
    }
}

fn written(machine: &str, figures: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Instructions for each decision (of `load-`: for each policy that is read), written by\n# `cargo xtask instructions --write`. docs/performance.md says what is decided in each.\nmachine = \"{machine}\"\n\n[instructions]\n"
    );
    for (name, figure) in figures {
        text.push_str(&format!("{name} = {figure}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::{Baseline, executable, scenario, total, written};

    fn figures(rows: &[(&str, u64)]) -> BTreeMap<String, u64> {
        rows.iter()
            .map(|(name, figure)| ((*name).to_owned(), *figure))
            .collect()
    }

    #[test]
    fn what_callgrind_and_cargo_say_is_read() {
        let said = "==7== Events    : Ir\n==7== Collected : 15667415\n==7==\n";
        assert_eq!(total(said), Some(15_667_415));
        assert_eq!(total("==7== Collected nothing"), None);
        let messages = "{\"executable\":null}\n{\"executable\":\"/t/decisions\"}\nnoise\n";
        assert_eq!(
            executable(messages).as_deref(),
            Some(Path::new("/t/decisions"))
        );
        assert!(scenario("plain 500 2500").is_ok() && scenario("plain 500").is_err());
    }

    #[test]
    fn more_is_a_fault_and_less_is_said() {
        let baseline =
            Baseline::read(&written("here", &figures(&[("a", 1_000), ("b", 1_000)]))).unwrap();
        assert_eq!(baseline.machine, "here");
        for (a, b, faults, better) in [
            (1_000, 1_030, 0, 0),
            (1_000, 1_031, 1, 0),
            (970, 969, 0, 1),
            (2_000, 2_000, 2, 0),
        ] {
            let verdict = baseline.judge(&figures(&[("a", a), ("b", b)]));
            assert_eq!(
                (verdict.faults.len(), verdict.better.len()),
                (faults, better),
                "{a} {b}"
            );
        }
        let verdict = baseline.judge(&figures(&[("a", 1_031), ("c", 1)]));
        let faults = verdict.faults.join("\n");
        for part in [
            "a: 1031 instructions, +3.1 %: more",
            "`c` has no figure",
            "`b` in",
        ] {
            assert!(faults.contains(part), "{faults}");
        }
    }

    #[test]
    fn a_baseline_that_says_nothing_is_none() {
        for text in [
            "",
            "machine = \"a\"",
            "machine = \"a\"\n[instructions]\na = 0",
            "[",
        ] {
            assert!(Baseline::read(text).is_err(), "{text}");
        }
    }
}
